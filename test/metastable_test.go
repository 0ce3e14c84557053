package test

import (
	"context"
	"crypto/rand"
	"fmt"
	mrand "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/redis/go-redis/v9"
)

// slowSignIn is an app that can sign so many people in each second and no more: a few hands, each busy with a password for a tenth of
// a second. Who comes while all are busy waits his turn, and his password is hashed also when he has long given up: so an app that
// is behind does only work that nobody waits for any more.
type slowSignIn struct {
	*httptest.Server
	store *redis.Client
	free  chan struct{}
	came  atomic.Int64
	over  chan struct{} // the test is
}

func startSlowSignIn(t *testing.T, store string, perSecond int) *slowSignIn {
	t.Helper()
	a := &slowSignIn{free: make(chan struct{}, perSecond/10), over: make(chan struct{}), store: redis.NewClient(&redis.Options{
		Addr: store, DialTimeout: time.Second, MaxRetries: -1, DialerRetries: 1, PoolSize: 50,
	})}
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != "POST" {
			fmt.Fprint(w, "well")
			return
		}
		a.came.Add(1)
		select {
		case a.free <- struct{}{}:
			time.Sleep(100 * time.Millisecond)
			<-a.free
		case <-a.over:
			return
		}
		id := rand.Text()
		if a.store.Set(context.WithoutCancel(r.Context()), "sess:"+id, "ada", time.Hour).Err() != nil {
			failed(w)
			return
		}
		setCookie(w, "sid", id)
		http.Redirect(w, r, "/members", http.StatusSeeOther)
	}))
	t.Cleanup(func() {
		close(a.over)
		a.Close()
		_ = a.store.Close()
	})
	return a
}

// outage is one in which nothing is wrong with the app but its store, for a while.
type outage struct {
	capacity, rate        int // sign-ins a second that the app can do, and that people want
	calm, outage, further time.Duration
	impatience            time.Duration // after which a person gives up waiting for an answer
}

// atTheEnd are those at the end by which a course is judged.
const atTheEnd = 4 * time.Second

// course is how an outage went on one side.
type course struct {
	tries    int
	signedIn []time.Duration // since the store was back; less than 0: before
	left     int             // who came and was never signed in
	told     map[string]int  // what those were told who tried in the last seconds
	app      int64           // sign-ins that the app was asked for
}

// between is how many signed in a second.
func (c *course) between(from, to time.Duration) float64 {
	n := 0
	for _, at := range c.signedIn {
		if at >= from && at < to {
			n++
		}
	}
	return float64(n) / (to - from).Seconds()
}

// play has people come at an even pace before, during and after an outage of the store, through a Gatehouse with those settings.
func (o outage) play(t *testing.T, login, ramp string) *course {
	t.Helper()
	store := startRedis(t)
	app := startSlowSignIn(t, store.address(), o.capacity)
	g := startGatehouse(t, site{
		backend: app.URL, store: store.address(), top: crowd, apart: true, login: login, ramp: ramp, degrade: "retry_after: {min: 1s, max: 4s}",
	}.text())
	roads := roads()
	defer roads.CloseIdleConnections()
	began := time.Now()
	back := began.Add(o.calm + o.outage)
	until := back.Add(o.further)
	c := &course{told: map[string]int{}}
	var mu sync.Mutex
	var all sync.WaitGroup
	every := time.Second / time.Duration(o.rate)
	all.Go(func() {
		for n := 0; ; n++ {
			arrives := began.Add(every * time.Duration(n))
			if arrives.After(until) {
				return
			}
			time.Sleep(time.Until(arrives))
			all.Go(func() {
				v := arrive(g.url, roads, n)
				v.wait = o.impatience
				tries, in := v.insist(until, func(r reply) {
					if until.Sub(r.at) < atTheEnd {
						mu.Lock()
						c.told[strings.TrimSpace(fmt.Sprint(r.status, " ", r.outcome, " ", r.reason))]++
						mu.Unlock()
					}
				})
				mu.Lock()
				defer mu.Unlock()
				if c.tries += tries; in.IsZero() {
					c.left++
				} else {
					c.signedIn = append(c.signedIn, in.Sub(back))
				}
			})
		}
	})
	time.Sleep(time.Until(began.Add(o.calm)))
	store.do("REPLICAOF", "127.0.0.1", "9")
	time.Sleep(time.Until(back))
	store.do("REPLICAOF", "NO", "ONE")
	all.Wait()
	c.app = app.came.Load()
	slices.Sort(c.signedIn)
	return c
}

// insist tries to sign in as people and their programs do: three times in a row where there is no answer or an error, again and again
// with a pause, and when he is told to where somebody tells him.
func (v *visitor) insist(until time.Time, tell func(reply)) (tries int, in time.Time) {
	for failures := 0; time.Now().Before(until); {
		r := v.post("/login", named)
		tries++
		tell(r)
		switch {
		case r.ok():
			return tries, r.at.Add(r.took)
		case r.retry > 0:
			failures = 0
			time.Sleep(r.retry)
		default:
			if failures++; failures%3 != 0 {
				continue
			}
			time.Sleep(time.Second + time.Duration(mrand.Int64N(int64(time.Second))))
		}
	}
	return tries, time.Time{}
}

// TestAnOutageEnds: the app has room for half as many again as come, but not for all at once who were turned away, and whoever it
// keeps waiting tries three times. With a limit and a ramp all are signed in soon after the store is back; the same program without
// them, before the same app, does not get out of it for as long as is looked at.
func TestAnOutageEnds(t *testing.T) {
	t.Parallel()
	outage{capacity: 30, rate: 20, calm: time.Second, outage: 4 * time.Second, further: 8 * time.Second, impatience: time.Second}.prove(t)
}

// prove plays an outage on both sides and compares them.
func (o outage) prove(t *testing.T) (with, without *course) {
	t.Helper()
	// One after the other: what the second does to the machine is no part of the first.
	all := 0.8 * float64(o.rate)
	steadily(func() bool {
		with = o.play(t, "max_in_flight: 4, queue: {length: 8, timeout: 500ms}", fmt.Sprintf("from: 5/s, to: %d/s, over: 4s", o.capacity*9/10))
		return with.between(o.further-atTheEnd, o.further) >= all
	})
	without = o.play(t, "max_in_flight: 0", "from: 5/s, to: 30/s, over: 0s")

	var text strings.Builder
	out := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintf(out, "\n%d/s come, the app can do %d/s; store away for %v\tbefore\t", o.rate, o.capacity, o.outage)
	for s := time.Duration(0); s < o.further; s += 2 * time.Second {
		fmt.Fprintf(out, "+%v\t", s)
	}
	fmt.Fprintln(out, "tries\tthe app was asked\tnever in")
	for i, c := range []*course{with, without} {
		name := []string{"limit and ramp", "neither"}[i]
		fmt.Fprintf(out, "%s: signed in/s\t%.0f\t", name, c.between(-o.calm-o.outage, -o.outage))
		for s := time.Duration(0); s < o.further; s += 2 * time.Second {
			fmt.Fprintf(out, "%.0f\t", c.between(s, s+2*time.Second))
		}
		fmt.Fprintf(out, "%d\t%d\t%d\n", c.tries, c.app, c.left)
	}
	_ = out.Flush()
	t.Log(text.String())

	t.Logf("in the last %v the visitors were told, with limit and ramp: %v", atTheEnd, with.told)
	t.Logf("with neither: %v", without.told)
	if got := with.between(o.further-atTheEnd, o.further); got < all {
		t.Errorf("in the last %v %.0f a second were signed in; want all who come, %d", atTheEnd, got, o.rate)
	}
	if got := without.between(o.further-atTheEnd, o.further); got > 0.5*float64(o.rate) {
		t.Errorf("without a limit and a ramp %.0f a second were signed in at the end: this proves nothing", got)
	}
	return with, without
}
