package quota

import (
	"context"
	"io"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"gatehouse/shed"
)

// A thousand visitors at once at a store that hangs: each waits once, shortly, and leaves nothing behind.
func TestAHungStoreHoldsNobodyAndNothing(t *testing.T) {
	const callers, each = 100, 50
	n := serve(t)
	s := n.sharing(0)
	l := New(Settings{Name: "q", Rate: 1e6, Burst: 1e6, Shared: s})
	take(l, TextKey("a"), 1)
	base := runtime.NumGoroutine()
	n.signal(syscall.SIGSTOP)
	defer n.signal(syscall.SIGCONT)
	var refused, worst atomic.Int64
	var wg sync.WaitGroup
	for range callers {
		wg.Go(func() {
			for range each {
				from := time.Now()
				c, wait := l.Take(context.Background(), TextKey("a"))
				if wait > 0 {
					refused.Add(1)
				}
				c.Refund()
				for took := int64(time.Since(from)); ; {
					if w := worst.Load(); took <= w || worst.CompareAndSwap(w, took) {
						break
					}
				}
			}
		})
	}
	wg.Wait()
	t.Logf("the longest of %d took %v", callers*each, time.Duration(worst.Load()))
	if refused.Load() > 0 || time.Duration(worst.Load()) > brief {
		t.Errorf("%d were refused, the longest took %v", refused.Load(), time.Duration(worst.Load()))
	}
	eventually(t, "away", func() bool { return !s.Status().Up })
	for range 20 { // while it is tried again and again
		time.Sleep(20 * time.Millisecond)
		// The goroutine that connects, and those of the library's that live as long as its connection.
		if now := runtime.NumGoroutine(); now > base+4 {
			t.Fatalf("%d goroutines, and %d before", now, base)
		}
	}
	eventually(t, "the goroutines of before", func() bool { return runtime.NumGoroutine() <= base })
	s.Close()
	if now := runtime.NumGoroutine(); now >= base {
		t.Errorf("closed: %d goroutines, and %d before", now, base)
	}
}

// An address that takes connections and never says a word.
func TestASilentAddress(t *testing.T) {
	addr := listen(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	s := NewShared(SharedSettings{Address: addr})
	l := New(Settings{Name: "q", Rate: 1, Burst: 1e6, Shared: s})
	eventually(t, "hung", func() bool { soon(t, l, TextKey("a")); return s.Status().Cause == shed.CauseHung })
	from := time.Now()
	s.Close()
	if took := time.Since(from); took > brief {
		t.Errorf("closed after %v", took)
	}
}

// What answers is no store, or lies: that is no news for a visitor.
func TestForeignAnswers(t *testing.T) {
	const hello = "*0\r\n"
	for name, row := range map[string]struct {
		said  []string // in answer to one piece of what is sent after the other
		cause shed.Cause
	}{
		"hangs up":           {nil, shed.CauseRefused},
		"HTTP":               {[]string{"HTTP/1.1 400 Bad Request\r\n\r\n"}, shed.CauseUnknown},
		"longer than memory": {[]string{"$9223372036854775807\r\n"}, shed.CauseUnknown},
		"an endless list":    {[]string{hello, "+PONG\r\n", "*9223372036854775807\r\n"}, shed.CauseUnknown},
		"an endless text":    {[]string{hello, "+PONG\r\n", "$9223372036854775807\r\n"}, shed.CauseUnknown},
		"loading":            {[]string{hello, "-LOADING Redis is loading the dataset in memory\r\n"}, shed.CauseLoading},
		"loading, later":     {[]string{hello, "+PONG\r\n", "-LOADING Redis is loading\r\n"}, shed.CauseLoading},
		"as Redis 6 says it": {[]string{hello, "+PONG\r\n",
			"-ERR Error running script (call to f_1): @user_script:15: @user_script: 15: -READONLY You can't write\r\n"},
			shed.CauseReadOnly},
		"a script's error":     {[]string{hello, "+PONG\r\n", "-ERR user_script:3: attempt to compare nil\r\n"}, shed.CauseUnknown},
		"OK, to everything":    {[]string{hello, "+PONG\r\n", "+OK\r\n"}, shed.CauseUnknown},
		"a negative wait":      {[]string{hello, "+PONG\r\n", ":-5\r\n"}, shed.CauseUnknown},
		"a wait without end":   {[]string{hello, "+PONG\r\n", ":9223372036854775807\r\n"}, shed.CauseUnknown},
		"NOSCRIPT for ever":    {[]string{hello, "+PONG\r\n", "-NOSCRIPT no\r\n", "-NOSCRIPT no\r\n"}, shed.CauseUnknown},
		"an error, no text":    {[]string{hello, "+PONG\r\n", "-\r\n"}, shed.CauseUnknown},
		"half an answer":       {[]string{hello, "+PONG\r\n", ":0"}, shed.CauseHung},
		"no slot left":         {[]string{"-ERR max number of clients reached\r\n"}, shed.CauseTooManyClients},
		"a cluster that sends": {[]string{hello, "+PONG\r\n", "-MOVED 1 127.0.0.1:1\r\n"}, shed.CauseUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			addr := listen(t, func(c net.Conn) {
				var b [4096]byte
				for _, said := range row.said {
					if _, err := c.Read(b[:]); err != nil {
						return
					}
					_, _ = io.WriteString(c, said)
				}
				_, _ = c.Read(b[:1])
			})
			s := NewShared(SharedSettings{Address: addr, Timeout: patient})
			defer s.Close()
			l := New(Settings{Name: "q", Rate: 1, Burst: 1e6, Shared: s})
			tried := func() bool { soon(t, l, TextKey("a")); return s.Status().LastError != nil }
			eventually(t, "an error", tried)
			if st := s.Status(); st.Up || st.Cause != row.cause {
				t.Errorf("%v: %v", st.Cause, st.LastError)
			}
		})
	}
}

// listen serves connections on a port of loopback until the test ends.
func listen(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	quit := make(chan struct{})
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { <-quit; _ = c.Close() })
			all.Go(func() { defer c.Close(); serve(c) })
		}
	})
	t.Cleanup(func() { _ = l.Close(); close(quit); all.Wait() })
	return l.Addr().String()
}
