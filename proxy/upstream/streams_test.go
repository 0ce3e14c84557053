package upstream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

// A backend that takes one request at a time gets a connection for each; one that takes many gets one connection, though they all
// come at once.
func TestPlacesOnConnections(t *testing.T) {
	for _, most := range []uint32{1, 3, 100} {
		var conns, most2 atomic.Int64
		release := make(chan struct{})
		p := pool(t, framer(t, func(f *peer) {
			conns.Add(1)
			var open []uint32
			heads := make(chan uint32)
			go func() {
				defer close(heads)
				for head := f.request(); head != nil; head = f.request() {
					heads <- head.StreamID
				}
			}()
			for id := range heads {
				open = append(open, id)
				most2.Store(max(most2.Load(), int64(len(open))))
				if len(open) == int(most) || most == 100 && len(open) == 12 {
					<-release
					for _, id := range open {
						f.head(id, true, ":status=200")
					}
					open = nil
				}
			}
		}, http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: most}))
		var wg sync.WaitGroup
		for range 12 {
			wg.Go(func() {
				c, err := p.Claim(nil)
				if err != nil {
					t.Error(err)
					return
				}
				defer c.End(Result{})
				a, err := c.Send(deadline(t), get("/"))
				if err != nil {
					t.Error(err)
					return
				}
				a.Body.Close()
			})
		}
		want := int64(max(1, 12/most))
		eventually(t, "all are under way", func() bool { return conns.Load() == want && p.InFlight() == 12 })
		close(release)
		wg.Wait()
		if most2.Load() > int64(most) || conns.Load() != want {
			t.Errorf("%d at most: %d at once, %d connections", most, most2.Load(), conns.Load())
		}
	}
}

// One after the other, requests share a connection, even where it has one place.
func TestAPlaceIsFreeWhenTheAnswerIsClosed(t *testing.T) {
	var conns atomic.Int64
	p := pool(t, framer(t, func(f *peer) {
		conns.Add(1)
		for head := f.request(); head != nil; head = f.request() {
			f.head(head.StreamID, false, ":status=200")
			_ = f.WriteData(head.StreamID, true, []byte("hi"))
		}
	}, http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 1}))
	for i := range 100 {
		r := &Request{Method: "POST", Target: "/", Host: "a"}
		if i%2 == 0 {
			r.Body, r.Length = &interruptible{strings.NewReader("abc")}, 3
		}
		c := claim(t, p)
		a, err := c.Send(deadline(t), r)
		if err != nil {
			t.Fatal(err)
		}
		if got := all(t, a.Body); got != "hi" {
			t.Errorf("got %q", got)
		}
		a.Body.Close()
		c.End(Result{})
	}
	if n := conns.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

// A backend that takes nothing of a body can still answer, and is told of an end, whatever the answer has come to.
func TestAWindowOfNothing(t *testing.T) {
	resets := make(chan http2.ErrCode, 4)
	p := pool(t, framer(t, func(f *peer) {
		for {
			frame, err := f.next()
			if err != nil {
				return
			}
			switch frame := frame.(type) {
			case *http2.MetaHeadersFrame:
				switch frame.PseudoValue("path") {
				case "/answer":
					f.head(frame.StreamID, false, ":status=200")
					_ = f.WriteData(frame.StreamID, true, []byte("enough"))
				case "/head":
					f.head(frame.StreamID, true, ":status=200")
				case "/half":
					f.head(frame.StreamID, false, ":status=200")
				}
			case *http2.RSTStreamFrame:
				resets <- frame.ErrCode
			case *http2.DataFrame:
				if len(frame.Data()) > 0 {
					t.Error("a body was sent")
				}
			}
		}
	}, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0}))
	for _, target := range []string{"/answer", "/head", "/half", "/none"} {
		ctx, cancel := context.WithCancel(context.Background())
		body := &watched{Reader: &endless{}, begun: make(chan struct{}), cut: func() {}}
		if target == "/half" || target == "/none" {
			time.AfterFunc(50*time.Millisecond, func() { // the body is waited with, most likely
				<-body.begun
				cancel()
			})
		}
		a, err := claim(t, p).Send(ctx, &Request{Method: "POST", Target: target, Host: "a", Body: body, Length: -1})
		var got []byte
		if err == nil {
			got, err = io.ReadAll(a.Body)
			a.Body.Close()
		}
		if want := map[string]string{"/answer": "enough"}[target]; string(got) != want || (ctx.Err() != nil) != errors.Is(err, ErrCancelled) {
			t.Errorf("%s: %q, %v", target, got, err)
		}
		select {
		case <-resets:
		case <-time.After(patience):
			t.Fatalf("%s: the backend is not told", target)
		}
		cancel()
	}
	if n := links(p); n != 1 {
		t.Errorf("%d connections", n)
	}
}

// A connection on which nothing comes any more gets no more requests; one on which others are answered does.
func TestAConnectionThatHangs(t *testing.T) {
	for _, lively := range []bool{false, true} {
		arrived := make(chan uint32, 4)
		p := pool(t, framer(t, func(f *peer) {
			for {
				frame, err := f.ReadFrame()
				if err != nil {
					return
				}
				head, ok := frame.(*http2.MetaHeadersFrame)
				switch {
				case !ok: // not even its PINGs are answered
				case head.PseudoValue("path") == "/late" && f.n == 1:
					if lively {
						_ = f.WritePing(false, [8]byte{1})
					}
					arrived <- head.StreamID
				default:
					f.head(head.StreamID, true, ":status=200", fmt.Sprintf("x-conn=%d", f.n))
				}
			}
		}))
		ctx, cancel := context.WithCancelCause(context.Background())
		go func() {
			<-arrived
			time.Sleep(20 * time.Millisecond) // a PING arrives, where there is one
			cancel(ErrLate)
		}()
		_, err := claim(t, p).Send(ctx, get("/late"))
		if !errors.Is(err, ErrLate) {
			t.Errorf("got %v", err)
		}
		a := send(t, p, get("/"))
		if got := a.Head.Get("X-Conn"); (got == "1") != lively {
			t.Errorf("lively %v: the next request went over connection %s", lively, got)
		}
		cancel(nil)
	}
}

func TestWhatIsCalledBackIsNotSentByHTTP2(t *testing.T) {
	var seen atomic.Int64
	b, _ := cleartext(t, func(http.ResponseWriter, *http.Request) { seen.Add(1) })
	p := pool(t, b)
	for _, called := range []bool{true, false, true} {
		for range 50 {
			ctx, cancel := context.WithCancel(context.Background())
			r := &Request{Method: "POST", Target: "/", Host: "a", Body: strings.NewReader("abc"), Length: 3}
			if called {
				r.Sending = cancel
			}
			c := claim(t, p)
			a, err := c.Send(ctx, r)
			if err == nil {
				a.Body.Close()
			}
			if c.End(Result{Err: err}); called != errors.Is(err, ErrCancelled) {
				t.Errorf("called back %v: %v", called, err)
			}
			cancel()
		}
	}
	if n := seen.Load(); n != 50 {
		t.Errorf("the backend saw %d requests; want the 50 that were not called back", n)
	}
	eventually(t, "every place is free again", func() bool {
		l := p.backends[0].streams.links
		return len(l) == 1 && l[0].InFlight() == 0
	})
}

// Whoever leaves, and whenever, and however many there are: everybody gets his own answer.
func TestNoAnswerIsSwappedByHTTP2(t *testing.T) {
	bothStreams(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Target", r.RequestURI)
		_, _ = io.Copy(w, r.Body)
	}, func(t *testing.T, p *Pool) {
		var whole, gone atomic.Int64
		var wg sync.WaitGroup
		for worker := range 8 {
			wg.Go(func() {
				for i := range 100 {
					target := fmt.Sprintf("/%d/%d", worker, i)
					ctx, cancel := context.WithCancel(context.Background())
					timer := time.AfterFunc(time.Duration(rand.IntN(5000))*time.Microsecond, cancel)
					text := strings.Repeat(target, rand.IntN(1+i*20))
					r := &Request{Method: "POST", Target: target, Host: "a", Body: &interruptible{strings.NewReader(text)}, Length: -1}
					c, err := p.Claim(nil)
					if err != nil {
						t.Error(err)
					}
					a, err := c.Send(ctx, r)
					if err == nil {
						var got []byte
						got, err = io.ReadAll(a.Body)
						if a.Head.Get("X-Target") != target || err == nil && string(got) != text || !strings.HasPrefix(text, string(got)) {
							t.Errorf("asked for %s, got %.40q of %s", target, got, a.Head.Get("X-Target"))
						}
						a.Body.Close()
					}
					switch {
					case err == nil:
						whole.Add(1)
					case errors.Is(err, ErrCancelled):
						gone.Add(1)
					default:
						t.Errorf("%s: %v", target, err)
					}
					c.End(Result{Err: err})
					timer.Stop()
					cancel()
				}
			})
		}
		wg.Wait()
		if whole.Load() == 0 || gone.Load() == 0 {
			t.Errorf("%d whole, %d cut: nothing was tried", whole.Load(), gone.Load())
		}
	})
}
