package config

import (
	"net/netip"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// TestDefaults holds the smallest file to everything that was left out of it.
func TestDefaults(t *testing.T) {
	c := parsed(t, minimal+`
session: {cookies: [sid], store: {redis: {address: "Redis.internal.:6379"}}}
`)
	want := &Config{
		Path:   "test.yaml",
		Sum:    c.Sum,
		Listen: []Listen{{Address: Address{"tcp", ":8080"}, Health: "/.gatehouse/ready", HTTP2: "off"}},
		Admin:  Admin{Address: Address{"tcp", "127.0.0.1:9901"}},
		Log:    Log{"stdout", "info"},
		Session: Session{Cookies: []string{"sid"}, SignInAt: []string{"/login"}, Guard: true, MaxAge: 720 * time.Hour, Store: &Store{
			Name:     "store",
			Redis:    Redis{Address: Address{"tcp", "redis.internal.:6379"}},
			Probe:    Probe{100 * time.Millisecond, 200 * time.Millisecond, 4096, "gatehouse:"},
			Strained: Strained{25 * time.Millisecond, 0.9, 0.9, Rate{100, time.Second}, Rate{}},
			Recovery: Recovery{3, 500 * time.Millisecond, Hold{30 * time.Second, 5 * time.Minute}, Ramp{Rate{10, time.Second}, Rate{500, time.Second}, 30 * time.Second}},
		}},
		Pools: []Pool{{
			Name: "app", Backends: []Backend{{"http://10.0.0.1:8080", "http", "tcp", "10.0.0.1:8080"}},
			Retries: Retries{0.20}, Eject: &Eject{5, 10 * time.Second, 0.50}, SlowStart: 10 * time.Second,
		}},
		Routes: []Route{{
			Name: "app", Line: 4, Pool: "app", Needs: "read",
			Timeout: 30 * time.Second, ImpairedTimeout: 3 * time.Second, VerdictMaxAge: 250 * time.Millisecond,
			Guard: true, Convert: []int{500, 502, 503, 504}, AmbiguousPaths: "refuse",
		}},
		Degrade: Degrade{503, RetryAfter{5 * time.Second, time.Minute}, DegradeRate{Rate{2, time.Second}, 10, Rate{500, time.Second}}, ""},
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got\n%+v\nwant\n%+v\nstore %+v", c, want, c.Session.Store)
	}
}

// TestValues reads one key at a time in all the ways it may be written.
func TestValues(t *testing.T) {
	beside, err := filepath.Abs("secret")
	if err != nil {
		t.Fatal(err)
	}
	store := func(text string) string {
		return "session: {cookies: [sid], store: {redis: {address: \"127.0.0.1:6379\"}, " + text + "}}"
	}
	redis := func(text string) string { return "session: {cookies: [sid], store: {redis: {" + text + "}}}" }
	for text, check := range map[string]struct {
		get  func(*Config) any
		want any
	}{
		"admin: off":                         {func(c *Config) any { return c.Admin }, Admin{}},
		"admin: {address: off, pprof: true}": {func(c *Config) any { return c.Admin }, Admin{}},
		"admin: {address: unix:/run/a.sock}": {func(c *Config) any { return c.Admin.Address }, Address{"unix", "/run/a.sock"}},
		"admin: {address: '[::1]:9901', hosts: [Gate.internal, '[::1]'], pprof: true}": {func(c *Config) any { return c.Admin },
			Admin{Address{"tcp", "[::1]:9901"}, "", []string{"gate.internal", "[::1]"}, true}},
		"admin: {address: ':9901', token_file: secret}": {func(c *Config) any { return c.Admin }, Admin{Address{"tcp", ":9901"}, beside, nil, false}},
		"trusted_proxies: [10.0.0.0/8, 192.0.2.1, '::1', '::ffff:192.0.2.2']": {func(c *Config) any { return c.TrustedProxies },
			[]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("192.0.2.2/32")}},
		"log: {access: off, level: debug}":                                              {func(c *Config) any { return c.Log }, Log{"off", "debug"}},
		"log: {access: ./secret}":                                                       {func(c *Config) any { return c.Log }, Log{beside, "info"}},
		"log: {access: /var/log/../a.log}":                                              {func(c *Config) any { return c.Log.Access }, "/var/a.log"},
		"session: {cookies: [sid, 'app-*'], headers: [authorization, X-session]}":       {func(c *Config) any { return [2][]string{c.Session.Cookies, c.Session.Headers} }, [2][]string{{"sid", "app-*"}, {"Authorization", "X-Session"}}},
		redis("address: unix:/run/redis.sock"):                                          {func(c *Config) any { return c.Session.Store.Redis.Address }, Address{"unix", "/run/redis.sock"}},
		redis("address: '[::1]:6379', username: gate, password_file: secret, db: 3"):    {func(c *Config) any { return c.Session.Store.Redis }, Redis{Address{"tcp", "[::1]:6379"}, "gate", Secret{File: beside}, 3, nil}},
		redis("address: '127.0.0.1:6379', password_env: REDIS_PASSWORD"):                {func(c *Config) any { return c.Session.Store.Redis.Password }, Secret{Env: "REDIS_PASSWORD"}},
		store("probe: {interval: 10ms, timeout: 10s, payload: 1MiB, key_prefix: 'a:'}"): {func(c *Config) any { return c.Session.Store.Probe }, Probe{10 * time.Millisecond, 10 * time.Second, 1 << 20, "a:"}},
		store("probe: {payload: 64B}"):                                                  {func(c *Config) any { return c.Session.Store.Probe.Payload }, 64},
		store("probe: {payload: 4kB}"):                                                  {func(c *Config) any { return c.Session.Store.Probe.Payload }, 4000},
		store("strained: {latency: 1.5ms}"):                                             {func(c *Config) any { return c.Session.Store.Strained.Latency }, 1500 * time.Microsecond},
		store("recovery: {rise: 1, after: 0, ramp: {from: 0.5/s, to: 60/m, over: 0s}}"): {func(c *Config) any { return c.Session.Store.Recovery },
			Recovery{1, 0, Hold{30 * time.Second, 5 * time.Minute}, Ramp{Rate{0.5, time.Second}, Rate{60, time.Minute}, 0}}},
		store("recovery: {hold: {from: 0s}}"):                         {func(c *Config) any { return c.Session.Store.Recovery.Hold }, Hold{0, 5 * time.Minute}},
		store("recovery: {hold: {from: 10m}}"):                        {func(c *Config) any { return c.Session.Store.Recovery.Hold }, Hold{10 * time.Minute, 10 * time.Minute}},
		store("recovery: {hold: {from: 1s, to: 20s}}"):                {func(c *Config) any { return c.Session.Store.Recovery.Hold }, Hold{time.Second, 20 * time.Second}},
		"quotas: {a: {key: client_ip, rate: 600/m}}":                  {func(c *Config) any { return c.Quotas }, []Quota{{"a", "client_ip", Rate{600, time.Minute}, 10, false, false}}},
		"quotas: {a: {key: route, rate: 90/m}}":                       {func(c *Config) any { return c.Quotas[0].Burst }, 2},
		"quotas: {a: {key: 'cookie:sid', rate: 1/h}}":                 {func(c *Config) any { return c.Quotas }, []Quota{{"a", "cookie:sid", Rate{1, time.Hour}, 1, false, false}}},
		"quotas: {a: {key: 'header:x-api-key', rate: 5/s, burst: 7}}": {func(c *Config) any { return c.Quotas }, []Quota{{"a", "header:X-Api-Key", Rate{5, time.Second}, 7, false, false}}},
		"degrade: {status: 429, retry_after: {min: 1s, max: 1s}, rate: {per_client: 1/m, burst: 1, per_address: 1/h}}": {func(c *Config) any { return c.Degrade },
			Degrade{429, RetryAfter{time.Second, time.Second}, DegradeRate{Rate{1, time.Minute}, 1, Rate{1, time.Hour}}, ""}},
		"degrade: {page: load.go}": {func(c *Config) any { return c.Degrade.Page }, filepath.Join(filepath.Dir(beside), "load.go")},
	} {
		file := minimal + text
		if strings.HasPrefix(text, "quotas:") {
			file = strings.Replace(file, "pool: app}", "pool: app, quotas: [a]}", 1)
		}
		c := parsed(t, file)
		if got := check.get(c); !reflect.DeepEqual(got, check.want) {
			t.Errorf("%s: got %+v, want %+v", text, got, check.want)
		}
		if len(c.Warnings) > 0 {
			t.Errorf("%s: %v", text, c.Warnings)
		}
	}
}

func TestListenAddresses(t *testing.T) {
	c := parsed(t, `
listen:
  - address: ":8080"
  - {address: "127.0.0.1:0", health: off}
  - {address: "127.0.0.1:0", health: /up}
  - address: "[0:0::1]:8443"
  - address: unix:/run/../run/x.sock
pools: {app: {backends: ["http://10.0.0.1:8080"]}}
routes: [{name: app, pool: app}]
`)
	want := []Listen{{Address: Address{"tcp", ":8080"}, Health: "/.gatehouse/ready", HTTP2: "off"}, {Address: Address{"tcp", "127.0.0.1:0"}, Health: "", HTTP2: "off"}, {Address: Address{"tcp", "127.0.0.1:0"}, Health: "/up", HTTP2: "off"},
		{Address: Address{"tcp", "[::1]:8443"}, Health: "/.gatehouse/ready", HTTP2: "off"}, {Address: Address{"unix", "/run/x.sock"}, Health: "/.gatehouse/ready", HTTP2: "off"}}
	if !reflect.DeepEqual(c.Listen, want) {
		t.Errorf("got %v, want %v", c.Listen, want)
	}
}

func TestCollisions(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{":80", ":80", true}, {":80", ":81", false}, {":0", ":0", false},
		{":80", "127.0.0.1:80", true}, {"[::1]:80", "[::]:80", true}, {"0.0.0.0:80", ":80", true}, {"127.0.0.1:80", "0.0.0.0:80", true},
		{"0.0.0.0:80", "[::1]:80", false}, {"0.0.0.0:80", "[::]:80", true}, {"127.0.0.1:80", "127.0.0.2:80", false},
	} {
		a, b := Address{"tcp", c.a}, Address{"tcp", c.b}
		if a.collides(b) != c.want || b.collides(a) != c.want {
			t.Errorf("%s and %s: %v and %v, want %v", c.a, c.b, a.collides(b), b.collides(a), c.want)
		}
	}
	if a := (Address{"unix", "/x"}); !a.collides(a) || a.collides(Address{"unix", "/y"}) || a.collides(Address{"tcp", "/x"}) {
		t.Error("sockets collide where their paths are the same, and only there")
	}
}

func TestPools(t *testing.T) {
	c := parsed(t, `
listen: [{address: ":8080"}]
pools:
  z-last: {backends: ["http://APP", "http://app.:80", "http://[::1]:8080"], max_in_flight: 64}
  a: {backends: ["http://a:1"], max_in_flight: 1, queue: {length: 0}, health: {path: "/up?full=1"}}
  b: {backends: ["http://a:1"], max_in_flight: 0, health: {path: /up, interval: 5s, timeout: 10ms}}
routes: [{name: app, pool: a}]
`)
	want := []Pool{
		{Name: "z-last", Backends: []Backend{{"http://app:80", "http", "tcp", "app:80"}, {"http://app.:80", "http", "tcp", "app.:80"}, {"http://[::1]:8080", "http", "tcp", "[::1]:8080"}}, MaxInFlight: 64, Queue: Queue{128, 2 * time.Second}},
		{Name: "a", Backends: []Backend{{"http://a:1", "http", "tcp", "a:1"}}, MaxInFlight: 1, Queue: Queue{0, 2 * time.Second}, Health: &Health{"/up?full=1", 2 * time.Second, time.Second}},
		{Name: "b", Backends: []Backend{{"http://a:1", "http", "tcp", "a:1"}}, Health: &Health{"/up", 5 * time.Second, 10 * time.Millisecond}},
	}
	for i := range want {
		p := &want[i]
		p.Retries, p.Eject, p.SlowStart = Retries{0.20}, &Eject{5, 10 * time.Second, 0.50}, 10*time.Second
		if p.MaxInFlight > 0 {
			p.Shares, p.Reserve = Shares{0.40, 0.20, 0.10, 0.10, 0.05}, 0.10
		}
	}
	if !reflect.DeepEqual(c.Pools, want) {
		t.Errorf("got\n%+v\nwant\n%+v", c.Pools, want)
	}
}

func TestSuggest(t *testing.T) {
	words := []string{"name", "match", "pool", "overflow", "needs"}
	for s, want := range map[string]string{"pol": "pool", "pools": "pool", "nmae": "name", "mtach": "match", "over_flow": "overflow", "colour": "", "": "", "x": "", "p": ""} {
		if got := suggest(s, words); got != want {
			t.Errorf("suggest(%q) = %q, want %q", s, got, want)
		}
	}
}
