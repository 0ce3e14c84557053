package edge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

func TestASlowBodyOnHTTP2EndsInAnError(t *testing.T) {
	for name, drip := range map[string]time.Duration{"nothing comes": 0, "a drip": 20 * time.Millisecond} {
		ended := make(chan error, 1)
		s := startH2(t, true, Settings{Limits: brisk}, func(v Visitor) {
			_, err := io.Copy(io.Discard, v.Body())
			ended <- err
			if v.Context().Err() != nil {
				t.Error("the visitor is taken for gone")
			}
			if _, again := v.Body().Read(make([]byte, 1)); again != err {
				t.Errorf("read on after %v: %v", err, again)
			}
			reply(v, "slow")
		})
		r := dialRaw(t, s)
		r.do(r.open(1, false, "POST", "/", "content-length", "100000"))
		for drip > 0 && len(ended) == 0 {
			<-time.After(drip)
			r.fr.WriteData(1, false, []byte("x"))
		}
		if err := wait(t, ended); !errors.Is(err, errSlow) {
			t.Errorf("%s: got %v, want errSlow", name, err)
		}
		if got := r.fate(1); got != "200" {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestInterruptOnHTTP2(t *testing.T) {
	read, ended := make(chan struct{}), make(chan error, 1)
	s := startH2(t, false, Settings{}, func(v Visitor) {
		go func() {
			io.ReadFull(v.Body(), make([]byte, 1))
			close(read)
			_, err := v.Body().Read(make([]byte, 1))
			ended <- err
		}()
		<-read
		v.Body().(interface{ Interrupt() }).Interrupt()
		if err := wait(t, ended); err != errUnwanted {
			t.Errorf("got %v", err)
		}
		reply(v, "ok")
	})
	r := dialRaw(t, s)
	r.do(r.open(1, false, "POST", "/"))
	r.do(r.fr.WriteData(1, false, []byte("x")))
	if got := r.fate(1); got != "200" {
		t.Error(got)
	}
}

// Whoever opens no window, or opens it byte by byte, or does not read at all, is given up; his connection or his stream only.
func TestSlowReadersOnHTTP2AreCut(t *testing.T) {
	window := http2.Setting{ID: http2.SettingInitialWindowSize}
	for name, tt := range map[string]struct {
		window uint32
		body   int
		length int64
	}{
		"no window":                 {0, 100, 100},
		"no window, nothing known":  {0, 100, -1},
		"no window, a large answer": {0, 1 << 20, -1},
		"a byte at a time":          {1, 1 << 20, 1 << 20},
	} {
		for kind, secure := range kinds {
			s := startH2(t, secure, Settings{Limits: Limits{WriteTimeout: 200 * time.Millisecond}}, func(v Visitor) {
				v.Answer(200, nil, tt.length, false)
				v.Write(make([]byte, tt.body))
			})
			window.Val = tt.window
			r := dialRaw(t, s, window)
			r.do(r.open(1, true, "GET", "/"))
			done := make(chan struct{})
			go func() {
				defer close(done)
				for i := 0; tt.window > 0 && i < 200; i++ {
					<-time.After(5 * time.Millisecond)
					r.fr.WriteWindowUpdate(1, 1)
				}
			}()
			if got := r.fate(1); got != "INTERNAL_ERROR" {
				t.Errorf("%s, %s: %s", name, kind, got)
			}
			<-done
			r.Close()
			eventually(t, "nothing is left of him", func() bool { return s.Conns() == 0 })
		}
	}
	for kind, secure := range kinds {
		ended := make(chan struct{})
		s := startH2(t, secure, Settings{Limits: Limits{WriteTimeout: 200 * time.Millisecond, IdleTimeout: time.Second}}, func(v Visitor) {
			defer close(ended)
			v.Answer(200, nil, -1, false)
			for {
				if _, err := v.Write(make([]byte, 32<<10)); err != nil {
					break
				}
			}
			<-v.Context().Done()
		})
		window.Val = 1<<31 - 1
		r := dialRaw(t, s, window)
		r.do(r.fr.WriteWindowUpdate(0, 1<<31-1-65535))
		r.do(r.open(1, true, "GET", "/"))
		select {
		case <-ended:
		case <-time.After(patience):
			t.Errorf("%s: a visitor who does not read is waited for", kind)
		}
		eventually(t, "his connection is closed", func() bool { return s.Conns() == 0 })
	}
}

func TestSteadyReadersOnHTTP2AreNotCut(t *testing.T) {
	const size = 12 << 20
	s := startH2(t, true, Settings{Limits: Limits{WriteTimeout: time.Second}}, func(v Visitor) {
		v.Answer(200, nil, size, false)
		v.Write(make([]byte, size))
	})
	r := dialRaw(t, s)
	r.do(r.open(1, true, "GET", "/"))
	for began := time.Now(); time.Since(began) < 3*time.Second; time.Sleep(20 * time.Millisecond) {
		f, err := r.next(http2.FrameData, http2.FrameRSTStream)
		r.do(err)
		if f.Header().Type == http2.FrameRSTStream {
			t.Fatalf("cut after %v", time.Since(began))
		}
		r.fr.WriteWindowUpdate(0, max(f.Header().Length, 1))
		r.fr.WriteWindowUpdate(1, max(f.Header().Length, 1))
	}
}

func TestHeadsOnHTTP2AreBounded(t *testing.T) {
	for name, begin := range map[string]func(r *raw){
		"half a head": func(r *raw) {
			r.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 3, BlockFragment: r.block(":method", "GET")})
		},
		"half a frame":   func(r *raw) { r.Write([]byte("\x00\x00\x20\x01\x05\x00\x00\x00\x03\x00\x00")) },
		"a frame's head": func(r *raw) { r.Write([]byte("\x00\x00\x20\x01\x05\x00\x00\x00\x03")) },
	} {
		s := startH2(t, false, Settings{Limits: Limits{HeadTimeout: 100 * time.Millisecond, IdleTimeout: time.Hour}}, func(v Visitor) {
			if v.Target() == "/held" {
				<-v.Context().Done()
				return
			}
			reply(v, "ok")
		})
		r := dialRaw(t, s)
		<-time.After(200 * time.Millisecond) // no wait for an event: an idle connection has more time than a head
		r.do(r.open(1, true, "GET", "/"))
		if got := r.fate(1); got != "200" {
			t.Errorf("%s: the time for a head ended an idle connection: %s", name, got)
		}
		begin(r)
		if _, err := r.goneAway(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	s := startH2(t, true, Settings{Limits: Limits{HeadTimeout: 100 * time.Millisecond}}, func(v Visitor) { t.Error("it came through") })
	for _, part := range []string{"", http2.ClientPreface[:10], http2.ClientPreface, http2.ClientPreface + "\x00\x00\x00"} {
		c := dialTLS(t, s, "h2")
		io.WriteString(c, part)
		if _, err := io.Copy(io.Discard, c); err != nil && strings.Contains(err.Error(), "timeout") {
			t.Errorf("%q: the connection stays open", part)
		}
	}
}

func TestIdleHTTP2ConnectionsAreClosed(t *testing.T) {
	s := startH2(t, true, Settings{Limits: Limits{IdleTimeout: 100 * time.Millisecond}}, func(v Visitor) { reply(v, "ok") })
	r := dialRaw(t, s)
	r.do(r.open(1, true, "GET", "/"))
	if got := r.fate(1); got != "200" {
		t.Error(got)
	}
	if code, err := r.goneAway(); err != nil || code != http2.ErrCodeNo {
		t.Errorf("%v, %v", code, err)
	}
}

func TestDrainOnHTTP2(t *testing.T) {
	for kind, secure := range kinds {
		held, release := make(chan struct{}), make(chan struct{})
		s := startH2(t, secure, Settings{Limits: Limits{HeadTimeout: time.Hour}}, func(v Visitor) {
			if v.Target() == "/held" {
				close(held)
				<-release
			}
			reply(v, "whole")
		})
		idle, busy, begun := dialRaw(t, s), dialRaw(t, s), dialRaw(t, s)
		come := func() *client {
			if secure {
				return dialTLS(t, s, "h2")
			}
			return dial(t, s)
		}
		silent, part := come(), come() // neither is waited for
		io.WriteString(part, http2.ClientPreface[:20])
		idle.do(idle.open(1, true, "GET", "/"))
		idle.fate(1)
		busy.do(busy.open(1, true, "GET", "/held"))
		wait(t, held)
		eventually(t, "they are accepted", func() bool { return s.Conns() == 5 })
		ended, began := make(chan error, 1), time.Now()
		go func() { ended <- drain(t, s, patience) }()
		io.Copy(io.Discard, silent.br)
		io.Copy(io.Discard, part.br)
		if took := time.Since(began); took > 8*time.Second {
			t.Errorf("%s: %v for those who said nothing", kind, took)
		}
		for _, r := range []*raw{idle, begun} {
			if code, err := r.goneAway(); err != nil || code != http2.ErrCodeNo && r == idle {
				t.Errorf("%s: %v, %v", kind, code, err)
			}
		}
		f, err := busy.next(http2.FrameGoAway)
		busy.do(err)
		if g := f.(*http2.GoAwayFrame); g.ErrCode != http2.ErrCodeNo || g.LastStreamID != 1 {
			t.Errorf("%s: %v", kind, g)
		}
		select {
		case err := <-ended:
			t.Fatalf("%s: Drain returned %v while a request was under way", kind, err)
		default:
		}
		close(release)
		if got := busy.fate(1); got != "200" {
			t.Errorf("%s: %s", kind, got)
		}
		if err := wait(t, ended); err != nil {
			t.Errorf("%s: Drain: %v", kind, err)
		}
	}
}

func TestTheDeadlineCutsHTTP2(t *testing.T) {
	for name, h := range map[string]handle{
		"waiting": func(v Visitor) { <-v.Context().Done() },
		"reading": func(v Visitor) { io.Copy(io.Discard, v.Body()) },
		"writing": func(v Visitor) {
			v.Answer(200, nil, -1, false)
			for {
				if _, err := v.Write(make([]byte, 1000)); err != nil {
					return
				}
			}
		},
	} {
		for kind, secure := range kinds {
			held := make(chan struct{})
			var ended atomic.Bool
			s := startH2(t, secure, Settings{Limits: Limits{WriteTimeout: patience, BodyGrace: patience}}, func(v Visitor) {
				close(held)
				h(v)
				<-time.After(100 * time.Millisecond) // no wait for an event: somebody who has to tidy up
				ended.Store(true)
			})
			r := dialRaw(t, s)
			r.do(r.open(1, false, "POST", "/"))
			wait(t, held)
			if err := drain(t, s, 50*time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s, %s: Drain: %v", name, kind, err)
			}
			if !ended.Load() {
				t.Errorf("%s, %s: Drain did not wait for the handler", name, kind)
			}
			if _, err := r.goneAway(); err != nil {
				t.Errorf("%s, %s: %v", name, kind, err)
			}
		}
	}
}

// One that will leave says so with its next answer.
func TestOneThatWillLeaveTakesNoMoreStreams(t *testing.T) {
	s := startH2(t, true, Settings{}, func(v Visitor) { v.Answer(204, nil, 0, false) })
	s.SetReady(true)
	r := dialRaw(t, s)
	for i, ready := range []bool{true, false} {
		s.SetReady(ready)
		id := uint32(2*i + 1)
		r.do(r.open(id, true, "GET", "/"))
		if f, err := r.next(http2.FrameHeaders, http2.FrameGoAway); err != nil || f.Header().Type == http2.FrameGoAway && ready {
			t.Errorf("%v, %v", f, err)
		}
	}
	if code, err := r.goneAway(); err != nil || code != http2.ErrCodeNo && code != 999 {
		t.Errorf("%v, %v", code, err)
	}
}

func ExampleLimits_bodyWait() {
	l := Limits{}.withDefaults()
	fmt.Println(l.bodyWait(0, 0), l.bodyWait(500, 0), l.bodyWait(500, 5*time.Second), l.bodyWait(1<<40, 0))
	// Output: 10s 11s 6s 1m0s
}

var _ net.Conn = (*streams)(nil)
