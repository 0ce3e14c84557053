package proxy

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"gatehouse/routing"
	"gatehouse/shed"
	"gatehouse/shed/session"
)

// proofs is a rig with a route that answers members alone.
func proofs(t *testing.T, serve http.HandlerFunc) *rig {
	t.Helper()
	b := newBackend(t, serve)
	p := newPool(t, "app", shed.GateSettings{}, b.URL)
	rules := []routing.Rule{
		{Name: "sign-in", Paths: []string{"/login"}}, {Name: "members", Paths: []string{"/members/*"}},
		{Name: "jobs", Paths: []string{"/jobs"}}, {Name: "app"},
	}
	r := newRig(t, rules, []*Route{
		{Pool: p, Need: shed.NeedWrite, SignIn: true},
		{Pool: p, Need: shed.NeedRead, Members: true, Guard: true, MaxAge: time.Minute},
		{Pool: p, Need: shed.NeedRead, Background: true, MaxAge: time.Minute},
		{Pool: p, Need: shed.NeedRead, MaxAge: time.Minute},
	})
	r.stay()
	return r
}

// given is the pair of a cookie that an answer sets, "name=value"; "" where it sets none of that name.
func given(a answer, name string) string {
	for _, line := range a.head.Values("Set-Cookie") {
		if pair, _, _ := strings.Cut(line, ";"); strings.HasPrefix(pair, name+"=") {
			return pair
		}
	}
	return ""
}

func TestWhatProvesASession(t *testing.T) {
	r := proofs(t, func(w http.ResponseWriter, q *http.Request) {
		switch q.URL.Path {
		case "/members/denied":
			w.WriteHeader(403)
		case "/members/away":
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(303)
		case "/members/ended":
			w.Header().Set("Set-Cookie", "sid=; Max-Age=0")
		case "/members/shared":
			w.Header().Set("Cache-Control", "Public, max-age=60")
		case "/members/grpc":
			w.Header().Set("Content-Type", "application/grpc+proto")
		case "/members/old":
			w.Header().Set("Cache-Control", "max-age=600, must-revalidate")
		case "/members/private":
			w.Header().Set("Cache-Control", "private, max-age=600")
		case "/members/rotated":
			w.Header().Set("Set-Cookie", "sid=22222222222222222222; Path=/")
		case "/login":
			switch q.Header.Get("X-Password") {
			case "elsewhere":
				w.Header().Set("Set-Cookie", "sid=55555555555555555555; Path=/")
				w.Header().Set("Location", "https://id.example/authorize")
				w.WriteHeader(302)
			case "json":
				w.Header().Set("Set-Cookie", "sid=66666666666666666666; Path=/")
				w.Header().Set("Content-Type", "application/json")
				fmt.Fprint(w, `{"ok":false}`)
			case "right":
				w.Header().Set("Set-Cookie", "sid=33333333333333333333; Path=/")
				w.Header().Set("Location", "/")
				w.WriteHeader(303)
			case "wrong":
				w.Header().Set("Set-Cookie", "sid=44444444444444444444; Path=/")
				w.Header().Set("Location", "/login")
				w.WriteHeader(303)
			}
		}
	})
	const carried, rotated, fresh = "11111111111111111111", "22222222222222222222", "33333333333333333333"
	cookie := "Cookie: sid=" + carried
	for _, c := range []struct {
		method, path string
		fields       []string
		proves       string // the session
	}{
		{"GET", "/members/home", []string{cookie}, carried},
		{"POST", "/members/note", []string{cookie}, carried},
		{"GET", "/members/rotated", []string{cookie}, rotated},
		{"GET", "/members/home", nil, ""},
		{"GET", "/members/private", []string{cookie}, carried},
		{"GET", "/members/old", []string{cookie}, ""},
		{"POST", "/members/grpc", []string{cookie}, ""},
		{"OPTIONS", "/members/home", []string{cookie}, ""},
		{"OPTIONS", "/members/home", []string{cookie, "Origin: https://a", "Access-Control-Request-Method: PUT"}, ""},
		{"PROPFIND", "/members/home", []string{cookie}, ""},
		{"GET", "/members/denied", []string{cookie}, ""},
		{"GET", "/members/away", []string{cookie}, ""},
		{"GET", "/members/ended", []string{cookie}, ""},
		{"GET", "/members/shared", []string{cookie}, ""},
		{"GET", "/anything", []string{cookie}, ""},
		{"GET", "/jobs", []string{cookie}, ""},
		{"POST", "/login", []string{"X-Password: right"}, fresh},
		{"POST", "/login", []string{"X-Password: wrong"}, ""},
		{"GET", "/login", []string{"X-Password: right"}, ""},
		{"POST", "/login", []string{"X-Password: elsewhere"}, ""},
		{"POST", "/login", []string{"X-Password: json"}, ""},
		{"GET", "/login", []string{cookie}, ""},
	} {
		a := r.ask(c.method, c.path, c.fields...)
		pair := given(a, session.ProofCookie)
		_, value, _ := strings.Cut(pair, "=")
		if c.proves == "" && pair != "" {
			t.Errorf("%s %s %v gave a proof", c.method, c.path, c.fields)
		}
		if c.proves == "" {
			continue
		}
		if good, _ := r.runtime.Seal.Proves(value, c.proves, time.Now()); !good {
			t.Errorf("%s %s %v: %d with %q; no proof of %s", c.method, c.path, c.fields, a.status, pair, c.proves)
		}
	}
}

func TestAProofIsGivenOnceAndRenewedInTime(t *testing.T) {
	r := proofs(t, say("in"))
	const id = "11111111111111111111"
	now := time.Now()
	for _, c := range []struct {
		proof string
		again bool
	}{
		{r.runtime.Seal.Proof(id, now), false},
		{r.runtime.Seal.Proof(id, now.Add(-session.ProofLife*3/4)), true},
		{r.runtime.Seal.Proof(id, now.Add(-session.ProofLife*2)), true},
		{r.runtime.Seal.Proof("another-session-of-that-length", now), true},
		{session.NewSeal().Proof(id, now), true},
	} {
		a := r.ask("GET", "/members/home", "Cookie: sid="+id+"; "+session.ProofCookie+"="+c.proof)
		if got := given(a, session.ProofCookie) != ""; got != c.again {
			t.Errorf("with %s: a proof was given: %v; want %v", c.proof, got, c.again)
		}
	}
}

func TestWhatAnAppSaysWhileItsStoreIsInDoubtProvesNothing(t *testing.T) {
	r := proofs(t, say("in"))
	r.breaks(shed.ReadOnly, shed.CauseReadOnly)
	if a := r.ask("GET", "/members/home", "Cookie: sid=11111111111111111111"); a.status != 200 || given(a, session.ProofCookie) != "" {
		t.Errorf("%d with %q", a.status, given(a, session.ProofCookie))
	}
}

func TestClasses(t *testing.T) {
	r := proofs(t, say("in"))
	const id = "11111111111111111111"
	session1 := "Cookie: sid=" + id
	proved := session1 + "; " + session.ProofCookie + "=" + r.runtime.Seal.Proof(id, time.Now())
	tossed := session1
	for i := range 3 {
		tossed += fmt.Sprintf("; %s=forged%d", session.ProofCookie, i)
	}
	tossed += strings.TrimPrefix(proved, session1)
	for i, c := range []struct {
		path, cookie string
		class        shed.Class
	}{
		{"/a", "", shed.Anonymous},
		{"/b", session1, shed.Unproved},
		{"/c", proved, shed.Member},
		{"/d", tossed, shed.Member},
		{"/e", "Cookie: sid=222222222222222; " + strings.TrimPrefix(proved, session1+"; "), shed.Unproved},
		{"/f", "Cookie: " + strings.TrimPrefix(proved, session1+"; "), shed.Anonymous},
		{"/login", "", shed.SignIn},
		{"/login", session1, shed.SignIn},
		{"/login", proved, shed.Member},
		{"/jobs", proved, shed.Background},
	} {
		agent := fmt.Sprintf("visitor-%d", i)
		fields := []string{"User-Agent: " + agent}
		if c.cookie != "" {
			fields = append(fields, c.cookie)
		}
		r.ask("GET", c.path, fields...)
		line := ""
		until(t, "the line is written", func() bool { line = r.log.with(agent); return line != "" })
		if want := fmt.Sprintf("%q:%q", "class", c.class); !strings.Contains(line, want) {
			t.Errorf("%s with %q: want %s in %s", c.path, c.cookie, want, line)
		}
	}
}

func TestOwnCookiesStayOurs(t *testing.T) {
	var seen string
	r := proofs(t, func(w http.ResponseWriter, q *http.Request) {
		seen = q.Header.Get("Cookie")
		for _, name := range []string{session.ProofCookie, "Gatehouse_Admission", session.PlaceCookie} {
			w.Header().Add("Set-Cookie", name+"=mine; Path=/")
		}
		w.Header().Add("Set-Cookie", "gatehouse_other=app; Path=/")
	})
	a := r.ask("GET", "/x", "Cookie: a=1; gatehouse_proof=x; b=2", "Cookie: gatehouse_place=y")
	if seen != "a=1; b=2" {
		t.Errorf("the app saw %q", seen)
	}
	if got := a.head.Values("Set-Cookie"); len(got) != 1 || got[0] != "gatehouse_other=app; Path=/" {
		t.Errorf("the visitor was given %q", got)
	}
	r.ask("GET", "/x", "Cookie: gatehouse_proof=x")
	if seen != "" {
		t.Errorf("the app saw %q", seen)
	}
}

// Apps that give a new id with each answer would have their members prove themselves for ever.
func TestAProvedSessionTakesItsProofAlong(t *testing.T) {
	r := proofs(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Set-Cookie", "sid=22222222222222222222; Path=/")
	})
	const id = "11111111111111111111"
	proof := session.ProofCookie + "=" + r.runtime.Seal.Proof(id, time.Now())
	_, value, _ := strings.Cut(given(r.ask("GET", "/anything", "Cookie: sid="+id+"; "+proof), session.ProofCookie), "=")
	if good, _ := r.runtime.Seal.Proves(value, "22222222222222222222", time.Now()); !good {
		t.Errorf("%q is no proof of the new session", value)
	}
	if given(r.ask("GET", "/anything", "Cookie: sid="+id), session.ProofCookie) != "" {
		t.Error("a session that nothing is known of was proved by being renewed")
	}
}
