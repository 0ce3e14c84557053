package record

import (
	"bytes"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse/shed"
)

// rows returns the series of a metric as a scrape gets them.
func rows(r *Recorder, metric string) (out []string) {
	w := httptest.NewRecorder()
	r.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for row := range bytes.Lines(w.Body.Bytes()) {
		if strings.HasPrefix(string(row), metric+"{") || strings.HasPrefix(string(row), metric+" ") {
			out = append(out, strings.TrimSpace(string(row)))
		}
	}
	return out
}

func wantRows(t *testing.T, r *Recorder, metric string, want ...string) {
	t.Helper()
	got := rows(r, metric)
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("%s: got\n%s\nwant\n%s", metric, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestSheddingIsThereFromTheStart wants every series of a named pool and quota at 0, and none of an unnamed one.
func TestSheddingIsThereFromTheStart(t *testing.T) {
	r := New(Settings{})
	for _, metric := range []string{"gatehouse_shed_total", "gatehouse_isolation_tax_total", "gatehouse_retries_total", "gatehouse_quota_total"} {
		wantRows(t, r, metric)
	}
	r.Pools([]string{"login", "app", "login"})
	r.Quotas([]string{"per-client"})
	wantRows(t, r, "gatehouse_isolation_tax_total", `gatehouse_isolation_tax_total{pool="app"} 0`, `gatehouse_isolation_tax_total{pool="login"} 0`)
	wantRows(t, r, "gatehouse_quota_total", `gatehouse_quota_total{quota="per-client",result="passed"} 0`,
		`gatehouse_quota_total{quota="per-client",result="refused"} 0`, `gatehouse_quota_total{quota="per-client",result="would_refuse"} 0`)
	wantRows(t, r, "gatehouse_retries_total", `gatehouse_retries_total{pool="app",result="no_budget"} 0`, `gatehouse_retries_total{pool="app",result="sent"} 0`,
		`gatehouse_retries_total{pool="login",result="no_budget"} 0`, `gatehouse_retries_total{pool="login",result="sent"} 0`)
	var want []string
	for _, pool := range []string{"login", "app"} {
		for _, class := range []string{"member", "sign_in", "unproved", "anonymous", "background"} {
			for _, reason := range []string{"pool_full", "queue_timeout", "displaced"} {
				want = append(want, `gatehouse_shed_total{class="`+class+`",pool="`+pool+`",reason="`+reason+`"} 0`)
			}
		}
	}
	wantRows(t, r, "gatehouse_shed_total", want...)
}

func TestSheddingCounts(t *testing.T) {
	r := New(Settings{})
	r.Pools([]string{"login"})
	r.Quotas([]string{"per-client"})
	for range 2 {
		r.Shed("login", shed.SignIn, "queue_timeout")
	}
	r.Shed("login", shed.Member, "displaced")
	r.Shed("login", shed.Anonymous, "pool_full")
	r.Shed("login", 200, "a new word")
	r.Shed("app", shed.Member, "pool_full")
	r.IsolationTax("login")
	r.IsolationTax("app")
	r.Retry("login", RetrySent)
	r.Retry("login", RetryNoBudget)
	r.Retry("login", 200)
	r.Retry("app", RetrySent)
	for result, n := range map[QuotaResult]int{QuotaPassed: 1, QuotaRefused: 2, QuotaWouldRefuse: 3, 200: 4} {
		for range n {
			r.Quota("per-client", result)
			r.Quota("another", result)
		}
	}
	var counted []string
	for _, row := range rows(r, "gatehouse_shed_total") {
		if !strings.HasSuffix(row, " 0") {
			counted = append(counted, row)
		}
	}
	want := []string{
		`gatehouse_shed_total{class="anonymous",pool="login",reason="pool_full"} 1`,
		`gatehouse_shed_total{class="background",pool="login",reason="pool_full"} 1`,
		`gatehouse_shed_total{class="member",pool="login",reason="displaced"} 1`,
		`gatehouse_shed_total{class="sign_in",pool="login",reason="queue_timeout"} 2`,
	}
	if !slices.Equal(counted, want) {
		t.Errorf("got %v, want %v", counted, want)
	}
	wantRows(t, r, "gatehouse_isolation_tax_total", `gatehouse_isolation_tax_total{pool="login"} 1`)
	wantRows(t, r, "gatehouse_retries_total", `gatehouse_retries_total{pool="login",result="no_budget"} 2`, `gatehouse_retries_total{pool="login",result="sent"} 1`)
	wantRows(t, r, "gatehouse_quota_total", `gatehouse_quota_total{quota="per-client",result="passed"} 1`,
		`gatehouse_quota_total{quota="per-client",result="refused"} 6`, `gatehouse_quota_total{quota="per-client",result="would_refuse"} 3`)
	if RetryResult(200).String() != "no_budget" || QuotaResult(200).String() != "refused" {
		t.Errorf("out of range: %s, %s", RetryResult(200), QuotaResult(200))
	}
}

// TestPoolsAndQuotasAreForgotten: a reload keeps what stays and takes away what is gone, also from requests that are late.
func TestPoolsAndQuotasAreForgotten(t *testing.T) {
	r := New(Settings{})
	r.Pools([]string{"login", "app"})
	r.Quotas([]string{"old", "kept"})
	count := func() {
		for _, pool := range []string{"login", "app"} {
			r.Shed(pool, shed.Member, "pool_full")
			r.IsolationTax(pool)
			r.Retry(pool, RetrySent)
		}
		r.Quota("old", QuotaPassed)
		r.Quota("kept", QuotaPassed)
	}
	count()
	r.Pools([]string{"app", "new"})
	r.Quotas([]string{"kept"})
	count()
	wantRows(t, r, "gatehouse_isolation_tax_total", `gatehouse_isolation_tax_total{pool="app"} 2`, `gatehouse_isolation_tax_total{pool="new"} 0`)
	if got := len(rows(r, "gatehouse_shed_total")); got != 2*15 {
		t.Errorf("%d series of two pools", got)
	}
	if got := len(rows(r, "gatehouse_retries_total")); got != 2*2 {
		t.Errorf("%d series of two pools", got)
	}
	if got := rows(r, "gatehouse_quota_total"); len(got) != 3 || !slices.Contains(got, `gatehouse_quota_total{quota="kept",result="passed"} 2`) {
		t.Errorf("of one quota: %v", got)
	}
	r.Pools([]string{"login", "\xff"})
	r.Shed("\xff", shed.Member, "pool_full")
	wantRows(t, r, "gatehouse_isolation_tax_total", `gatehouse_isolation_tax_total{pool="login"} 0`, "gatehouse_isolation_tax_total{pool=\"\uFFFD\"} 0")
	r.Pools(nil)
	r.Quotas(nil)
	count()
	for _, metric := range []string{"gatehouse_shed_total", "gatehouse_isolation_tax_total", "gatehouse_retries_total", "gatehouse_quota_total"} {
		wantRows(t, r, metric)
	}
}

// TestReloadsWhileCounting is for the race detector; what a pool counted that stayed throughout is all there.
func TestReloadsWhileCounting(t *testing.T) {
	r := New(Settings{})
	r.Pools([]string{"login", "app"})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 500 {
				r.IsolationTax("login")
				r.Shed("app", shed.Member, "displaced")
				r.Retry("app", RetrySent)
			}
		})
	}
	for i := range 100 {
		r.Pools([]string{"login", "app"}[:1+i%2])
		r.Quotas([]string{"a"}[:i%2])
		r.Recent()
	}
	wg.Wait()
	r.Pools([]string{"login"})
	wantRows(t, r, "gatehouse_isolation_tax_total", `gatehouse_isolation_tax_total{pool="login"} 2000`)
}

func TestSheddingAllocatesNothing(t *testing.T) {
	r := New(Settings{})
	r.Pools([]string{"login"})
	r.Quotas([]string{"per-client"})
	if n := testing.AllocsPerRun(1000, func() {
		r.Shed("login", shed.SignIn, "displaced")
		r.Shed("gone", shed.SignIn, "displaced")
		r.IsolationTax("login")
		r.Retry("login", RetrySent)
		r.Quota("per-client", QuotaPassed)
	}); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func TestRecentShedding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := New(Settings{})
		r.Series("sign-in", "login")
		r.Series("app", "app")
		r.Pools([]string{"login", "app"})
		r.Shed("login", shed.Anonymous, "pool_full")
		time.Sleep(30 * time.Second)
		r.Shed("login", shed.Anonymous, "displaced")
		r.Shed("login", shed.SignIn, "pool_full")
		r.IsolationTax("login")
		r.Pools([]string{"app", "login"}) // a reload that changes nothing
		pool := func(name string) PoolRecent {
			for _, p := range r.Recent().Pools {
				if p.Name == name {
					return p
				}
			}
			t.Fatalf("no pool %s", name)
			return PoolRecent{}
		}
		if p := pool("login"); p.Tax != 1 || p.Shed != [shed.NumClasses]uint64{shed.SignIn: 1, shed.Anonymous: 2} {
			t.Errorf("login: tax %d, shed %v", p.Tax, p.Shed)
		}
		if p := pool("app"); p.Tax != 0 || p.Shed != [shed.NumClasses]uint64{} {
			t.Errorf("app: tax %d, shed %v", p.Tax, p.Shed)
		}
		time.Sleep(45 * time.Second)
		if p := pool("login"); p.Tax != 1 || p.Shed[shed.Anonymous] != 1 {
			t.Errorf("later: tax %d, shed %v", p.Tax, p.Shed)
		}
		time.Sleep(30 * time.Second)
		if p := pool("login"); p.Tax != 0 || p.Shed != [shed.NumClasses]uint64{} {
			t.Errorf("after more than a minute: tax %d, shed %v", p.Tax, p.Shed)
		}
	})
}

func BenchmarkQuota(b *testing.B) {
	r := New(Settings{})
	r.Quotas([]string{"sign-in-per-client", "per-client"})
	b.ReportAllocs()
	for b.Loop() {
		r.Quota("sign-in-per-client", QuotaPassed)
	}
}
