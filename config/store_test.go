package config

import (
	"reflect"
	"testing"
	"time"
)

// TestStoreKinds reads where sessions may be kept, beside a single node.
func TestStoreKinds(t *testing.T) {
	eu := Member{Name: "eu", Redis: Redis{Address: Address{"tcp", "10.0.2.1:6379"}}}
	us := Member{Name: "us", Redis: Redis{Address: Address{"tcp", "10.0.2.2:6379"}, Username: "g", Password: Secret{Env: "US"}, DB: 2, TLS: &TLS{}}}
	found := Member{Name: "asia", Redis: Redis{DB: 1}, Sentinel: &Sentinel{Master: "m", Addresses: []Address{{"tcp", "a:1"}, {"tcp", "b:1"}, {"tcp", "c:1"}}, Access: Access{Username: "s"}}}
	apart := Member{Name: "africa", Sentinel: &Sentinel{Master: "m", Addresses: []Address{{"tcp", "d:1"}, {"tcp", "e:1"}, {"tcp", "f:1"}}}}
	const (
		first  = "{name: eu, redis: {address: '10.0.2.1:6379'}}"
		second = "{name: us, redis: {address: '10.0.2.2:6379', username: g, password_env: US, db: 2, tls: true}}"
		third  = "{name: asia, sentinel: {master: m, addresses: ['a:1', 'B:1', 'c:1'], db: 1, access: {username: s}}}"
		fourth = "{name: africa, sentinel: {master: m, addresses: ['d:1', 'e:1', 'f:1']}}"
		two    = "members: [" + first + ", " + second + "]"
		nodes  = "addresses: ['10.0.2.1:6379', 'Node:6379']"
	)
	cluster := func(shards int, key string) Store {
		return Store{Cluster: &Cluster{[]Address{{"tcp", "10.0.2.1:6379"}, {"tcp", "node:6379"}}, shards, key}}
	}
	usual := Convergence{time.Second, 5 * time.Second}
	secured := cluster(0, "")
	secured.Redis = Redis{Username: "g", Password: Secret{Env: "C"}, TLS: &TLS{ServerName: "redis"}}
	for text, want := range map[string]Store{
		"cluster: {" + nodes + "}":                                                          cluster(0, ""),
		"cluster: {" + nodes + ", min_shards: all, key: 'sess:{id}'}":                       cluster(0, "sess:{id}"),
		"cluster: {" + nodes + ", min_shards: 2, key: '{app}:{{id_base64}}'}":               cluster(2, "{app}:{{id_base64}}"),
		"cluster: {" + nodes + ", username: g, password_env: C, tls: {server_name: redis}}": secured,
		two: {Members: []Member{eu, us}, Convergence: usual},
		"members: [" + first + ", " + second + ", " + third + ", " + fourth + "], require: any": {Members: []Member{eu, us, found, apart}, Require: 1, Convergence: usual},
		"require: all, " + two:                            {Members: []Member{eu, us}, Convergence: usual},
		"require: 2, " + two:                              {Members: []Member{eu, us}, Require: 2, Convergence: usual},
		"convergence: off, " + two:                        {Members: []Member{eu, us}},
		"convergence: {}, " + two:                         {Members: []Member{eu, us}, Convergence: usual},
		two + ", convergence: {lag: 4100ms}":              {Members: []Member{eu, us}, Convergence: Convergence{time.Second, 4100 * time.Millisecond}},
		two + ", convergence: {interval: 100ms, lag: 1h}": {Members: []Member{eu, us}, Convergence: Convergence{100 * time.Millisecond, time.Hour}},
	} {
		c := parsed(t, minimal+"session: {cookies: [sid], store: {"+text+"}}")
		s := c.Session.Store
		got := Store{Redis: s.Redis, Sentinel: s.Sentinel, Cluster: s.Cluster, Members: s.Members, Require: s.Require, Convergence: s.Convergence}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got\n%+v\nwant\n%+v", text, got, want)
		}
		if len(c.Warnings) > 0 || broken(c) != "" {
			t.Errorf("%s: %v, %s", text, c.Warnings, broken(c))
		}
	}
}

// TestReports reads how far the app's own word is taken.
func TestReports(t *testing.T) {
	for text, want := range map[string]*Reports{
		"{pools: []}":                           nil,
		"{pools: [], quorum: 9}":                nil,
		"{pools: [b, a]}":                       {[]string{"b", "a"}, 2, 5 * time.Second},
		"{pools: [a], quorum: 1, max: 100ms}":   {[]string{"a"}, 1, 100 * time.Millisecond},
		"{quorum: 3, pools: [a, b], max: 1m}":   {[]string{"a", "b"}, 3, time.Minute},
		"{max: 1s, pools: [b], quorum: 2}":      {[]string{"b"}, 2, time.Second},
		"{pools: [c], quorum: 2, max: 60000ms}": {[]string{"c"}, 2, time.Minute},
	} {
		c := parsed(t, `
listen: [{address: ":8080"}]
session: {cookies: [sid], store: {redis: {address: "127.0.0.1:6379"}}, reports: `+text+`}
pools:
  a: {backends: ["http://10.0.0.1:8080"]}
  b: {backends: ["http://10.0.0.2:8080", "h2c://10.0.0.3:8080"]}
  c: {backends: ["unix:/run/a.sock", "unix:/run/b.sock", "http://10.0.0.3:8080"]}
routes: [{name: app, pool: a}]
`)
		same(t, text, c.Session.Reports, want)
		if len(c.Warnings) > 0 || broken(c) != "" {
			t.Errorf("%s: %v, %s", text, c.Warnings, broken(c))
		}
	}
}

// TestPoolsOfMembers binds pools to members, whatever each route then makes of them.
func TestPoolsOfMembers(t *testing.T) {
	c := parsed(t, `
listen: [{address: ":8080"}]
pools:
  eu: {backends: ["http://10.0.0.1:8080"], store: eu}
  us: {backends: ["http://10.0.0.2:8080"], store: us}
  any: {backends: ["http://10.0.0.3:8080"]}
routes:
  - {name: sign-in, match: {path: /login}, pool: eu, overflow: us, needs: write}
  - {name: app, pool: any, overflow: eu}
session:
  cookies: [sid]
  store:
    require: any
    members:
      - {name: eu, redis: {address: "10.0.2.1:6379"}}
      - {name: us, redis: {address: "10.0.2.2:6379"}}
      - {name: asia, redis: {address: "10.0.2.3:6379"}}
`)
	var got []string
	for _, p := range c.Pools {
		got = append(got, p.Store)
	}
	same(t, "stores", got, []string{"eu", "us", ""})
	if len(c.Warnings) > 0 || broken(c) != "" {
		t.Errorf("%v, %s", c.Warnings, broken(c))
	}
}

// TestBackendKinds reads in how many ways a backend may be spoken to.
func TestBackendKinds(t *testing.T) {
	dir := t.TempDir()
	for text, want := range map[string]Pool{
		"backends: [http://a, https://B, h2c://c, h2://d, 'unix:/run/../run/e.sock', 'https://[0:0::1]:8443']": {Backends: []Backend{
			{"http://a:80", "http", "tcp", "a:80"}, {"https://b:443", "https", "tcp", "b:443"}, {"h2c://c:80", "h2c", "tcp", "c:80"},
			{"h2://d:443", "h2", "tcp", "d:443"}, {"unix:/run/e.sock", "unix", "unix", "/run/e.sock"}, {"https://[::1]:8443", "https", "tcp", "[::1]:8443"}}},
		"backends: ['http://a:443', 'https://a'], tls: {server_name: App.internal}, proxy_protocol: v1": {
			Backends: []Backend{{"http://a:443", "http", "tcp", "a:443"}, {"https://a:443", "https", "tcp", "a:443"}},
			TLS:      &TLS{ServerName: "app.internal"}, ProxyProtocol: "v1"},
		"backends: ['unix:/a'], proxy_protocol: v2": {Backends: []Backend{{"unix:/a", "unix", "unix", "/a"}}, ProxyProtocol: "v2"},
		"backends: ['h2://a'], tls: {server_name: '::1'}": {Backends: []Backend{{"h2://a:443", "h2", "tcp", "a:443"}},
			TLS: &TLS{ServerName: "::1"}},
	} {
		c, err := Parse(dir+"/test.yaml", []byte("listen: [{address: ':8080'}]\nroutes: [{name: app, pool: app}]\npools: {app: {"+text+"}}\n"))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		p := c.Pools[0]
		same(t, text, Pool{Backends: p.Backends, TLS: p.TLS, ProxyProtocol: p.ProxyProtocol}, want)
		if len(c.Warnings) > 0 || broken(c) != "" {
			t.Errorf("%s: %v, %s", text, c.Warnings, broken(c))
		}
	}
}
