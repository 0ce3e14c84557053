package probe

import (
	"context"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"gatehouse/shed"
)

// serveClient is one more client of s.
func serveClient(t *testing.T, s *server) *redis.Client {
	c := redis.NewClient(s.ctl.Options())
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func TestHungAndBack(t *testing.T) {
	s := serve(t)
	p := s.probing()
	p.writable()
	p.timeout = 100 * time.Millisecond
	s.signal(syscall.SIGSTOP)
	for range 5 {
		p.want(shed.Down, shed.CauseHung, false, false)
	}
	s.signal(syscall.SIGCONT)
	s.eventually("writable again", func() bool { return p.probe(64).State == shed.Writable })
	for range 20 {
		p.writable()
	}
	s.eventually("one link is left", func() bool {
		return len(strings.Split(strings.TrimSpace(s.do("client", "list").(string)), "\n")) == 2
	})
}

func TestWritesArePausedWhileReadsAnswer(t *testing.T) {
	s := serve(t)
	p := s.probing()
	p.writable()
	p.timeout = 100 * time.Millisecond
	s.do("client", "pause", "60000", "WRITE")
	for _, size := range []int{64, 4096, 100_000} {
		p.wantOf(size, shed.ReadOnly, shed.CausePaused, false, true)
	}
	fresh := s.probing()
	fresh.timeout = 100 * time.Millisecond
	fresh.want(shed.ReadOnly, shed.CausePaused, false, true)
	s.do("client", "unpause")
	s.eventually("writable again", func() bool { return p.probe(64).State == shed.Writable })
	if e := p.writable(); e.Lost {
		t.Error("nothing was lost")
	}
	s.eventually("writable again", func() bool { return fresh.probe(64).State == shed.Writable })
}

func TestALateAnswerMakesTimeoutsSlow(t *testing.T) {
	s := serve(t)
	p := s.probing()
	p.writable()
	p.timeout = 80 * time.Millisecond
	s.do("client", "pause", "400", "ALL")
	p.want(shed.Down, shed.CauseHung, false, false)
	slow := func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.slow
	}
	s.eventually("the late answer", slow)
	s.do("client", "pause", "5000", "ALL") // which holds CLIENT UNPAUSE, too
	p.want(shed.Down, shed.CauseSlow, false, true)
	p.want(shed.Down, shed.CauseSlow, false, true)
	// What goes on in the background ends, and with it the belief that answers come.
	s.eventually("two seconds", func() bool { return !slow() })
	p.want(shed.Down, shed.CauseHung, false, false)
	s.eventually("writable again", func() bool { return p.probe(64).State == shed.Writable })
	if slow() {
		t.Error("slow after a probe in time")
	}
}

// delayed forwards to a server, each direction late by as much as is asked.
func delayed(t *testing.T, to string) (addr string, delay *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	delay = new(atomic.Int64)
	var all sync.WaitGroup
	quit := make(chan struct{})
	copying := func(dst, src net.Conn) {
		defer dst.Close()
		b := make([]byte, 64<<10)
		for {
			n, err := src.Read(b)
			select {
			case <-time.After(time.Duration(delay.Load())):
			case <-quit:
				return
			}
			if n > 0 {
				_, _ = dst.Write(b[:n])
			}
			if err != nil {
				return
			}
		}
	}
	all.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil {
				_ = in.Close()
				continue
			}
			all.Go(func() { copying(out, in) })
			all.Go(func() { copying(in, out) })
			all.Go(func() { <-quit; _ = in.Close(); _ = out.Close() })
		}
	})
	t.Cleanup(func() { _ = l.Close(); close(quit); all.Wait() })
	return l.Addr().String(), delay
}

// A handshake that takes longer than the deadline is finished in the background; the link is good from then on.
func TestALongWayToTheStore(t *testing.T) {
	s := serve(t)
	addr, delay := delayed(t, s.addr())
	delay.Store(int64(60 * time.Millisecond))
	p := probing(t, Settings{Address: addr})
	p.timeout = 200 * time.Millisecond // one round trip, and not two
	p.want(shed.Down, shed.CauseHung, false, false)
	s.eventually("writable over the kept link", func() bool { return p.probe(64).State == shed.Writable })
	if e := p.writable(); e.Latency < 120*time.Millisecond {
		t.Errorf("latency %v over a way of 120ms", e.Latency)
	}
	// Too long a way is slow, and not hung.
	delay.Store(int64(150 * time.Millisecond))
	s.eventually("slow", func() bool { return p.probe(64).Cause == shed.CauseSlow })
	for range 10 {
		p.want(shed.Down, shed.CauseSlow, false, true)
	}
	delay.Store(0)
	s.eventually("well", func() bool { return p.probe(64).State == shed.Writable })
	p.writable()
}

func TestCloseWhileHung(t *testing.T) {
	s := serve(t)
	p := New(Settings{Address: s.addr()})
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	s.signal(syscall.SIGSTOP)
	if e := p.Probe(ctx, 64); e.Cause != shed.CauseHung {
		t.Errorf("%+v", e)
	}
	from := time.Now()
	if err := p.Close(); err != nil || time.Since(from) > time.Second {
		t.Errorf("closed after %v: %v", time.Since(from), err)
	}
	if e := p.Probe(ctx, 64); e.State != shed.Unknown || e.Err == nil {
		t.Errorf("%+v", e)
	}
	s.signal(syscall.SIGCONT)
}

func TestACancelledProbeReturnsAtOnce(t *testing.T) {
	s := serve(t)
	p := s.probing()
	s.signal(syscall.SIGSTOP)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	time.AfterFunc(20*time.Millisecond, cancel)
	from := time.Now()
	if e := p.Probe(ctx, 64); e.State != shed.Unknown || time.Since(from) > 5*time.Second {
		t.Errorf("%+v after %v", e, time.Since(from))
	}
	s.signal(syscall.SIGCONT)
}

// A server whose first answer is cut in the middle.
func TestWhatHasBeenAnsweredByTheDeadline(t *testing.T) {
	for _, row := range []struct {
		heard string
		state shed.State
		cause shed.Cause
	}{
		{"", shed.Down, shed.CauseHung},
		{"$-", shed.Down, shed.CauseHung},
		{"$-1\r\n", shed.ReadOnly, shed.CausePaused},
		{"$26\r\nABCD", shed.ReadOnly, shed.CausePaused},
		{"$2\r\nAB\r\n-READONLY You can't\r\n", shed.ReadOnly, shed.CauseReadOnly},
		{"$2\r\nAB\r\n+OK\r\n", shed.Down, shed.CauseSlow},
		{"$2\r\nAB\r\n+OK\r\n$4096\r\nxx", shed.Down, shed.CauseSlow},
		{"-LOADING Redis is\r\n-LOAD", shed.Down, shed.CauseLoading},
		{"-NOAUTH Authentication required.\r\n", shed.Unknown, shed.CauseProberAuth},
	} {
		l := &link{wire: &wire{}}
		l.wire.hear([]byte("+the handshake\r\n"))
		l.mark()
		l.wire.hear([]byte(row.heard))
		a := &attempt{}
		a.stage.Store(connected)
		a.link.Store(l)
		if e := a.overdue(false, false); e.State != row.state || e.Cause != row.cause || e.Reached != (row.heard != "") {
			t.Errorf("%q: %+v, want %v (%v)", row.heard, e, row.state, row.cause)
		}
	}
}

func FuzzAnswers(f *testing.F) {
	f.Add("$2\r\nAB\r\n+OK\r\n")
	f.Add("$-1\r\n-READONLY x\r\n")
	f.Add("$99999999999999999999\r\n\r\n")
	f.Fuzz(func(t *testing.T, heard string) {
		l := &link{wire: &wire{}}
		l.mark()
		l.wire.hear([]byte(heard))
		if got, _ := l.wire.since(); len(got) > heardMost {
			t.Fatalf("remembered %d bytes", len(got))
		}
		a := &attempt{}
		a.stage.Store(connected)
		a.link.Store(l)
		if e := a.overdue(false, false); e.State == shed.Writable {
			t.Fatalf("%q is %+v", heard, e)
		}
	})
}
