package session

import (
	"errors"
	"strings"
	"testing"
)

func TestLeads(t *testing.T) {
	p, err := NewPlaces([]string{"/login", "/oauth/*", "/a%20b", "https://id.example.com/authorize", "http://sso.example.com", "https://Deep.example.com:8443/x/*"})
	if err != nil {
		t.Fatal(err)
	}
	const host, path = "shop.example.com:8080", "/account/orders/7"
	for location, want := range map[string]bool{
		// The request's own host.
		"/login": true, "/login/": true, "/login?next=%2Forders": true, "/login#x": true, "/log%69n": true, "/login/x": false, "/loginx": false,
		"/Login": false, "/x/login": false, "/oauth": true, "/oauth/": true, "/oauth/a/b": true, "/oauthx": false, "/oauth%2Fa": true,
		"/a b": true, "/a%20b": true, "/a%2520b": false, "/a+b": false, "/": false, "": false, "?x": false, "#": false, "*": false,
		"https://shop.example.com/login": true, "http://shop.example.com:8080/login": true, "http://SHOP.example.com:9/login?x": true,
		"//shop.example.com/login": true, "https://kim@shop.example.com/login": true, "https://shop.example.com": false,
		"https://shop.example.com.evil.example/login": false, "https://evil.example/login": false, "//evil.example/login": false,
		"HTTPS://shop.example.com/login": true, "ftp://shop.example.com/login": false, "mailto:login": false, "javascript:/login": false,
		// Relative to /account/orders/7.
		"../../login": true, "../login": false, "login": false, "./../../oauth/x": true, "../../../../login": true, "/x/../login": true,
		"/x/%2e%2e/login": true, "/x//../login": false, "//login": false, "///login": false, "http:/login": false, "http:login": false, `/\login`: false,
		// Identity providers.
		"https://id.example.com/authorize?client_id=1": true, "http://id.example.com/authorize/": true, "https://id.example.com:443/authorize": true,
		"https://id.example.com/authorize/x": false, "https://id.example.com/": false, "https://id.example.com:8443/authorize": false,
		"https://sso.example.com": true, "https://sso.example.com/any/thing?x": true, "//sso.example.com/": true, "https://xsso.example.com/": false,
		"https://deep.example.com:8443/x/y": true, "https://deep.example.com/x/y": false, "https://id.example.com/login": false,
		// What cannot be read.
		"%": false, "/%zz": false, "http://[::1/login": false, "http://a b/login": false, ":/login": false, "/login\x00": false, "/lo\tgin": false, "http:///login": false,
	} {
		if got := p.Leads(location, host, path); got != want {
			t.Errorf("%q: %v, want %v", location, got, want)
		}
	}
	for from, want := range map[string]bool{"/x": true, "/": true, "*": true, "": true, "/x?/y/z": true, "/x/y": false, "/%zz": false} {
		if got := p.Leads("login", host, from); got != want {
			t.Errorf("login from %s: %v", from, got)
		}
	}
	if !p.Leads("/login", "", "") || new(Places).Leads("/login", host, path) {
		t.Error("a request without a host, or the zero value")
	}
	if own, _ := NewPlaces([]string{"https://shop.example.com/in"}); !own.Leads("/in", "shop.example.com", "/") {
		t.Error("a pattern that names the request's own host")
	}
	if all, _ := NewPlaces([]string{"/*"}); !all.Leads("/", host, path) || !all.Leads("x?y", host, path) || all.Leads("https://evil.example/", host, path) {
		t.Error("/* is not every path of the own host")
	}
	if root, _ := NewPlaces([]string{"/"}); !root.Leads("https://shop.example.com", host, path) || root.Leads("/x", host, path) {
		t.Error("/ is not the root")
	}
	if six, _ := NewPlaces([]string{"/login"}); !six.Leads("http://[::1]/login", "[::1]:8080", path) {
		t.Error("an address")
	}
}

func TestBadPlaces(t *testing.T) {
	for pattern, says := range map[string]string{
		"": "want a path", "login": "want a path", "*": "want a path", "//host/x": "want a path", "ftp://x/y": "want a path", "https:///x": "want a path",
		"https:x": "want a path", "https://kim@x/": "want a path", "/%zz": "want a path", "https://[::1/": "want a path",
		"/login?x": "leave them out", "/login#": "leave them out", "/lo gin": "spaces", `/a\b`: "spaces", "/a*": "only stand at the end",
		"/*/a": "only stand at the end", "/a/**": "only stand at the end", "/a/../b": `want "/b/"`, "/a//b/*": `want "/a/b/*"`, "/.": `want "/"`,
	} {
		p, err := NewPlaces([]string{"/ok", pattern})
		if !errors.Is(err, ErrPlace) || len(p.all) != 0 {
			t.Errorf("%q: accepted, or another error: %v", pattern, err)
			continue
		}
		if !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v; want it to say %q", pattern, err, says)
		}
	}
}

func FuzzLeads(f *testing.F) {
	f.Add("/login", "/login?x=1", "example.com", "/a/b")
	f.Add("https://id.example/*", "//id.example:443/%2e%2e/x", "example.com:80", "*")
	f.Add("/a/*", "../%zz", "[::1]:1", "/%zz//")
	f.Fuzz(func(t *testing.T, pattern, location, host, path string) {
		p, err := NewPlaces([]string{pattern})
		if err != nil {
			return
		}
		if p.Leads(location, host, path) && !strings.ContainsAny(location, "?#") && !p.Leads(location+"?q#f", host, path) {
			t.Errorf("%q leads to %q, and not with a query", location, pattern)
		}
		if strings.HasPrefix(pattern, "/") && !strings.HasSuffix(pattern, "/*") && !strings.Contains(pattern, "%") && !p.Leads(pattern, host, path) {
			t.Errorf("%q does not lead to itself", pattern)
		}
	})
}
