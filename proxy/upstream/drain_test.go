package upstream

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A reload drops a backend in the middle of an answer: that answer goes on to its end, and nobody else is sent there.
func TestADroppedBackendDrains(t *testing.T) {
	more := make(chan struct{})
	var received atomic.Int64
	old := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		received.Add(1)
		io.WriteString(w, "first ")
		w.(http.Flusher).Flush()
		<-more
		io.WriteString(w, "last")
	})
	fresh := serve(t, func(http.ResponseWriter, *http.Request) {})
	p := pool(t, old)
	c := mustClaim(t, p, nil)
	a, err := c.Send(deadline(t), get("/"))
	if err != nil {
		t.Fatal(err)
	}
	p.Set(Settings{Name: "app", Backends: []BackendSettings{fresh}, Eject: &EjectSettings{}, SlowStart: time.Hour})
	for range 100 {
		if c := mustClaim(t, p, nil); c.Backend() == old.URL {
			t.Fatal("the dropped one was taken")
		} else {
			c.End(Result{Status: 200})
		}
	}
	if s := p.Status(); p.InFlight() != 1 || len(s) != 1 || s[0].Warming {
		t.Errorf("in flight %d, status %+v", p.InFlight(), s)
	}
	close(more)
	if got := all(t, a.Body); got != "first last" || received.Load() != 1 {
		t.Errorf("got %q; the dropped one received %d requests", got, received.Load())
	}
	a.Body.Close()
	c.End(Result{Err: ErrBroken}) // says nothing about who is left
	if s := p.Status(); p.InFlight() != 0 || s[0].Failures != 0 {
		t.Errorf("in flight %d, status %+v", p.InFlight(), s)
	}
}

// Everything at once, for the race detector; and at the end all is given back.
func TestEverythingAtOnce(t *testing.T) {
	settings := func() Settings {
		s := busy(1 + rand.IntN(6))
		s.Eject = &EjectSettings{Failures: 1 + rand.IntN(2), For: time.Millisecond, Most: rand.Float64()}
		s.SlowStart = time.Duration(rand.IntN(int(2 * time.Millisecond)))
		if rand.IntN(4) == 0 {
			s.Eject = nil
		}
		s.OnHealth = func(BackendStatus) {}
		return s
	}
	p := NewPool(settings(), nil)
	p.Start()
	results := []Result{ok, ok, ok, failed, {}, {Err: ErrConnect}, {Err: ErrBroken}, {Err: ErrLate}, {Status: 500, Excused: true}}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 3000 {
				var tried Tried
				c, err := p.Claim(&tried)
				if err != nil {
					t.Error(err)
					return
				}
				if p.Retry() {
					if c, err := p.Claim(&tried); err == nil {
						c.End(results[rand.IntN(len(results))])
					}
				}
				c.End(results[rand.IntN(len(results))])
			}
		})
	}
	wg.Go(func() {
		for range 300 {
			p.Set(settings())
			var isOut, used int
			for _, b := range p.Status() {
				if b.Ejected {
					isOut++
				} else if b.Up {
					used++
				}
				if b.Ejected == b.EjectedUntil.IsZero() {
					t.Errorf("got %+v", b)
				}
			}
			if used == 0 {
				t.Error(fmt.Sprint("nobody is in use, ", isOut, " are ejected"))
			}
			time.Sleep(100 * time.Microsecond)
		}
	})
	wg.Wait()
	p.Close()
	if n := p.InFlight(); n != 0 {
		t.Errorf("%d claims are open", n)
	}
}
