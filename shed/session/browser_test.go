package session

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// browser is a cookie jar that somebody else made.
type browser struct {
	*cookiejar.Jar
	at *url.URL
}

func newBrowser(t *testing.T, address string) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	at, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return &browser{jar, at}
}

// takes has the browser read Set-Cookie lines.
func (b *browser) takes(lines ...string) {
	r := http.Response{Header: http.Header{"Set-Cookie": lines}}
	b.SetCookies(b.at, r.Cookies())
}

// sends returns the Cookie field that the browser would send.
func (b *browser) sends() string {
	r := http.Request{Header: http.Header{}}
	for _, c := range b.Cookies(b.at) {
		r.AddCookie(c)
	}
	return r.Header.Get("Cookie")
}

// What Effect tells of every framework's answer is what happens in a browser; and with the held lines left out, the browser
// sends the session as before.
func TestFrameworksInABrowser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(now))
		for _, c := range frameworks {
			request := fields{"Cookie": {c.cookies}}
			after := func(drop func(string, string) bool) string {
				b := newBrowser(t, "https://example.com/wp-admin/x")
				for pair := range strings.SplitSeq(c.cookies, "; ") {
					b.takes(pair + placed(c.answer, pair))
				}
				for _, line := range c.answer {
					if !drop("Set-Cookie", line) {
						b.takes(line)
					}
				}
				return b.sends()
			}
			sent := fields{"Cookie": {after(nothing)}}
			lost, changed := false, false
			for name, value := range cookies(request) {
				left, there := Cookie(sent, name)
				marked := everything.mark(name) >= 0
				lost = lost || marked && !there
				changed = changed || match(everything.Cookies, name) >= 0 && there && left != value
			}
			if lost && !c.want.Deletes && !c.want.Changes || c.want.Deletes && !lost || changed && !c.want.Changes {
				t.Errorf("%s: the browser sends %q afterwards, and Effect says %+v", c.name, sent["Cookie"], c.want)
			}
			kept := fields{"Cookie": {after(everything.Held(request, fields{"Set-Cookie": c.answer}, now, Hold{true, true}))}}
			for name, value := range cookies(request) {
				got, _ := Cookie(kept, name)
				if everything.mark(name) >= 0 && !everything.remembers(everything.mark(name)) && got != value {
					t.Errorf("%s: with the lines held the browser sends %s=%q, want %q", c.name, name, got, value)
				}
			}
			if everything.Remembered(request) && !everything.Remembered(kept) {
				t.Errorf("%s: with the lines held the browser is not remembered", c.name)
			}
		}
	})
}

// placed returns the Path and Domain of the answer's first line for the cookie in pair.
func placed(answer []string, pair string) string {
	name, _, _ := strings.Cut(pair, "=")
	for _, line := range answer {
		if c, ok := readSetCookie(line, now); ok && c.name == name && c.domain != "" {
			return "; Path=/; Domain=" + c.domain
		}
	}
	return "; Path=/"
}

// Whatever Domain and Path a cookie was given with, within reason, Expire finds it.
func TestExpireInABrowser(t *testing.T) {
	m := Marks{Cookies: []string{"sid", "__Host-sid", "__Secure-sid"}, Remember: []string{"remember*"}}
	for _, c := range []struct{ at, cookie string }{
		{"https://shop.example.com/logout", "sid=a; Path=/"},
		{"https://shop.example.com/logout", "sid=a; Path=/; Secure; HttpOnly; SameSite=Strict"},
		{"https://shop.example.com/logout", "sid=a; Path=/; Domain=shop.example.com"},
		{"https://shop.example.com/logout", "sid=a; Path=/; Domain=.example.com"},
		{"https://shop.example.com/app/logout", "sid=a; Path=/app"},
		{"https://shop.example.com/app/logout", "sid=a; Path=/app; Domain=example.com"},
		{"https://shop.example.com/app/logout", "sid=a; Path=/app; Domain=shop.example.com"},
		{"https://a.b.c.d.example.com/app/logout", "sid=a; Path=/; Domain=example.com"},
		{"https://example.com:8443/", "sid=a; Path=/; Domain=example.com"},
		{"https://shop.example.com/logout", "remember_me=a; Path=/; Max-Age=9999"},
		{"https://shop.example.com/logout", "__Host-sid=a; Path=/; Secure"},
		{"https://shop.example.com/logout", "__Secure-sid=a; Path=/; Secure; Domain=example.com"},
		{"http://localhost:8080/logout", "sid=a; Path=/"},
		{"http://127.0.0.1:8080/logout", "sid=a; Path=/"},
		{"http://[::1]:8080/app/logout", "sid=a; Path=/app"},
	} {
		b := newBrowser(t, c.at)
		b.takes(c.cookie, "other=b; Path=/")
		if sent := b.sends(); strings.Count(sent, "=") != 2 {
			t.Fatalf("%s: the browser did not take %s: %q", c.at, c.cookie, sent)
		}
		b.takes(m.Expire(fields{"Cookie": {b.sends()}}, b.at.Host, b.at.Path, b.at.Scheme == "https")...)
		if sent := b.sends(); sent != "other=b" {
			t.Errorf("%s: after %s is expired the browser sends %q", c.at, c.cookie, sent)
		}
	}
}
