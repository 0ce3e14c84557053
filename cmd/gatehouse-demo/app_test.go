package main

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// openApp serves the app over a store, to a browser that follows no redirects.
func openApp(t *testing.T) (*Store, *browser) {
	t.Helper()
	s := openStore(t)
	sessions := OpenSessions(s.Addr())
	t.Cleanup(func() { sessions.Close() })
	server := httptest.NewServer(NewApp("app-1", sessions).Handler())
	t.Cleanup(server.Close)
	return s, newBrowser(t, server.URL)
}

// browser is a client with cookies.
type browser struct {
	t    *testing.T
	base string
	http *http.Client
}

func newBrowser(t *testing.T, base string) *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &browser{t, base, &http.Client{Jar: jar, Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// ask sends a form where there is one, and returns the answer and its body.
func (b *browser) ask(method, path string, form url.Values) (*http.Response, string) {
	b.t.Helper()
	req, err := http.NewRequest(method, b.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := b.http.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return resp, string(body)
}

func (b *browser) signIn() {
	b.t.Helper()
	resp, _ := b.ask("POST", "/login", url.Values{"name": {"Ada"}, "password": {demoPassword}})
	if resp.StatusCode != http.StatusSeeOther || b.session() == "" {
		b.t.Fatalf("signing in: %s, session %q", resp.Status, b.session())
	}
}

func (b *browser) session() string {
	at, err := url.Parse(b.base)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, c := range b.http.Jar.Cookies(at) {
		if c.Name == cookieName {
			return c.Value
		}
	}
	return ""
}

func TestAppSignsInReadsWritesAndSignsOut(t *testing.T) {
	s, b := openApp(t)
	if resp, _ := b.ask("GET", "/members", nil); resp.StatusCode != 303 || resp.Header.Get("Location") != "/login" {
		t.Errorf("members, signed out: %s to %q; want 303 to /login", resp.Status, resp.Header.Get("Location"))
	}
	resp, body := b.ask("POST", "/login", url.Values{"name": {`<b>"Ada"`}, "password": {"wrong"}})
	if resp.StatusCode != 422 || !strings.Contains(body, "That did not work") || strings.Contains(body, "<b>\"Ada") {
		t.Errorf("a wrong password: %s\n%s", resp.Status, body)
	}
	b.signIn()
	id := b.session()
	if !s.Holds(sessionKey(id)) {
		t.Error("the store has no session")
	}
	if resp, body := b.ask("GET", "/members", nil); resp.StatusCode != 200 || !strings.Contains(body, "Ahoy, Ada") {
		t.Errorf("members, signed in: %s", resp.Status)
	}
	if resp, _ := b.ask("POST", "/notes", url.Values{"text": {"<script>tide"}}); resp.StatusCode != 303 {
		t.Errorf("a note: %s", resp.Status)
	}
	if _, body := b.ask("GET", "/notes", nil); !strings.Contains(body, "&lt;script&gt;tide") {
		t.Error("the note is not shown, or not as text")
	}
	if resp, _ := b.ask("POST", "/notes", url.Values{"text": {" "}}); resp.StatusCode != 422 {
		t.Errorf("an empty note: %s", resp.Status)
	}
	if resp, _ := b.ask("POST", "/logout", url.Values{}); resp.StatusCode != 303 || b.session() != "" || s.Holds(sessionKey(id)) {
		t.Errorf("signing out: %s, cookie %q, kept %v", resp.Status, b.session(), s.Holds(sessionKey(id)))
	}
}

func TestAppCookieIsSafe(t *testing.T) {
	_, b := openApp(t)
	resp, _ := b.ask("POST", "/login", url.Values{"name": {"Ada"}, "password": {demoPassword}})
	for _, c := range resp.Cookies() {
		if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.MaxAge != 3600 {
			t.Errorf("cookie %s", c.Raw)
		}
	}
	req, _ := http.NewRequest("POST", b.base+"/login", strings.NewReader("name=Ada&password=demo"))
	req.Header.Set("Sec-Fetch-Site", "cross-site")
	cross, err := b.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	cross.Body.Close()
	if cross.StatusCode != http.StatusForbidden {
		t.Errorf("a form of another site: %s; want 403", cross.Status)
	}
}

// TestAppUnderEachFault fixes what the app does by itself: that is what Gatehouse is there for.
func TestAppUnderEachFault(t *testing.T) {
	for _, tt := range []struct {
		fault          Fault
		login, members int // statuses
		notes          int
		signedOut      bool // by the last of them that failed
	}{
		{Well, 303, 200, 303, false},
		{ReadOnly, 500, 200, 500, true},
		{Full, 500, 200, 500, true},
		{Slow, 303, 200, 303, false},
		{Away, 500, 500, 500, true},
		{Empty, 303, 303, 303, true},
		{Hung, 500, 500, 500, true},
	} {
		t.Run(string(tt.fault), func(t *testing.T) {
			t.Parallel()
			s, b := openApp(t)
			b.signIn()
			id := b.session()
			set(t, s, tt.fault)
			for _, path := range []string{"/", "/login", "/assets/harbour.css", "/healthz"} {
				begun := time.Now()
				if resp, _ := b.ask("GET", path, nil); resp.StatusCode != 200 || resp.Header.Get("X-Backend") != "app-1" {
					t.Errorf("%s: %s; it needs no store", path, resp.Status)
				}
				if took := time.Since(begun); took > time.Second {
					t.Errorf("%s took %v; it needs no store", path, took)
				}
			}
			if resp, _ := b.ask("GET", "/members", nil); resp.StatusCode != tt.members {
				t.Errorf("members: %s; want %d", resp.Status, tt.members)
			}
			resp, _ := b.ask("POST", "/notes", url.Values{"text": {"ebb"}})
			if resp.StatusCode != tt.notes && (tt.members == 200 || resp.StatusCode != 303) { // once signed out, it is 303 to /login
				t.Errorf("notes: %s; want %d", resp.Status, tt.notes)
			}
			if out := b.session() == ""; out != tt.signedOut {
				t.Errorf("signed out: %v; want %v", out, tt.signedOut)
			}
			if kept := s.Holds(sessionKey(id)); kept == (tt.fault == Empty) {
				t.Errorf("the store has the session: %v", kept)
			}
			other := newBrowser(t, b.base)
			if resp, _ := other.ask("POST", "/login", url.Values{"name": {"Bo"}, "password": {demoPassword}}); resp.StatusCode != tt.login {
				t.Errorf("login: %s; want %d", resp.Status, tt.login)
			}
			set(t, s, Well)
			if resp, _ := b.ask("POST", "/logout", url.Values{}); resp.StatusCode != 303 {
				t.Errorf("logout: %s", resp.Status)
			}
		})
	}
}
