package test

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// soon is how long after the directory's return a certificate may be missing, and some more on a machine that is busy.
const soon = 60*time.Second + 15*time.Second

// TestACME has certificates issued by a real directory, by either challenge, keeps them through a restart without asking again,
// and has a reload add a domain.
func TestACME(t *testing.T) {
	t.Parallel()
	for _, challenge := range []string{"http-01", "tls-alpn-01", ""} {
		t.Run("by "+challenge, func(t *testing.T) {
			t.Parallel()
			backend, _ := saying(t, "well")
			open, secret, keep := loopback(t), loopback(t), folder(t)
			d := newDirectory(t, open, secret, 90*24*time.Hour)
			d.come()
			more := ""
			if challenge != "" {
				more = ", challenges: [" + challenge + "]"
			}
			plain := ""
			if challenge != "tls-alpn-01" {
				plain = fmt.Sprintf("\n  - {address: %q, redirect: https}", open)
			}
			file := func(domains string) string {
				return fmt.Sprintf(`
listen:%s
  - {address: %q, tls: {domains: [%s]}}
admin: {address: "127.0.0.1:0"}
%spools: {app: {backends: [%q]}}
routes: [{name: all, pool: app}]
`, plain, secret, domains, d.file(keep, more), backend.URL)
			}
			g := startGatehouse(t, file(visited+", www."+visited))
			for _, name := range []string{visited, "www." + visited} {
				if c := d.issued(secret, name, soon); c.VerifyHostname(name) != nil {
					t.Errorf("for %s a certificate of %v is served", name, c.DNSNames)
				}
			}
			f := tlsFront(t, secret, 2, &tls.Config{RootCAs: d.roots, ServerName: visited})
			if res, body := f.ask(t, "GET", "/", nil); res.StatusCode != 200 || body != "well" {
				t.Errorf("%d %q", res.StatusCode, body)
			}
			if challenge != "tls-alpn-01" { // what is no challenge of ours is nobody's
				res, _ := plainFront(t, open).ask(t, "GET", "/.well-known/acme-challenge/unknown", nil)
				if res.StatusCode == 200 {
					t.Error("a challenge that nobody set was answered")
				}
			}
			first, asked := d.serves(secret, visited), d.ordered()
			if first == nil {
				t.Fatal("the certificate is gone")
			}

			g.stop()
			d.leave()
			again := startGatehouse(t, file(visited+", www."+visited))
			if c := d.issued(secret, visited, patience); !c.Equal(first) {
				t.Error("after a restart another certificate is served")
			}
			d.come()
			again.write(file(visited + ", www." + visited + ", new." + visited))
			again.reload(t)
			d.issued(secret, "new."+visited, soon)
			if n := d.ordered(); n != asked+1 {
				t.Errorf("one more domain took %d orders", n-asked)
			}
			if c := d.serves(secret, visited); c == nil || !c.Equal(first) {
				t.Error("a domain that was added changed another's certificate")
			}
		})
	}
}

// TestACMEAway: a directory that is away when a certificate is due is nobody's outage: the site is served, the page too, and the
// certificate is renewed soon after the directory's return.
func TestACMEAway(t *testing.T) {
	t.Parallel()
	store := startRedis(t)
	a := startApp(t, store.address(), ordinary)
	open, secret := loopback(t), loopback(t)
	const valid, away = 40 * time.Second, 28 * time.Second
	d := newDirectory(t, open, secret, valid)
	d.come()
	text := site{backend: a.URL, store: store.address(), top: d.file(folder(t), "")}.text()
	g := startGatehouse(t, strings.Replace(text, `[{address: "127.0.0.1:0"}]`,
		fmt.Sprintf("[{address: %q}, {address: %q, tls: {domains: [%s]}}]", open, secret, visited), 1))
	first := d.issued(secret, visited, soon)
	d.leave()
	f := tlsFront(t, secret, 2, &tls.Config{RootCAs: d.roots, ServerName: visited})
	v := arrive(f.url, f.client.Transport.(*http.Transport), 1)
	eventually(t, patience, "somebody signs in while the directory is away", func() bool { return v.signIn().ok() && v.jar["sid"] != "" })
	store.do("REPLICAOF", "127.0.0.1", "9")
	eventually(t, patience, "the store is read-only", func() bool { return g.storeState(t) == "read-only" })
	for time.Until(first.NotBefore.Add(away)) > 0 { // it is due by now: two thirds of its time are over
		if r := v.get("/members"); !r.ok() {
			t.Fatalf("a member while the directory is away: %v", r)
		}
		if r := v.bare().get("/login"); r.status != 503 || r.outcome != "degraded" {
			t.Fatalf("the page while the directory is away: %v", r)
		}
		f.client.CloseIdleConnections() // a new handshake each time
		time.Sleep(500 * time.Millisecond)
	}
	d.come()
	eventually(t, soon, "the certificate is renewed", func() bool {
		c := d.serves(secret, visited)
		return c != nil && !c.Equal(first)
	})
}

// TestACMEAwayAtFirst: without a directory the plain listeners serve, and it is said what is missing; it is caught up on when the
// directory comes.
func TestACMEAwayAtFirst(t *testing.T) {
	t.Parallel()
	backend, _ := saying(t, "well")
	open, secret := loopback(t), loopback(t)
	ca := newAuthority(t, "ca")
	ca.certificate(t, "file", "file.example")
	d := newDirectory(t, open, secret, 90*24*time.Hour)
	g := startGatehouse(t, fmt.Sprintf(`
listen:
  - {address: %q}
  - {address: %q, tls: {domains: [%s], certificates: [{%s}]}}
admin: {address: "127.0.0.1:0"}
%spools: {app: {backends: [%q]}}
routes: [{name: all, pool: app}]
`, open, secret, visited, ca.files("file"), d.file(folder(t), ""), backend.URL))
	if res, body := plainFront(t, open).ask(t, "GET", "/", nil); res.StatusCode != 200 || body != "well" {
		t.Errorf("the plain listener: %d %q", res.StatusCode, body)
	}
	if res, err := client.Get(g.admin + "/readyz"); err != nil || res.StatusCode != 200 {
		t.Errorf("/readyz: %v %v", res, err)
	}
	if c, err := handshake(secret, ca.believed("file.example")); err != nil {
		t.Errorf("a certificate that is there is not served beside one that is missing: %v %v", c, err)
	}
	if c := d.serves(secret, visited); c != nil {
		t.Errorf("somebody issued a certificate: %v", c.Issuer)
	}
	eventually(t, soon, "the log says which name has no certificate", func() bool {
		for line := range strings.Lines(g.log()) {
			if strings.Contains(line, visited) && (strings.Contains(line, `"level":"WARN"`) || strings.Contains(line, `"level":"ERROR"`)) {
				return true
			}
		}
		return false
	})
	if s := get(t, g.admin+"/status"); !strings.Contains(s, visited) {
		t.Errorf("/status does not say that %s has no certificate: %s", visited, s)
	}
	d.come()
	d.issued(secret, visited, soon)
}

// TestACMEShared: of two Gatehouses that keep their certificates in one Redis one asks, whichever answers the challenge, and both
// serve what was issued; so does one that comes later, when there is no directory any more.
func TestACMEShared(t *testing.T) {
	t.Parallel()
	backend, _ := saying(t, "well")
	keep := startRedis(t)
	open, secret := loopback(t), loopback(t)
	d := newDirectory(t, open, secret, 90*24*time.Hour)
	d.come()
	start := func(open, secret string) {
		t.Helper()
		startGatehouse(t, fmt.Sprintf(`
listen: [{address: %q}, {address: %q, tls: {domains: [%s]}}]
admin: {address: "127.0.0.1:0"}
%spools: {app: {backends: [%q]}}
routes: [{name: all, pool: app}]
`, open, secret, visited, d.file(fmt.Sprintf("redis: {address: %q}", keep.address()), ""), backend.URL))
	}
	others := loopback(t) // the directory never comes here
	start(loopback(t), others)
	start(open, secret)
	first := d.issued(secret, visited, soon)
	if c := d.issued(others, visited, soon); !c.Equal(first) {
		t.Error("two that share certificates serve different ones")
	}
	if n := d.ordered(); n != 1 {
		t.Errorf("%d orders for one certificate", n)
	}
	d.leave()
	late := loopback(t)
	start(loopback(t), late)
	if c := d.issued(late, visited, patience); !c.Equal(first) {
		t.Error("who comes later serves another certificate")
	}
}
