package upstream

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// telling is a context that tells one listener of its end, without a goroutine or an allocation for that.
type telling struct {
	done chan struct{}
	stop func() bool // made once
	told sync.WaitGroup

	mu  sync.Mutex
	err error
	f   func() // nil: nobody listens
}

func newTelling() *telling {
	c := &telling{done: make(chan struct{})}
	c.stop = func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		kept := c.f != nil
		c.f = nil
		return kept
	}
	return c
}

func (c *telling) Deadline() (time.Time, bool) { return time.Time{}, false }
func (c *telling) Done() <-chan struct{}       { return c.done }
func (c *telling) Value(any) any               { return nil }
func (c *telling) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

func (c *telling) AfterFunc(f func()) func() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		c.told.Go(f)
	} else {
		c.f = f
	}
	return c.stop
}

// end ends it: its Err is the cause, and a cancellation as well.
func (c *telling) end(cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = fmt.Errorf("%w (%w)", cause, context.Canceled)
	close(c.done)
	if c.f != nil {
		c.told.Go(c.f)
		c.f = nil
	}
}

// What becomes of an exchange does not depend on the kind of its context.
func TestAContextMayTellOfItsEndItself(t *testing.T) {
	gone := errors.New("gone")
	for _, tt := range []struct {
		name       string
		cause      error
		want, deny error
	}{
		{"the visitor is gone", gone, ErrCancelled, ErrLate},
		{"it is late", ErrLate, ErrLate, ErrCancelled},
		{"for somebody's deadline", fmt.Errorf("%w: %w", gone, context.DeadlineExceeded), ErrCancelled, ErrLate},
	} {
		for _, when := range []string{"before", "head", "body", "chunks"} {
			t.Run(tt.name+"/"+when, func(t *testing.T) {
				asked, left := make(chan struct{}, 1), make(chan struct{}, 1)
				p := pool(t, raw(t, func(c net.Conn, br *bufio.Reader) {
					if _, err := readHead(br); err != nil {
						return
					}
					switch when {
					case "body":
						_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nx")
					case "chunks":
						_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n")
					}
					asked <- struct{}{}
					_, _ = br.ReadByte()
					left <- struct{}{}
				}))
				ctx := newTelling()
				if when == "before" {
					ctx.end(tt.cause)
				} else {
					var ending sync.WaitGroup
					defer ending.Wait()
					ending.Go(func() { <-asked; ctx.end(tt.cause) })
				}
				a, err := claim(t, p).Send(ctx, &Request{Method: "GET", Target: "/"})
				if err == nil {
					_, err = io.ReadAll(a.Body)
					a.Body.Close()
				}
				if !errors.Is(err, tt.want) || errors.Is(err, tt.deny) || !errors.Is(err, tt.cause) {
					t.Errorf("%v; want %v, for %v", err, tt.want, tt.cause)
				}
				ctx.told.Wait()
				if when != "before" {
					<-left
				}
				b := p.backends[0]
				if n := b.idle.len(); n != 0 {
					t.Errorf("%d connections are kept", n)
				}
			})
		}
	}
}

// A claim is counted off once, by whichever copy comes first, and not for another one that was made since.
func TestAnEndIsOneClaimsOnly(t *testing.T) {
	p := NewPool(named("a"), nil)
	defer p.Close()
	one := mustClaim(t, p, nil)
	other := one
	one.End(Result{Status: 200})
	two := mustClaim(t, p, nil)
	three := mustClaim(t, p, nil)
	other.End(Result{Err: ErrConnect})
	one.End(Result{Err: ErrBroken})
	if s := p.Status()[0]; s.InFlight != 2 || s.Failures != 0 || other.Backend() == "" {
		t.Errorf("%+v after the end of one, twice more than once; want two in flight", s)
	}
	three.End(Result{Err: ErrBroken})
	two.End(Result{})
	two.End(Result{})
	if s := p.Status()[0]; s.InFlight != 0 || s.Failures != 1 {
		t.Errorf("%+v; want none in flight and one failure", s)
	}
}

// The last moment for that is the same by HTTP/2, whose own context may hear of it later.
func TestWhatAnotherContextCallsBackIsNotSentByHTTP2(t *testing.T) {
	var seen atomic.Int64
	bothStreams(t, func(http.ResponseWriter, *http.Request) { seen.Add(1) }, func(t *testing.T, p *Pool) {
		seen.Store(0)
		why := errors.New("the store closed")
		for range 300 {
			ctx := newTelling()
			claim, err := p.Claim(nil)
			if err != nil {
				t.Fatal(err)
			}
			r := &Request{Method: "POST", Target: "/", Host: "a", Sending: func() { ctx.end(why) }}
			if a, err := claim.Send(ctx, r); err == nil {
				_ = a.Body.Close()
				t.Error("there was an answer")
			}
			claim.End(Result{})
			ctx.told.Wait()
		}
		if a := send(t, p, &Request{Method: "GET", Target: "/", Host: "a"}); a.Status != 200 {
			t.Fatal(a.Status)
		} else {
			_ = a.Body.Close()
		}
		if n := seen.Load(); n != 1 { // the one that asks whether there were others before it
			t.Errorf("the backend saw %d of 300 requests that were called back", n-1)
		}
	})
}
