package edge

import (
	"strings"
	"testing"

	"gatehouse/proxy/h1"
)

func TestRedirectToHTTPS(t *testing.T) {
	var told refusals
	challenge := func(host, path string) (string, bool) {
		return "answer for " + host, path == "/.well-known/acme-challenge/known"
	}
	s := start(t, Settings{Refused: told.add}, func(v Visitor) { reply(v, "handler") })
	for _, tt := range []struct {
		redirect, request string
		status            int
		location, body    string
	}{
		{"https", "GET /a?b HTTP/1.1\nHost: A.example\n\n", 301, "https://A.example/a?b", ""},
		{"https", "HEAD / HTTP/1.1\nHost: a.example:8080\n\n", 301, "https://a.example/", ""},
		{"https", "POST //x HTTP/1.1\nHost: a.example\nContent-Length: 3\n\nabc", 308, "https://a.example//x", ""},
		{"https:443", "GET / HTTP/1.1\nHost: 192.0.2.1:80\n\n", 301, "https://192.0.2.1/", ""},
		{"https:8443", "GET / HTTP/1.1\nHost: [2001:db8::1]:80\n\n", 301, "https://[2001:db8::1]:8443/", ""},
		{"https", "GET http://a.example/ HTTP/1.1\nHost: a.example\n\n", 400, "", ""},
		{"https", "OPTIONS * HTTP/1.1\nHost: a.example\n\n", 400, "", ""},
		{"https", "GET / HTTP/1.0\n\n", 400, "", ""},
		{"https", "GET / HTTP/1.1\nHost: a:b\n\n", 400, "", ""},
		{"https", "GET / HTTP/1.1\nHost: ...\n\n", 400, "", ""},
		{"https", "GET / HTTP/1.1\nHost: [::1%lo]\n\n", 400, "", ""},
		{"https", "GET /ready HTTP/1.1\nHost: a.example\n\n", 503, "", "draining\n"},
		{"https", "GET /.well-known/acme-challenge/known?x HTTP/1.1\nHost: a.example:80\n\n", 200, "", "answer for a.example:80"},
		{"https", "GET /.well-known/acme-challenge/other HTTP/1.1\nHost: a.example\n\n", 301, "https://a.example/.well-known/acme-challenge/other", ""},
		{"https", "POST /.well-known/acme-challenge/known HTTP/1.1\nHost: a.example\n\n", 308, "https://a.example/.well-known/acme-challenge/known", ""},
		{"", "GET /.well-known/acme-challenge/known HTTP/1.1\nHost: a.example\n\n", 200, "", "answer for a.example"},
		{"", "GET /.well-known/acme-challenge/other HTTP/1.1\nHost: a.example\n\n", 200, "", "handler"},
		{"", "GET / HTTP/1.1\nHost: a.example\n\n", 200, "", "handler"},
	} {
		s.Set(Live{Health: "/ready", Redirect: tt.redirect, Challenge: challenge})
		c := dial(t, s)
		c.send(tt.request)
		method, _, _ := strings.Cut(tt.request, " ")
		res, body := c.answer(method)
		if res.StatusCode != tt.status || res.Header.Get("Location") != tt.location || tt.body != "" && body != tt.body {
			t.Errorf("%q: %d to %q, %q", tt.request, res.StatusCode, res.Header.Get("Location"), body)
		}
		all := told.take()
		if refused := tt.status == 301 || tt.status == 308 || tt.status == 400; !refused {
			if len(all) > 0 {
				t.Errorf("%q: told %+v", tt.request, all)
			}
			continue
		}
		if len(all) != 1 || all[0].Status != tt.status || all[0].Reason != "https_wanted" && all[0].Reason != "host" || all[0].Method != method || all[0].BytesOut != int64(len(body)) {
			t.Errorf("%q: told %+v", tt.request, all)
		}
	}
}

func TestHSTS(t *testing.T) {
	const want = "max-age=31536000"
	handler := func(v Visitor) {
		var head h1.Head
		if v.Target() == "/own" {
			head.Add("strict-transport-security", "max-age=1")
		}
		v.Answer(204, head, 0, false)
	}
	secure := startTLS(t, Settings{Live: Live{HSTS: want, Health: "/ready"}}, handler)
	for target, value := range map[string]string{"/": want, "/own": "max-age=1", "/ready": want, "/#": want} {
		c := dialTLS(t, secure)
		c.send("GET " + target + " HTTP/1.1\nHost: a\n\n")
		if res, _ := c.answer("GET"); len(res.Header.Values(hstsName)) != 1 || res.Header.Get(hstsName) != value || res.Header.Get("Date") == "" {
			t.Errorf("%s: %q", target, res.Header)
		}
	}
	for _, hsts := range []string{"", "max-age=1\r\nX: y"} {
		secure.Set(Live{TLS: secure.live.Load().TLS, HSTS: hsts, Redirect: "https"}) // which is for plain ones
		c := dialTLS(t, secure)
		c.send("GET / HTTP/1.1\nHost: a\n\n")
		if res, _ := c.answer("GET"); res.Header.Get(hstsName) != "" || res.Header.Get("X") != "" || res.StatusCode != 204 {
			t.Errorf("%q: %q", hsts, res.Header)
		}
	}
	plain := start(t, Settings{Live: Live{HSTS: want}}, handler)
	c := dial(t, plain)
	c.send("GET / HTTP/1.1\nHost: a\n\n")
	if res, _ := c.answer("GET"); res.Header.Get(hstsName) != "" {
		t.Errorf("plain: %q", res.Header)
	}
}

// What changes TLS changes it for connections that come.
func TestSettingsChangeInPlace(t *testing.T) {
	s := start(t, Settings{}, func(v Visitor) { reply(v, "ok") })
	before := dial(t, s)
	before.send("GET / HTTP/1.1\nHost: a\n\n")
	before.answer("GET")
	s.Set(Live{TLS: serverTLS(), ProxyProtocol: loopback})
	before.send("GET / HTTP/1.1\nHost: a\n\n")
	if _, body := before.answer("GET"); body != "ok" {
		t.Errorf("%q", body)
	}
	c := dial(t, s)
	c.send(strings.TrimSuffix(v1, "\r\n") + "\n")
	c, _ = c.secure(clientTLS())
	alive(t, c)
}
