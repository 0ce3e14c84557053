package test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// spellings are paths that some server takes for /login, and others that look as if one might.
var spellings = []string{
	"/login", "/login/", "/LOGIN", "/Login/", "//login", "///login", "/./login", "/x/../login", "/%2e%2e/login", "/a/..%2flogin", "/a%2f..%2flogin", "/%2flogin",
	`/\login`, "/login;x=y", "/x/..;/login", "/;/login", "/login%00", "/login%0a", "/login%20", "/login.", "/login.json", "/%252e%252e/login", "/%6cogin",
	"/log%69n/x", "/login//", "/login/.", "/login/x/..", "/login%2f", "/login%5c", `/login\`, "/Login%2F", "/login%3bx", "/%256cogin", "/%5clogin", "/%5CLOGIN",
	"/%255clogin", "/x%5c..%5clogin", `/x\..\login`, "/x/..%3b/login", "/x/..%253b/login", "/x/..;a=b%2f/login", `/x/..;\login`, "/login%20.%20",
	"/login.%20/", "/..%20/login", "/.../login", "/x/../LOGIN.", "/a//../login", "/a/..//login", "/%2e/login", "/%2e%2f/login", "/a%252f..%252flogin",
	"/a%252fb/../login", "/login%2500", "/login%2500.png", "/login%250a", "/%25252flogin", "/log\xc4\xb1n", "/log%c4%b1n", "/%4c%4fGIN", "/login/..;/x",
	"/assets/../login", "/assets/..%2flogin", "/assets/..%5clogin", "/assets/%2e%2e/login", "/assets/x/../../login", "/login%3fx", "/loginx", "/x", "/login/x/../",
	"http://HOST/login", "http://HOST//login", "http://HOST/LOGIN", "/%2F%2Flogin", "/login/%2e%2e/login", "/login/%2e", "/l%6Fgin%2F", "/%6C%6F%67%69%6E",
	"/%c0%afogin", "/%c1%9clogin", "/%e0%80%aflogin", "/login%c0%80", "/login%7f", "/login%09", "/login|", "/login^", "/login\"", "/lo%0dgin", "/login%23", "/login%26",
	"/.;/login", "/..;/..;/login", "/x;/../login", "/%3b/login", "/login;", "/login;/", "/login/;x", "/login%3B%2F", "/login..", "/login./", "/login...", "/.//login", "//./login",
	"/x/%2e%2e%2flogin", "/x%2f%2e%2e%2flogin", "/%2e%2e%2f%2e%2e%2flogin", "/x/..//./login", "/x/y/../../login", "/x/y/..%2f..%2flogin", "/\xff/../login",
}

// spell puts n more together out of pieces; the same for the same seed.
func spell(seed uint64, n int) (all []string) {
	rnd := rand.New(rand.NewPCG(seed, 28))
	pieces := []string{"/", "/", "/", "login", "login", "login", "LoGiN", "assets", "x", ".", "..", "..", ";", ";x", `\`, "//", "%20", "%2f", "%2F", "%5c", "%2e", "%2e%2e",
		"%3b", "%252f", "%252e", "%255c", "%2500", "%25", "%6c", "%256c", "%4C", "log", "in"}
	for range n {
		path := "/"
		for range 1 + rnd.IntN(6) {
			path += pieces[rnd.IntN(len(pieces))]
		}
		all = append(all, path)
	}
	return all
}

// caller keeps a connection and asks one thing after the other on it, byte for byte as it is told.
type caller struct {
	address string
	conn    net.Conn // nil: there is none
	br      *bufio.Reader
}

// ask asks for a target and returns the status. Where the connection ended instead, that is 0.
func (c *caller) ask(method, target, host string, serial int) int {
	for range 2 { // a kept connection may be over
		if c.conn == nil {
			conn, err := net.DialTimeout("tcp", c.address, patience)
			if err != nil {
				return 0
			}
			c.conn, c.br = conn, bufio.NewReader(conn)
		}
		_ = c.conn.SetDeadline(time.Now().Add(patience))
		_, err := fmt.Fprintf(c.conn, "%s %s?%s HTTP/1.1\r\nHost: %s\r\nUser-Agent: %s\r\nContent-Length: 0\r\n\r\n", method, strings.Replace(target, "HOST", host, 1), nonce(serial), host, nonce(serial))
		if err == nil {
			var res *http.Response
			if res, err = http.ReadResponse(c.br, &http.Request{Method: method}); err == nil {
				_, err = io.Copy(io.Discard, res.Body)
				if res.Close || err != nil {
					c.hangUp()
				}
				return res.StatusCode
			}
		}
		c.hangUp()
	}
	return 0
}

func (c *caller) hangUp() {
	if c.conn != nil {
		_ = c.conn.Close()
		c.conn = nil
	}
}

// place is one address of a reader, under a host of its own.
type place struct {
	*peer
	host  string
	exact bool
	at    string
	first int // the first of its numbers
}

// The phases in which everything is asked, a thousand numbers each.
const (
	directly = iota // of the server itself
	writable        // through Gatehouse
	readOnly        // and while nobody can sign in
	marks           // and what is asked last of all, so that it is known that the log is whole
	phases
	perPhase = 1000
)

// TestNoSpellingOfTheSignInPageComesUncounted asks servers that read paths each in their own way for /login in every spelling. What one
// of them takes for its sign-in page must have been treated as a sign-in by Gatehouse; while nobody can sign in, nothing reaches it.
func TestNoSpellingOfTheSignInPageComesUncounted(t *testing.T) {
	store := startRedis(t)
	var places []*place
	var pools, routes strings.Builder
	for _, r := range readers {
		p := r.launch(t, "")
		for i, at := range []string{p.address, p.second}[:max(1, r.ports)] {
			host := fmt.Sprintf("%s-%d", r.name, i)
			places = append(places, &place{peer: p, host: host, exact: r.exact || host == "haproxy-0", at: at, first: (len(places) + 1) * phases * perPhase})
			fmt.Fprintf(&pools, "  %s: {backends: [\"http://%s\"], eject: off}\n", host, at)
			fmt.Fprintf(&routes, "  - {name: sign-in-%[1]s, match: {host: %[1]s, path: /login}, pool: %[1]s, needs: write, restart: /login}\n"+
				"  - {name: assets-%[1]s, match: {host: %[1]s, path: \"/assets/*\"}, pool: %[1]s, needs: none}\n"+
				"  - {name: app-%[1]s, match: {host: %[1]s}, pool: %[1]s, needs: none}\n", host)
		}
	}
	g := startGatehouse(t, fmt.Sprintf(`
listen: [{address: "127.0.0.1:0"}]
admin: {address: "127.0.0.1:0"}
session: {cookies: [sid], store: {redis: {address: %q}}}
pools:
%sroutes:
%sdegrade: {rate: {per_client: 1000/s, burst: 1000, per_address: 5000/s}}
`, store.address(), pools.String(), routes.String()))
	paths := append(spellings, spell(seed, 120)...)
	askAll := func(phase int, through string) {
		method := "GET"
		if phase == readOnly {
			method = "POST"
		}
		for _, p := range places {
			c := &caller{address: through}
			if through == "" {
				c.address = p.at
			}
			for i, path := range paths {
				c.ask(method, path, p.host, p.first+phase*perPhase+i)
			}
			c.hangUp()
		}
	}
	askAll(directly, "")
	front := strings.TrimPrefix(g.url, "http://")
	askAll(writable, front)
	store.do("REPLICAOF", "127.0.0.1", "9")
	eventually(t, patience, "nobody can sign in", func() bool { return g.storeState(t) == "read-only" })
	askAll(readOnly, front)
	for _, p := range places {
		c := &caller{address: front}
		if status := c.ask("GET", "/x", p.host, p.first+marks*perPhase); status == 0 || status >= 500 {
			t.Errorf("%s: a page that needs no store: %d", p.host, status)
		}
		c.hangUp()
	}
	signIns := g.signInsAsked(t, places[len(places)-1].first+marks*perPhase)
	for _, p := range places {
		p.judge(t, paths, signIns)
	}
}

// judge looks at what reached the sign-in page of a server.
func (p *place) judge(t *testing.T, paths []string, signIns map[int]bool) {
	t.Helper()
	other, through, shut := 0, 0, 0
	for _, s := range p.awaits(t, p.first+marks*perPhase) {
		number := s.serial - p.first
		if number < 0 || number >= marks*perPhase {
			continue
		}
		phase, path := number/perPhase, paths[number%perPhase]
		handled := strings.HasPrefix(s.line, "login ")
		asked := strings.TrimPrefix(path, "http://HOST")
		switch plain := asked == "/login" || strings.HasPrefix(asked, "/login/"); {
		case phase == readOnly && !handled:
			shut++
		case !handled:
		case phase == directly && !plain:
			other++
		case phase == writable && !signIns[s.serial]:
			t.Errorf("%s: %q reached the sign-in page on another route: %s", p.host, path, s.line)
		case phase == writable:
			through++
		case phase == readOnly:
			t.Errorf("%s: %q reached the sign-in page while nobody can sign in: %s", p.host, path, s.line)
		}
	}
	t.Logf("%s: its sign-in page has %d other spellings of %d; %d came through as sign-ins; %d went elsewhere while nobody could sign in", p.host, other, len(paths), through, shut)
	if (other == 0) != p.exact || through == 0 || shut == 0 {
		t.Errorf("%s: this proves nothing", p.host)
	}
}

// signInsAsked is which numbered requests took a sign-in route, once the program has told of that one.
func (g *gatehouse) signInsAsked(t *testing.T, last int) map[int]bool {
	t.Helper()
	asked := map[int]bool{}
	eventually(t, patience, "the last request is in the log", func() bool {
		lines := g.accessLines()
		if !strings.Contains(lines[len(lines)-1], nonce(last)) {
			return false
		}
		for _, line := range lines {
			var e struct {
				Route string
				Agent string `json:"user_agent"`
			}
			if err := json.Unmarshal([]byte(line), &e); err != nil {
				t.Fatalf("%v: %s", err, line)
			}
			if strings.HasPrefix(e.Route, "sign-in-") {
				asked[serialIn(e.Agent)] = true
			}
		}
		return true
	})
	return asked
}
