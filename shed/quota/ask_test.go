package quota

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse/shed"
)

// unserved returns a Shared that takes itself for up, and whose goroutine is nowhere to be seen: a stall of our own.
func unserved(timeout time.Duration, queue int) *Shared {
	s := &Shared{set: SharedSettings{Timeout: timeout}, asks: make(chan *ask, queue)}
	s.up.Store(true)
	return s
}

// Nobody waits longer than Timeout, whoever else should have seen to it.
func TestNobodyWaitsLongerThanTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := unserved(5*time.Millisecond, 1)
		l := New(hourly(s, 10))
		for i, want := range []time.Duration{5 * time.Millisecond, 0, 0} { // the queue is full from the second on
			from := time.Now()
			if _, wait := l.Take(t.Context(), TextKey("a")); wait > 0 {
				t.Error("refused")
			}
			if took := time.Since(from); took != want {
				t.Errorf("take %d: took %v, want %v", i, took, want)
			}
		}
		if n := s.standIns.Load(); n != 3 {
			t.Errorf("%d stand-ins", n)
		}
		// Whoever has left is not counted there any more.
		v := &server{Shared: s}
		if v.gather(nil); len(v.batch) != 0 {
			t.Error("the store would be asked for one who has left")
		}
	})
}

// A visitor who has gone does not wait for the rest of Timeout.
func TestWhoHasGoneDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New(hourly(unserved(time.Hour, 1), 10))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		from := time.Now()
		l.Take(ctx, TextKey("a"))
		if took := time.Since(from); took != time.Second {
			t.Errorf("took %v", took)
		}
	})
}

// One failure is enough: from then on nobody asks, and Status says so, while it is tried again.
func TestAFailureIsKnownAtOnce(t *testing.T) {
	s := unserved(time.Hour, 1)
	v := &server{Shared: s, next: time.NewTimer(time.Hour), linked: time.Now()}
	v.fail(io.EOF)
	if st := s.Status(); st.Up || st.Cause != shed.CauseRefused || st.LastError != io.EOF || time.Since(st.Since) > time.Minute {
		t.Errorf("%+v", st)
	}
	if _, _, ok := s.take(t.Context(), &sharing{shared: s}, Key{}); ok || len(s.asks) > 0 {
		t.Error("asked all the same")
	}
	if v.gap != firstGap {
		t.Errorf("tried again after %v", v.gap)
	}
}

// Connecting ends with its context, in the middle of a handshake, too.
func TestConnectingIsCut(t *testing.T) {
	heard := make(chan struct{})
	addr := listen(t, func(c net.Conn) {
		var b [1]byte
		_, _ = c.Read(b[:])
		close(heard)
		_, _ = io.Copy(io.Discard, c)
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-heard; cancel() }()
	s := &Shared{set: SharedSettings{Network: "tcp", Address: addr, Timeout: time.Second}}
	if _, err := s.connect(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
