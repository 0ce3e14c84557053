//go:build faults

package test

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"gatehouse/shed"
	"gatehouse/shed/store"
	"gatehouse/shed/store/probe"
)

// watchmen are many Gatehouses' Monitors of one real server.
type watchmen struct {
	server   *redisServer
	monitors []*store.Monitor

	mu      sync.Mutex
	changes []int // of the state, of each, but for the first verdict
}

// post starts n of them.
func post(t *testing.T, server *redisServer, n int, set store.Settings) *watchmen {
	t.Helper()
	w := &watchmen{server: server, changes: make([]int, n)}
	for i := range n {
		p := probe.New(probe.Settings{Network: "tcp", Address: server.address(), Prefix: "gatehouse:", Instance: fmt.Sprint("w", i),
			Password: func() (string, error) { return "", nil }})
		m := store.New(p, set, func(c store.Transition) {
			w.mu.Lock()
			defer w.mu.Unlock()
			if c.From != c.To && c.From != shed.Unknown {
				w.changes[i]++
			}
		})
		w.monitors = append(w.monitors, m)
	}
	for _, m := range w.monitors {
		m.Start()
		time.Sleep(set.Interval / time.Duration(n)) // processes do not begin together
	}
	for _, m := range w.monitors {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		m.First(ctx)
		cancel()
	}
	return w
}

func (w *watchmen) leave() {
	var all sync.WaitGroup
	for _, m := range w.monitors {
		all.Go(m.Close)
	}
	all.Wait()
}

// most is how often the state of the one changed that saw most changes.
func (w *watchmen) most() (most int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, n := range w.changes {
		most = max(most, n)
	}
	return most
}

var setCalls = regexp.MustCompile(`cmdstat_set:calls=(\d+),.*rejected_calls=(\d+)`)

// canaries is how many canaries the server was sent so far, those that it refused among them.
func (w *watchmen) canaries() (n int) {
	text, err := w.server.cli.Info(context.Background(), "commandstats").Result()
	if err != nil {
		w.server.t.Fatal(err)
	}
	m := setCalls.FindStringSubmatch(text)
	if m == nil {
		w.server.t.Fatalf("INFO has no cmdstat_set: %s", text)
	}
	for _, s := range m[1:] {
		k, _ := strconv.Atoi(s)
		n += k
	}
	return n
}

// over is what the server was asked for in a while: canaries a second of each, on average and in the worst second, and connections.
func (w *watchmen) over(d time.Duration) (each, worst float64, conns int) {
	from, had := time.Now(), w.server.info("total_connections_received")
	first := w.canaries()
	for before := first; time.Since(from) < d; {
		second := time.Now()
		time.Sleep(time.Second)
		now := w.canaries()
		worst = max(worst, float64(now-before)/time.Since(second).Seconds()/float64(len(w.monitors)))
		before = now
	}
	each = float64(w.canaries()-first) / time.Since(from).Seconds() / float64(len(w.monitors))
	return each, worst, w.server.info("total_connections_received") - had
}

// flaps has the server refuse writes every other 700 ms until stop.
func flaps(server *redisServer, stop <-chan struct{}) (wait func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		words := [][]string{{"REPLICAOF", "127.0.0.1", "9"}, {"REPLICAOF", "NO", "ONE"}}
		for i := 0; ; i++ {
			_ = server.cli.Do(context.Background(), words[i%2][0], words[i%2][1], words[i%2][2]).Err()
			select {
			case <-stop:
				_ = server.cli.Do(context.Background(), "REPLICAOF", "NO", "ONE").Err()
				return
			case <-time.After(700 * time.Millisecond):
			}
		}
	}()
	return func() { <-done }
}

// TestFaultsFiftyInstances has fifty probe one server that flaps: how much they ask of it, how often they change their minds, and that
// they do not storm it with connections. A few that believe every probe, and hold nothing, are seen to change with it.
func TestFaultsFiftyInstances(t *testing.T) {
	const n, idle, flapping = 50, 5 * time.Second, 20 * time.Second
	server := startRedis(t)
	set := store.Settings{ // the file's defaults
		Interval: 100 * time.Millisecond, Timeout: 200 * time.Millisecond, Payload: 4 << 10, Strained: 25 * time.Millisecond,
		Rise: 3, After: 500 * time.Millisecond, RampOver: 30 * time.Second, HoldFrom: 30 * time.Second, HoldTo: 5 * time.Minute,
	}
	out := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "\ninstances\tstore\tcanaries a second of each\tin the worst second\tconnections a second of each\tstate changes of the worst")
	row := func(who string, what string, n int, d time.Duration, each, worst float64, conns int, changes int) {
		fmt.Fprintf(out, "%s\t%s\t%.1f (12)\t%.1f\t%.2f (1)\t%d (3)\n",
			who, what, each, worst, float64(conns)/d.Seconds()/float64(n), changes)
	}
	t.Cleanup(func() { _ = out.Flush() })

	w := post(t, server, n, set)
	each, worst, conns := w.over(idle)
	row("50", "well", n, idle, each, worst, conns, w.most())
	if each > 12 || each < 5 || conns > n {
		t.Errorf("of a store that is well each asked %.1f times a second, and they made %d connections", each, conns)
	}
	if w.most() != 0 {
		t.Errorf("of a store that is well one changed its mind %d times", w.most())
	}
	stop := make(chan struct{})
	wait := flaps(server, stop)
	each, worst, conns = w.over(flapping)
	close(stop)
	wait()
	row("50", "flaps", n, flapping, each, worst, conns, w.most())
	if w.most() > 3 || w.most() == 0 {
		t.Errorf("the state of one changed %d times in %v of flapping; want 3 at most, and once at least", w.most(), flapping)
	}
	if most := n * (int(flapping/time.Second) + 2); conns > most {
		t.Errorf("%d connections in %v; want %d at most", conns, flapping, most)
	}
	if each > 2*12 {
		t.Errorf("of a store that flaps each asked %.1f times a second", each)
	}
	w.leave()

	set.Rise, set.After, set.HoldFrom, set.HoldTo = 1, 0, time.Millisecond, time.Millisecond
	few := post(t, server, 5, set)
	stop = make(chan struct{})
	wait = flaps(server, stop)
	each, worst, conns = few.over(flapping / 2)
	close(stop)
	wait()
	row("5, which hold nothing", "flaps", 5, flapping/2, each, worst, conns, few.most())
	if few.most() < 8 {
		t.Errorf("without anything that holds them the state changed %d times: this proves nothing", few.most())
	}
	few.leave()
}
