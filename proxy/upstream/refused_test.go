package upstream

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/http2"
)

// What a backend did not look at is sent again, over another connection, as long as it is whole; and nothing else is.
func TestWhatWasNotLookedAtIsSentAgain(t *testing.T) {
	goAway := func(code http2.ErrCode) func(*peer, uint32) {
		return func(f *peer, id uint32) { _ = f.WriteGoAway(max(id, 2)-2, code, nil) }
	}
	reset := func(code http2.ErrCode) func(*peer, uint32) {
		return func(f *peer, id uint32) { _ = f.WriteRSTStream(id, code) }
	}
	bodies := map[string]func() *Request{
		"none": func() *Request { return &Request{Method: "POST", Target: "/", Host: "a"} },
		"small": func() *Request {
			return &Request{Method: "POST", Target: "/", Host: "a", Body: &interruptible{strings.NewReader("abc")}, Length: 3}
		},
		"streaming": func() *Request {
			return &Request{Method: "POST", Target: "/", Host: "a", Body: &interruptible{strings.NewReader("abc")}, Length: -1}
		},
	}
	for _, tt := range []struct {
		name  string
		leave func(*peer, uint32)
		again bool
	}{
		{"GOAWAY", goAway(http2.ErrCodeNo), true},
		{"GOAWAY, too many", goAway(http2.ErrCodeEnhanceYourCalm), true},
		{"REFUSED_STREAM", reset(http2.ErrCodeRefusedStream), true},
		{"INTERNAL_ERROR", reset(http2.ErrCodeInternal), false},
		{"PROTOCOL_ERROR", reset(http2.ErrCodeProtocol), false},
		{"NO_ERROR", reset(http2.ErrCodeNo), false},
		{"CANCEL", reset(http2.ErrCodeCancel), false},
		{"HTTP_1_1_REQUIRED", reset(http2.ErrCodeHTTP11Required), false},
	} {
		for kind, request := range bodies {
			for used := range 2 {
				var seen atomic.Int64
				p := pool(t, framer(t, func(f *peer) {
					for n := 0; ; n++ {
						head := f.request()
						if head == nil {
							return
						}
						if f.n == 1 && n == used {
							seen.Add(1)
							if kind == "streaming" {
								if frame, err := f.next(); err != nil || frame.Header().Type != http2.FrameData {
									t.Errorf("got %v, %v", frame, err)
								}
							}
							tt.leave(f, head.StreamID)
							continue
						}
						f.head(head.StreamID, true, ":status=200", fmt.Sprintf("x-conn=%d", f.n))
					}
				}))
				for range used {
					send(t, p, get("/")).Body.Close()
				}
				a, err := claim(t, p).Send(deadline(t), request())
				name := fmt.Sprintf("%s, body %s, used %d", tt.name, kind, used)
				switch {
				case tt.again && kind != "streaming":
					if err != nil || a.Status != 200 {
						t.Errorf("%s: %v", name, err)
					}
				case !errors.Is(err, ErrBroken) || errors.Is(err, ErrConnect) || errors.Is(err, ErrRefused) != tt.again:
					t.Errorf("%s: got %v", name, err)
				}
				if err == nil {
					a.Body.Close()
				}
				if n := seen.Load(); n != 1 {
					t.Errorf("%s: seen %d times by the first", name, n)
				}
			}
		}
	}
}

// A backend that refuses everything is asked twice, and another one may be asked whatever it is.
func TestARefusalAllowsAnotherBackend(t *testing.T) {
	var seen atomic.Int64
	p := pool(t, framer(t, func(f *peer) {
		for head := f.request(); head != nil; head = f.request() {
			seen.Add(1)
			_ = f.WriteRSTStream(head.StreamID, http2.ErrCodeRefusedStream)
		}
	}))
	_, err := claim(t, p).Send(deadline(t), &Request{Method: "POST", Target: "/", Host: "a"})
	if !errors.Is(err, ErrRefused) || seen.Load() != 2 || (Result{Err: err}).judge() != bad {
		t.Errorf("got %v after %d requests", err, seen.Load())
	}
	for _, tt := range []struct {
		o    Attempt
		want bool
	}{
		{Attempt{Err: err, Sent: true, HasBody: true}, true},
		{Attempt{Err: err, Sent: true, HasBody: true, BodyRead: true}, false},
		{Attempt{Err: ErrBroken, Sent: true}, false},
	} {
		if got := Again("POST", tt.o); got != tt.want {
			t.Errorf("%+v: %v", tt.o, got)
		}
	}
}

// A connection that was kept and ends as it is used again says nothing of the backend. What does no harm twice is asked anew.
func TestAKeptConnectionThatEndsByHTTP2(t *testing.T) {
	for _, method := range []string{"GET", "POST"} {
		p := pool(t, framer(t, func(f *peer) {
			for n := 0; ; n++ {
				head := f.request()
				if head == nil || f.n == 1 && n == 1 {
					return
				}
				f.head(head.StreamID, true, ":status=200")
			}
		}))
		send(t, p, get("/")).Body.Close()
		a, err := claim(t, p).Send(deadline(t), &Request{Method: method, Target: "/", Host: "a"})
		switch {
		case method == "GET" && err != nil:
			t.Errorf("GET: %v", err)
		case method == "POST" && (!errors.Is(err, ErrStale) || !errors.Is(err, ErrBroken) || errors.Is(err, ErrRefused)):
			t.Errorf("POST: %v", err)
		}
		if err == nil {
			a.Body.Close()
		}
	}
}
