package config

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"
)

// TestSessionValues reads what a session's keys may hold.
func TestSessionValues(t *testing.T) {
	beside, err := filepath.Abs("x.pem")
	if err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(t.TempDir(), "session.key")
	if err := os.WriteFile(key, nil, 0o640); err != nil {
		t.Fatal(err)
	}
	redis := func(text string) string { return "store: {redis: {address: '127.0.0.1:6379', " + text + "}}" }
	strained := func(text string) string {
		return "store: {redis: {address: '127.0.0.1:6379'}, strained: {" + text + "}}"
	}
	tls := func(c *Config) any { return c.Session.Store.Redis.TLS }
	places := func(c *Config) any { return c.Session.SignInAt }
	for text, check := range map[string]struct {
		get  func(*Config) any
		want any
	}{
		"remember_cookies: [keep, 'remember_web_*']": {func(c *Config) any { return c.Session.Remember }, []string{"keep", "remember_web_*"}},
		"guard: false, max_age: 1m": {func(c *Config) any {
			return Session{Guard: c.Session.Guard, MaxAge: c.Session.MaxAge}
		}, Session{MaxAge: time.Minute}},
		"key_file: " + key: {func(c *Config) any { return c.Session.KeyFile }, key},
		"remember_cookies: [gatehouse, gatehouse_proofs, 'gatehouse_prow*', place]": {func(c *Config) any { return c.Session.Remember },
			[]string{"gatehouse", "gatehouse_proofs", "gatehouse_prow*", "place"}},
		"max_age: 8760h": {func(c *Config) any { return c.Session.MaxAge }, 8760 * time.Hour},

		"sign_in_at: []":                 {places, []string{}},
		"sign_in_at: /signin/":           {places, []string{"/signin"}},
		"sign_in_at: [/, '/oauth/*']":    {places, []string{"/", "/oauth/*"}},
		"sign_in_at: https://Id.example": {places, []string{"https://id.example"}},
		"sign_in_at: ['HTTPS://id.example:443/login/', 'http://id.example:443/*', 'http://[0:0::1]:80/a/*', 'https://10.0.0.1:8443/']": {places,
			[]string{"https://id.example/login", "http://id.example:443", "http://[::1]/a/*", "https://10.0.0.1:8443"}},

		redis("tls: false"):                                                                     {tls, (*TLS)(nil)},
		redis("tls: true"):                                                                      {tls, &TLS{}},
		redis("tls: {server_name: Redis.Internal}"):                                             {tls, &TLS{ServerName: "redis.internal"}},
		redis("tls: {server_name: '[::1]', ca_file: /ca.pem}"):                                  {tls, &TLS{ServerName: "::1", CAFile: "/ca.pem"}},
		redis("tls: {server_name: '::1', cert_file: x.pem, key_file: ./x.pem}"):                 {tls, &TLS{ServerName: "::1", CertFile: beside, KeyFile: beside}},
		"store: {redis: {address: unix:/run/redis.sock, tls: false}}":                           {tls, (*TLS)(nil)},
		strained("memory: 1, clients: 0.01, evictions: 1/m, rate: 50/s"):                        {func(c *Config) any { return c.Session.Store.Strained }, Strained{25 * time.Millisecond, 1, 0.01, Rate{1, time.Minute}, Rate{50, time.Second}}},
		"headers: [Authorization], store: {redis: {address: '127.0.0.1:6379'}}, sign_in_at: []": {places, []string{}},
	} {
		text = minimal + "session: {cookies: [sid], " + text + "}"
		c := parsed(t, text)
		if got := check.get(c); !reflect.DeepEqual(got, check.want) {
			t.Errorf("%s: got %+v, want %+v", text, got, check.want)
		}
		if len(c.Warnings) > 0 {
			t.Errorf("%s: %v", text, c.Warnings)
		}
	}
}

// TestRouteDefaults holds the defaults of a route that hang on other keys, its own and the session's. The session stands
// below the routes: its place in the file says nothing.
func TestRouteDefaults(t *testing.T) {
	for _, c := range []struct {
		keys, session string
		want          Route
	}{
		{"", "", Route{Guard: true}},
		{"guard: false", "", Route{}},
		{"guard: true", "guard: false", Route{Guard: true}},
		{"", "guard: false", Route{}},
		{"needs: write", "", Route{SignIn: true, Guard: true}},
		{"sign_out: true", "", Route{SignOut: true}},
		{"sign_out: true, needs: write", "", Route{SignOut: true}},
		{"sign_out: true, needs: none", "", Route{SignOut: true}},
		{"sign_out: false, needs: write", "", Route{SignIn: true, Guard: true}},
		{"sign_out: true, sign_in: false", "", Route{SignOut: true}},
		{"wait: 1m", "", Route{Wait: time.Minute, Guard: true}},
		{"wait: 0s, needs: none", "", Route{Guard: true}},
	} {
		text := "listen: [{address: ':8080'}]\npools: {app: {backends: ['http://10.0.0.1:8080']}}\nroutes: [{name: app, pool: app, " +
			c.keys + "}]\nsession: {cookies: [sid], " + c.session + "}\n"
		parsed := parsed(t, text)
		r := parsed.Routes[0]
		if got := (Route{SignIn: r.SignIn, SignOut: r.SignOut, Wait: r.Wait, Guard: r.Guard}); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s with session %s: got %+v, want %+v", c.keys, c.session, got, c.want)
		}
		if len(parsed.Warnings) > 0 {
			t.Errorf("%s: %v", text, parsed.Warnings)
		}
	}
}

// TestSignInPlace holds the warning of an unsaid sign_in_at to what it claims: it comes where the routes name other places only.
func TestSignInPlace(t *testing.T) {
	const store = "store: {redis: {address: '127.0.0.1:6379'}}"
	for _, c := range []struct {
		route, session string
		warned         bool
	}{
		{"match: {path: /signin}, needs: write", "cookies: [sid], " + store, true},
		{"match: {path: /a}, sign_in: true, restart: '/b?c=1'", "cookies: [sid], " + store, true},
		{"match: {path: [/signin, /login]}, needs: write", "cookies: [sid], " + store, false},
		{"match: {path: '/login/*'}, needs: write", "cookies: [sid], " + store, false},
		{"match: {path: '/auth/*'}, needs: write", "cookies: [sid], " + store, false},
		{"match: {path: '/auth/*'}, needs: write, restart: /", "cookies: [sid], " + store, false},
		{"match: {path: /a}, needs: write, restart: '/login/?x'", "cookies: [sid], " + store, false},
		{"match: {path_regexp: '/(en|de)/login'}, needs: write, restart: /x", "cookies: [sid], " + store, false},
		{"match: {method: POST}, needs: write, restart: /x", "cookies: [sid], " + store, false},
		{"match: {path: /signin}", "cookies: [sid], " + store, false},
		{"match: {path: /signin}, needs: write", "cookies: [sid], sign_in_at: [/login], " + store, false},
		{"match: {path: /signin}, needs: write", "cookies: [sid], guard: false, " + store, false},
		{"match: {path: /signin}, needs: write", "cookies: [sid]", false},
		{"match: {path: /signin}, needs: write", "headers: [X-Session], " + store, false},
	} {
		got := parsed(t, "listen: [{address: ':8080'}]\npools: {app: {backends: ['http://10.0.0.1:8080']}}\nsession: {"+c.session+
			"}\nroutes:\n- {name: sign-in, pool: app, "+c.route+"}\n- {name: app, pool: app}\n").Warnings
		if (len(got) > 0) != c.warned {
			t.Errorf("%s with session %s: %v", c.route, c.session, got)
		}
	}
}

func TestPatternsMeet(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"sid", "sid", true}, {"sid", "si", false}, {"sid", "sidx", false}, {"sid", "SID", false},
		{"sid", "s*", true}, {"sid", "sid*", true}, {"sid", "sidx*", false}, {"sid", "x*", false},
		{"app-*", "app-remember*", true}, {"app-*", "api-*", false},
	} {
		if patternsMeet(c.a, c.b) != c.want || patternsMeet(c.b, c.a) != c.want {
			t.Errorf("%s and %s: want %v", c.a, c.b, c.want)
		}
	}
}
