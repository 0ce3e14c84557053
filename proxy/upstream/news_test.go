package upstream

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// heard returns the changes so far, as "ejected a failures".
type heard struct {
	mu  sync.Mutex
	all []BackendStatus
}

func (h *heard) hear(s BackendStatus) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = append(h.all, s)
}

func (h *heard) words() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []string
	for _, s := range h.all {
		all = append(all, fmt.Sprintf("%s %s %s", s.Change, strings.TrimPrefix(s.URL, "http://"), s.Why))
	}
	return all
}

func TestEveryChangeIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h heard
		var written bytes.Buffer
		s := named("a", "b")
		s.Eject, s.OnHealth = &EjectSettings{}, h.hear
		p := NewPool(s, slog.New(slog.NewTextHandler(&written, nil)))
		p.Start()
		want := []string{}
		told := func(more ...string) {
			t.Helper()
			want = append(want, more...)
			synctest.Wait()
			if got := h.words(); !slices.Equal(got, want) {
				t.Fatalf("told %q, want %q", got, want)
			}
		}
		sick(t, p, "a", "b")
		told("ejected a failures")
		if s := h.all[0]; !s.Ejected || !s.Up || !s.EjectedUntil.Equal(time.Now().Add(10*time.Second)) || s.Change != Ejected {
			t.Errorf("told %+v", s)
		}
		time.Sleep(10*time.Second - 1)
		told()
		time.Sleep(time.Nanosecond) // nobody claims: it is told in time all the same
		told("returned a time_is_over")
		if s := h.all[1]; s.Ejected || !s.EjectedUntil.IsZero() {
			t.Errorf("told %+v", s)
		}
		sick(t, p, "a", "b")
		row(t, p, "b", 5, failed)
		told("ejected a failures", "returned a shared")
		row(t, p, "b", 20, ok)
		sick(t, p, "a", "b")
		s.Eject = nil
		p.Set(s)
		told("ejected a failures", "returned a needed")
		time.Sleep(time.Hour)
		told()
		p.Close()
		for _, line := range []string{"backend is ejected", "backend returns", "reason=shared", "reason=time_is_over", "backend=http://a"} {
			if !strings.Contains(written.String(), line) {
				t.Errorf("the log does not say %q:\n%s", line, written.String())
			}
		}
	})
}

// News do not wait for a round of checks that hangs.
func TestAHungCheckHoldsNoNewsBack(t *testing.T) {
	hung, release := make(chan struct{}, 8), make(chan struct{})
	b := serve(t, func(http.ResponseWriter, *http.Request) { hung <- struct{}{}; <-release })
	defer close(release)
	changes := make(chan BackendStatus, 16)
	p := NewPool(Settings{
		Name: "app", Backends: []BackendSettings{b, {URL: "http://a", Address: closedPort(t).Address}}, Eject: &EjectSettings{},
		Health:   &HealthSettings{Path: "/", Interval: time.Hour, Timeout: patience},
		OnHealth: func(s BackendStatus) { changes <- s },
	}, nil)
	defer p.Close()
	p.Start()
	<-hung
	sick(t, p, "a", strings.TrimPrefix(b.URL, "http://"))
	select {
	case s := <-changes:
		if s.Change != Ejected || s.URL != "http://a" {
			t.Errorf("told %+v", s)
		}
	case <-time.After(patience / 2):
		t.Error("not told")
	}
}

func TestUnheardNewsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := ejecting("a", "b")
		for range 2 * maxNews {
			sick(t, p, "a", "b")
			time.Sleep(maxEjection)
			wantOut(t, p, "")
		}
		if n := len(p.news); n != maxNews {
			t.Errorf("%d wait to be told; want %d", n, maxNews)
		}
		if last := p.news[maxNews-1]; last.Change != Returned {
			t.Errorf("the newest is %+v", last)
		}
		p.Close()
	})
}

// site is a pool of real servers, each with a switch.
type site struct {
	pool     *Pool
	ill      []atomic.Bool
	received []atomic.Int64
}

func newSite(t *testing.T, n int, hear func(BackendStatus)) *site {
	t.Helper()
	s := &site{ill: make([]atomic.Bool, n), received: make([]atomic.Int64, n)}
	set := Settings{Name: "app", Eject: &EjectSettings{For: 200 * time.Millisecond}, Retries: RetrySettings{Budget: 0.2}, OnHealth: hear}
	for i := range n {
		set.Backends = append(set.Backends, serve(t, func(w http.ResponseWriter, _ *http.Request) {
			s.received[i].Add(1)
			if s.ill[i].Load() {
				w.WriteHeader(500)
			}
		}))
	}
	s.pool = NewPool(set, nil)
	s.pool.Start()
	t.Cleanup(s.pool.Close)
	return s
}

// visit sends requests from several visitors at a time, and returns how many were answered well.
func (s *site) visit(t *testing.T, n int) int64 {
	t.Helper()
	var wg sync.WaitGroup
	var well atomic.Int64
	for range 8 {
		wg.Go(func() {
			for range n / 8 {
				if status, _ := persist(t, s.pool, "GET", ""); status == 200 {
					well.Add(1)
				}
			}
		})
	}
	wg.Wait()
	return well.Load()
}

func TestABrokenServerIsLeftAloneUntilItIsWell(t *testing.T) {
	changes := make(chan BackendStatus, 100)
	s := newSite(t, 3, func(b BackendStatus) { changes <- b })
	if n := s.visit(t, 400); n != 400 {
		t.Fatalf("%d of 400 are well", n)
	}
	s.ill[1].Store(true)
	eventually(t, "it is ejected", func() bool { s.visit(t, 40); return len(changes) > 0 })
	if c := <-changes; c.Change != Ejected || c.URL != s.pool.Status()[1].URL {
		t.Fatalf("told %+v", c)
	}
	s.ill[1].Store(false)
	eventually(t, "it returns", func() bool { return len(changes) > 0 })
	if c := <-changes; c.Change != Returned || c.Why != WhyOver {
		t.Fatalf("told %+v", c)
	}
	before := s.received[1].Load()
	if n := s.visit(t, 400); n != 400 || s.received[1].Load() == before {
		t.Errorf("%d of 400 are well, the returned one received %d", n, s.received[1].Load()-before)
	}
	if len(changes) > 0 {
		t.Errorf("told %+v", <-changes)
	}
}

func TestServersThatAllFailAreAllAsked(t *testing.T) {
	var h heard
	s := newSite(t, 3, h.hear)
	s.visit(t, 400)
	for i := range s.ill {
		s.ill[i].Store(true)
	}
	s.visit(t, 400)
	for i := range s.received {
		s.received[i].Store(0)
	}
	s.visit(t, 800)
	for i := range s.received {
		if n := s.received[i].Load(); n < 80 {
			t.Errorf("number %d received %d of 800", i, n)
		}
	}
	wantOut(t, s.pool, "")
	for i := range s.ill {
		s.ill[i].Store(false)
	}
	if n := s.visit(t, 400); n != 400 {
		t.Errorf("%d of 400 are well as soon as all are well again", n)
	}
}

// A visitor who sends his body slowly takes no backend out of use: time went by, and not by the backend's fault.
func TestASlowUploadIsNotTheBackendsFault(t *testing.T) {
	b := raw(t, func(c net.Conn, br *bufio.Reader) { readHead(br); br.ReadByte(); br.ReadByte() })
	late := func(r *Request) error {
		p := pool(t, b)
		c := claim(t, p)
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if r.Length < 0 { // the other way in which time is over
			own, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			timer := time.AfterFunc(50*time.Millisecond, func() { cancel(ErrLate) })
			defer timer.Stop()
			ctx = own
		}
		_, err := c.Send(ctx, r)
		if !errors.Is(err, ErrLate) {
			t.Fatalf("got %v, want ErrLate", err)
		}
		c.End(Result{Err: err})
		if n := p.Status()[0].Failures; (n == 1) == errors.Is(err, errUpload) {
			t.Errorf("%v counts as %d failures", err, n)
		}
		return err
	}
	body, w := stalled()
	defer w.Close()
	go w.Write([]byte("a"))
	for _, length := range []int64{3, -1} {
		if err := late(&Request{Method: "POST", Target: "/", Body: body, Length: length}); !errors.Is(err, errUpload) {
			t.Errorf("length %d: %v does not say that the body was awaited", length, err)
		}
		body, w = stalled()
		defer w.Close()
	}
	for _, r := range []*Request{get("/"), {Method: "POST", Target: "/", Body: strings.NewReader("a"), Length: 1}} {
		if err := late(r); errors.Is(err, errUpload) {
			t.Errorf("%s: %v says that the body was awaited", r.Method, err)
		}
	}
}
