package test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestThePageByEveryWay: what Gatehouse says itself, and what it keeps a backend from saying, does not depend on the protocols.
func TestThePageByEveryWay(t *testing.T) {
	t.Parallel()
	store := startRedis(t)
	x := startCrossing(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		switch {
		case strings.HasSuffix(r.URL.Path, "/drop"):
			dropCookie(w, "sid")
			fmt.Fprint(w, "bye")
		case strings.HasSuffix(r.URL.Path, "/fail"):
			failed(w)
		}
	}), store.address(), "")
	ways := func(see func(t *testing.T, f *front, kind string)) {
		for _, f := range x.fronts {
			for kind := range x.backends {
				t.Run(f.name+" to "+kind, func(t *testing.T) { see(t, f, kind) })
			}
		}
	}
	eventually(t, patience, "the store is writable", func() bool { return x.storeState(t) == "writable" })
	ways(func(t *testing.T, f *front, kind string) {
		if res, body := f.ask(t, "GET", "/"+kind+"/drop", nil); body != "bye" || len(res.Cookies()) != 1 || res.Cookies()[0].MaxAge >= 0 {
			t.Errorf("while all is well the app signs out as it likes: %q %v", body, res.Cookies())
		}
		if res, _ := f.ask(t, "GET", "/"+kind+"/fail", nil); res.StatusCode != 500 || res.Header.Get("Gatehouse-Outcome") != "" {
			t.Errorf("an error of the app's own: %d %v", res.StatusCode, res.Header)
		}
	})
	store.do("REPLICAOF", "127.0.0.1", "9")
	eventually(t, patience, "the store is read-only", func() bool { return x.storeState(t) == "read-only" })
	ways(func(t *testing.T, f *front, kind string) {
		for _, method := range []string{"GET", "POST", "HEAD"} {
			var form io.Reader
			if method == "POST" {
				form = strings.NewReader(strings.Repeat("name=ada&", 10_000))
			}
			res, body := f.ask(t, method, "/"+kind+"/login", form, "Accept: text/html")
			h := res.Header
			if res.StatusCode != 503 || h.Get("Gatehouse-Outcome") != "degraded; reason=read_only" || h.Get("Retry-After") == "" ||
				h.Get("Cache-Control") != "no-store" || !strings.HasPrefix(h.Get("Content-Type"), "text/html") {
				t.Errorf("%s: %d %v", method, res.StatusCode, h)
			}
			if (method == "HEAD") != (body == "") || res.ContentLength <= 0 {
				t.Errorf("%s: a body of %d bytes, said to have %d", method, len(body), res.ContentLength)
			}
			if f.major == 2 && (h.Get("Connection") != "" || h.Get("Transfer-Encoding") != "") {
				t.Errorf("%s: fields that HTTP/2 does not have (RFC 9113 section 8.2.2): %v", method, h)
			}
		}
		if res, body := f.ask(t, "GET", "/"+kind+"/drop", nil); res.StatusCode != 200 || body != "bye" || len(res.Cookies()) > 0 {
			t.Errorf("somebody was signed out by an outage: %d %q %v", res.StatusCode, body, res.Cookies())
		}
		if res, body := f.ask(t, "GET", "/"+kind+"/fail", nil); res.StatusCode != 503 ||
			res.Header.Get("Gatehouse-Outcome") != "converted; reason=read_only" {
			t.Errorf("the app's error was not dressed: %d %v %q", res.StatusCode, res.Header, body)
		}
	})
}

// TestAJourneyOverHTTP2: somebody with a browser signs in, stays signed in through an outage, meets the page where he would sign
// in, and signs in again after it.
func TestAJourneyOverHTTP2(t *testing.T) {
	t.Parallel()
	store, ca := startRedis(t), newAuthority(t, "ca")
	ca.certificate(t, "site", visited)
	a := startApp(t, store.address(), ordinary)
	address := loopback(t)
	file := site{backend: a.URL, store: store.address(), ramp: "from: 50/s, to: 500/s, over: 1s"}.text()
	g := startGatehouse(t, strings.Replace(file, `{address: "127.0.0.1:0"}`,
		fmt.Sprintf("{address: %q, tls: {certificates: [{%s}]}}", address, ca.files("site")), 1))
	f := tlsFront(t, address, 2, ca.believed(visited))
	v := arrive(f.url, f.client.Transport.(*http.Transport), 1)
	eventually(t, patience, "he signs in", func() bool { return v.signIn().ok() && v.jar["sid"] != "" })
	session := v.jar["sid"]
	store.do("REPLICAOF", "127.0.0.1", "9")
	eventually(t, patience, "the store is read-only", func() bool { return g.storeState(t) == "read-only" })
	if r := v.get("/members"); !r.ok() || r.body != "hello ada" {
		t.Errorf("a member during the outage: %v %q", r, r.body)
	}
	if r := v.bare().signIn(); r.status != 503 || r.outcome != "degraded" || !strings.Contains(r.body, "<html") {
		t.Errorf("a sign-in during the outage: %v", r)
	}
	store.do("REPLICAOF", "NO", "ONE")
	if v.jar["sid"] != session {
		t.Error("the outage changed his session")
	}
	other := v.bare()
	eventually(t, patience, "others sign in again", func() bool { return other.signIn().ok() && other.jar["sid"] != "" })
}
