package admin

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

// send posts a form to /store/override.
func send(h http.Handler, body string, head ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest("POST", "http://localhost:9901/store/override", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.RemoteAddr = "127.0.0.1:4711"
	for i := 0; i+1 < len(head); i += 2 {
		r.Header.Set(head[i], head[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestOverrideIsTaken(t *testing.T) {
	for _, c := range []struct {
		form string
		want Override
	}{
		{"state=read-only&for=10m", Override{"read-only", 10 * time.Minute, "admin page at 127.0.0.1"}},
		{"state=down&for=4h&by=Ada", Override{"down", 4 * time.Hour, "Ada"}},
		{"state=+writable+&for=+1s+&by=+Ada%09of%0AOps+", Override{"writable", time.Second, "Ada of Ops"}},
		{"state=unknown&for=1.5m&by=%E2%80%AE%00%FF", Override{"unknown", 90 * time.Second, "admin page at 127.0.0.1"}},
		{"state=strained&for=60m&by=" + strings.Repeat("%C3%A4", 81), Override{"strained", time.Hour, strings.Repeat("ä", 80)}},
		{"state=off", Override{"off", 0, "admin page at 127.0.0.1"}},
		{"state=off&for=soon&by=Ada", Override{"off", 0, "Ada"}},
	} {
		f := &fake{status: incident("writable", "ok")}
		h := NewHandler(settings(f))
		w := send(h, c.form)
		var got overridden
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 200 || !got.OK || len(got.Mistakes) > 0 {
			t.Errorf("%s: %d %s (%v)", c.form, w.Code, w.Body, err)
		}
		if !slices.Equal(f.asked, []Override{c.want}) {
			t.Errorf("%s asked for %+v, want %+v", c.form, f.asked, c.want)
		}
		if o := got.Override; (o == nil) != (c.want.State == "off") || o != nil && (o.State != c.want.State || !o.Until.Equal(f.status.Now.Add(c.want.For))) {
			t.Errorf("%s: in force is %+v", c.form, o)
		}
		if ask(h, "POST", "/store/override?"+c.form); len(f.asked) != 2 || f.asked[1].State != c.want.State || f.asked[1].For != c.want.For {
			t.Errorf("%s as the query asked for %+v", c.form, f.asked)
		}
	}
}

func TestOverrideSaysWhatIsWrong(t *testing.T) {
	f := &fake{status: incident("writable", "ok")}
	h := NewHandler(settings(f))
	for form, want := range map[string][]string{
		"":                                   {"state: it is missing; one of writable, strained, read-only, down, unknown, off is wanted", "for: it is missing; a time from 1s to 4h"},
		"state=read_only&for=1m":             {`state: "read_only" is none`},
		"state=OFF":                          {`"OFF"`, "for: it is missing"},
		"state=down":                         {"for: it is missing"},
		"state=down&for=10":                  {`for: "10" is no time`},
		"state=down&for=999ms":               {"999ms is too short"},
		"state=down&for=-1h":                 {"-1h is too short"},
		"state=down&for=4h0m1s":              {"4h0m1s is too long"},
		"state=down&for=9999999h":            {"is no time"},
		"state=down&for=1m&note=x":           {`"note" is not known; state, for and by are wanted`},
		"state=down&for=1m&state=down":       {"state: it is given 2 times"},
		"state=down&for=%zz":                 {"the form cannot be read"},
		"state=" + strings.Repeat("x", 5000): {"the form cannot be read"},
	} {
		w := send(h, form)
		var got overridden
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 400 || got.OK || len(got.Mistakes) != len(want) {
			t.Errorf("%.60s: %d %s (%v)", form, w.Code, w.Body, err)
			continue
		}
		for i := range want {
			if !strings.Contains(got.Mistakes[i], want[i]) {
				t.Errorf("%.60s: %q, want %q", form, got.Mistakes[i], want[i])
			}
		}
		if w = send(h, form, "Accept", "text/html"); w.Code != 400 || !strings.Contains(w.Body.String(), "The state was not set.\n") || !strings.Contains(w.Body.String(), want[0]) {
			t.Errorf("%.60s as text: %d %s", form, w.Code, w.Body)
		}
	}
	if w := send(h, `{"state":"down"}`, "Content-Type", "application/json"); w.Code != 400 || !strings.Contains(w.Body.String(), "a form") {
		t.Errorf("JSON: %d %s", w.Code, w.Body)
	}
	if len(f.asked) > 0 {
		t.Errorf("what is wrong was asked for: %+v", f.asked)
	}
}

func TestOverrideWithoutAStore(t *testing.T) {
	h := NewHandler(settings(&fake{err: errors.New("the file names no session.store")}))
	if w := send(h, "state=down&for=1m"); w.Code != 409 || !strings.Contains(w.Body.String(), `"the file names no session.store"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestOverrideAnswersAPerson: text to a script of the page, and the page itself to a form without one.
func TestOverrideAnswersAPerson(t *testing.T) {
	f := &fake{status: incident("writable", "ok")}
	h := NewHandler(settings(f))
	w := send(h, "state=down&for=1m&by=Ada", "Accept", "text/plain")
	if want := "The store is taken to be down until " + f.status.Now.Add(time.Minute).UTC().Format("2006-01-02 15:04:05 UTC") + ", set by Ada.\n"; w.Code != 200 || w.Body.String() != want {
		t.Errorf("%d %q, want %q", w.Code, w.Body, want)
	}
	w = send(h, "state=off", "Accept", "text/html,*/*;q=0.8")
	if w.Code != 303 || w.Header().Get("Location") != "/" || !strings.Contains(w.Body.String(), "No override is in force") {
		t.Errorf("%d %v %q", w.Code, w.Header(), w.Body)
	}
}

func TestOverrideIsGuarded(t *testing.T) {
	f := &fake{status: incident("writable", "ok")}
	s := settings(f)
	s.Token = "s3cret"
	h := NewHandler(s)
	for _, c := range []struct {
		head []string
		code int
	}{
		{nil, 401},
		{[]string{"Authorization", "Bearer other"}, 401},
		{[]string{"Authorization", "Bearer s3cret", "Sec-Fetch-Site", "cross-site"}, 403},
		{[]string{"Authorization", "Bearer s3cret", "Origin", "http://evil.example"}, 403},
		{[]string{"Authorization", "Bearer s3cret", "Origin", "null"}, 403},
	} {
		if w := send(h, "state=down&for=1m", c.head...); w.Code != c.code || len(f.asked) > 0 {
			t.Errorf("%v: %d, want %d; %+v", c.head, w.Code, c.code, f.asked)
		}
	}
	if w := send(h, "state=down&for=1m", "Authorization", "Bearer s3cret", "Sec-Fetch-Site", "same-origin"); w.Code != 200 {
		t.Errorf("with the token, from the page: %d", w.Code)
	}
	// Where the address is no secure one, a browser tells where a form comes from by Origin alone, unless the page keeps it in.
	w := ask(h, "GET", "/", "Authorization", "Bearer s3cret")
	if policy := w.Header().Get("Referrer-Policy"); policy != "same-origin" {
		t.Errorf("Referrer-Policy: %q", policy)
	}
	if w := send(h, "state=down&for=1m", "Authorization", "Bearer s3cret", "Origin", "http://localhost:9901"); w.Code != 200 {
		t.Errorf("by the page's own form: %d", w.Code)
	}
}

func TestPeer(t *testing.T) {
	r := httptest.NewRequest("POST", "/", nil)
	for addr, want := range map[string]string{"10.1.2.3:5": "admin page at 10.1.2.3", "[::1]:5": "admin page at ::1", "@": "admin page at an unknown address"} {
		if r.RemoteAddr = addr; peer(r) != want {
			t.Errorf("%s: %q, want %q", addr, peer(r), want)
		}
	}
	r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, net.Addr(&net.UnixAddr{Name: "a.sock", Net: "unix"})))
	if got := peer(r); got != "unix socket" {
		t.Errorf("over a Unix socket: %q", got)
	}
}

func FuzzOverride(f *testing.F) {
	f.Add("state=down&for=10m&by=Ada")
	f.Add("state=off&by=%E2%80%AE%FF")
	f.Add("state=down&for=1h&for=2h&x=%00")
	f.Fuzz(func(t *testing.T, body string) {
		form, err := url.ParseQuery(body)
		if err != nil {
			return
		}
		o, mistakes := overrideOf(form)
		for _, m := range mistakes {
			if strings.ContainsFunc(m, unicode.IsControl) || !utf8.ValidString(m) {
				t.Errorf("%q", m)
			}
		}
		if utf8.RuneCountInString(o.By) > 80 || !utf8.ValidString(o.By) || strings.ContainsFunc(o.By, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("by %q", o.By)
		}
		if len(mistakes) > 0 {
			return
		}
		if !slices.Contains(OverrideWords(), o.State) {
			t.Errorf("state %q", o.State)
		}
		if off := o.State == OverrideOff; off && o.For != 0 || !off && (o.For < LeastOverride || o.For > MostOverride) {
			t.Errorf("%s for %v", o.State, o.For)
		}
	})
}
