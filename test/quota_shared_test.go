package test

import (
	"fmt"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"text/tabwriter"
	"time"
)

// quotaBurst is what one address may do at once by the quotas of these tests; a second gives it one more.
const quotaBurst = 20

// counting are two Gatehouses before one app that count together in a store of their own.
type counting struct {
	t     *testing.T
	store *redisServer
	gates [2]*gatehouse
	who   int // the last address that came
	table *tabwriter.Writer
	text  strings.Builder
}

func startCounting(t *testing.T, shared bool) *counting {
	t.Helper()
	c := &counting{t: t, store: startRedis(t)}
	c.table = tabwriter.NewWriter(&c.text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(c.table, "\nthe quota store\tsign-ins that passed\tpages that passed\tslowest\tstand-ins")
	app := startBackends(t, 1)[0]
	text := site{backend: app.URL, signIn: "quotas: [sign-in]", routes: `- {name: pages, match: {path: /page}, pool: app, quotas: [pages]}
- {name: trial, match: {path: /trial}, pool: app, quotas: [trial]}`, top: fmt.Sprintf(`%s
quota_store: {redis: {address: %q}, timeout: 200ms, stand_in: 0.50}
quotas:
  sign-in: {key: client_ip, rate: 60/m, burst: 20, shared: %v}
  pages: {key: client_ip, rate: 60/m, burst: 20, shared: %v}
  trial: {key: client_ip, rate: 60/m, burst: 20, shared: %v, dry_run: true}`, crowd, c.store.address(), shared, shared, shared)}.text()
	for i := range c.gates {
		c.gates[i] = startGatehouse(t, text)
		c.knows("1")
	}
	return c
}

// knows waits until the Gatehouses that run know whether the store is up.
func (c *counting) knows(up string) {
	c.t.Helper()
	for _, g := range c.gates {
		if g != nil {
			eventually(c.t, patience, "gatehouse_quota_store_up is "+up, func() bool {
				return strings.Contains(get(c.t, g.admin+"/metrics"), "\ngatehouse_quota_store_up "+up+"\n")
			})
		}
	}
}

// spend has a new address ask three times what its quota allows, of both Gatehouses in turns, and returns what each let pass, and how
// long the slowest answer and all of it took. Whatever does not pass must be a 429.
func (c *counting) spend(method, path string) (passed [2]int, slowest, took time.Duration) {
	c.t.Helper()
	c.who++
	roads := roads()
	defer roads.CloseIdleConnections()
	began := time.Now()
	for n := range 3 * quotaBurst {
		v := arrive(c.gates[n%2].url, roads, c.who)
		var form url.Values
		if method == "POST" {
			form = named
		}
		r := v.ask(method, path, form)
		slowest = max(slowest, r.took)
		switch {
		case r.ok():
			passed[n%2]++
		case r.status != 429:
			c.t.Errorf("%s %s: %v; want it served, or a 429", method, path, r)
		}
	}
	return passed, slowest, time.Since(began)
}

// round spends on sign-ins and on pages, and says how much of each passed beyond what the time that it took gives at most.
func (c *counting) round(what string) (signIns, pages [2]int, more int) {
	c.t.Helper()
	signIns, slow, took := c.spend("POST", "/login")
	pages, slower, longer := c.spend("GET", "/page")
	standIns := 0.0
	for _, g := range c.gates {
		standIns += g.metric(c.t, "gatehouse_quota_stand_ins_total")
	}
	fmt.Fprintf(c.table, "%s\t%v\t%v\t%v\t%.0f\n", what, signIns, pages, max(slow, slower).Round(time.Millisecond), standIns)
	if slower := max(slow, slower); slower > 2*time.Second {
		c.t.Errorf("the quota store %s: an answer took %v", what, slower)
	}
	return signIns, pages, 2 + int(2*max(took, longer).Seconds())
}

func about(got, want, more int) bool { return got >= want && got <= want+more }

// TestQuotasAreShared: two Gatehouses allow together what the quota says, once. While their store hangs, is gone or refuses writes
// nobody waits for it and nobody gets an error; each counts for itself, sign-ins more strictly, and all is counted together again when
// it is back. Where the quota is not shared, two Gatehouses are seen to allow it twice.
func TestQuotasAreShared(t *testing.T) {
	t.Parallel()
	c := startCounting(t, true)
	defer func() {
		_ = c.table.Flush()
		t.Log(c.text.String())
	}()
	once := func(what string) {
		t.Helper()
		signIns, pages, more := c.round(what)
		for kind, got := range map[string][2]int{"sign-ins": signIns, "pages": pages} {
			if !about(got[0]+got[1], quotaBurst, more) {
				t.Errorf("the store is up: %v %s passed; want %d together, and %d more at most", got, kind, quotaBurst, more)
			}
		}
	}
	once("is up")
	for _, fault := range []struct {
		what       string
		begin, end func()
	}{
		{"hangs", func() { c.store.signal(syscall.SIGSTOP) }, func() { c.store.signal(syscall.SIGCONT) }},
		{"is gone", c.store.kill, c.store.start},
		{"is read-only", func() { c.store.do("REPLICAOF", "127.0.0.1", "9") }, func() { c.store.do("REPLICAOF", "NO", "ONE") }},
	} {
		fault.begin()
		signIns, pages, more := c.round(fault.what)
		for i := range c.gates {
			if !about(signIns[i], quotaBurst/2-1, more) {
				t.Errorf("the store %s: %v sign-ins passed; want half a quota at each, which is stricter", fault.what, signIns)
			}
			if !about(pages[i], quotaBurst, more) {
				t.Errorf("the store %s: %v pages passed; want the whole quota at each", fault.what, pages)
			}
		}
		c.knows("0")
		fault.end()
		c.knows("1")
		once("is back")
	}
	for i, g := range c.gates {
		if g.metric(t, "gatehouse_quota_stand_ins_total") == 0 || g.metric(t, `gatehouse_quota_total{quota="sign-in",result="refused"}`) == 0 {
			t.Errorf("the metrics of Gatehouse %d say nothing of stand-ins, or of refusals", i)
		}
	}

	passed, _, _ := c.spend("GET", "/trial")
	would := 0.0
	for _, g := range c.gates {
		would += g.metric(t, `gatehouse_quota_total{quota="trial",result="would_refuse"}`)
	}
	if passed[0]+passed[1] != 3*quotaBurst || would < quotaBurst {
		t.Errorf("dry_run: %v of %d passed, %.0f would have been refused; want all, and most of those beyond %d", passed, 3*quotaBurst, would, quotaBurst)
	}

	alone := startCounting(t, false)
	if got, _, took := alone.spend("GET", "/page"); got[0]+got[1] < 2*quotaBurst {
		t.Errorf("not shared: %v passed within %v; want the quota twice, or this proves nothing", got, took)
	}
}
