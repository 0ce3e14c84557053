package upstream

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A backend closes a kept connection at any moment around its next use. Nothing is sent twice, nothing that it received is said
// not to have been sent, and no answer is another's.
func TestAConnectionThatClosesAsItIsUsedAgain(t *testing.T) {
	var mu sync.Mutex
	received := map[string]int{}
	p := pool(t, raw(t, func(c net.Conn, br *bufio.Reader) {
		for n := 0; ; n++ {
			lines, err := readHead(br)
			if err != nil {
				return
			}
			target := strings.Fields(lines[0])[1]
			mu.Lock()
			received[target]++
			mu.Unlock()
			fmt.Fprintf(c, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(target), target)
			for range rand.IntN(60) * rand.IntN(60) { // about as long as it takes to come back
				_ = time.Now()
			}
			if rand.IntN(3) == 0 {
				return
			}
		}
	}))
	var answered, broken, connect atomic.Int64
	var wg sync.WaitGroup
	for worker := range 2 {
		wg.Go(func() {
			for i := range 2000 {
				target := fmt.Sprintf("/%d/%d", worker, i)
				c, err := p.Claim(nil)
				if err != nil {
					t.Error(err)
					return
				}
				a, err := c.Send(context.Background(), &Request{Method: []string{"GET", "POST"}[i%2], Target: target, Host: "a"})
				if err == nil {
					got, err := io.ReadAll(a.Body)
					if a.Body.Close(); string(got) != target || err != nil {
						t.Errorf("asked for %s, got %q, %v", target, got, err)
					}
					answered.Add(1)
				}
				mu.Lock()
				n := received[target]
				mu.Unlock()
				switch {
				case n > 1:
					t.Errorf("%s was received %d times", target, n)
				case errors.Is(err, ErrConnect):
					connect.Add(1)
					if n > 0 {
						t.Errorf("%s was received, and is said not to have been sent", target)
					}
				case errors.Is(err, ErrBroken):
					broken.Add(1)
				case err != nil:
					t.Error(err)
				}
				c.End(Result{Err: err})
			}
		})
	}
	wg.Wait()
	t.Logf("%d answered, %d broken, %d not sent", answered.Load(), broken.Load(), connect.Load())
	if answered.Load() < 2000 {
		t.Errorf("%d of 4000 were answered", answered.Load())
	}
}

// Whoever leaves, and whenever: the next one on that connection, or with that memory, gets its own answer.
func TestNoAnswerIsSwappedWhenExchangesAreCut(t *testing.T) {
	p := pool(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Target", r.RequestURI)
		if r.Method == "PUT" { // in chunks, with a trailer
			w.Header().Set("Trailer", "X-End")
			_, _ = io.WriteString(w, r.RequestURI)
			w.(http.Flusher).Flush()
			w.Header().Set("X-End", r.RequestURI)
		}
		_, _ = w.Write(body)
	}))
	var whole, gone atomic.Int64
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for i := range 500 {
				target := fmt.Sprintf("/%d/%d", worker, i)
				ctx, cancel := context.WithCancel(context.Background())
				timer := time.AfterFunc(time.Duration(rand.IntN(3000))*time.Microsecond, cancel)
				r := &Request{Method: "GET", Target: target, Host: "a"}
				text := strings.Repeat(target, rand.IntN(1+i*10))
				if i%3 > 0 {
					r.Method, r.Body, r.Length = "POST", &interruptible{Reader: strings.NewReader(text)}, int64(len(text))
				}
				if i%3 == 2 {
					r.Method, r.Length = "PUT", -1
				}
				c, err := p.Claim(nil)
				if err != nil {
					t.Error(err)
				}
				a, err := c.Send(ctx, r)
				if err == nil {
					var got []byte
					got, err = io.ReadAll(a.Body)
					want := map[string]string{"GET": "", "POST": text, "PUT": target + text}[r.Method]
					switch {
					case a.Head.Get("X-Target") != target:
						t.Errorf("asked for %s, got the head of %s", target, a.Head.Get("X-Target"))
					case err == nil && string(got) != want || !strings.HasPrefix(want, string(got)):
						t.Errorf("asked for %s, got %.40q of %.40q", target, got, want)
					case err == nil && r.Method == "PUT" && a.Trailer().Get("X-End") != target:
						t.Errorf("asked for %s, got the trailer %v", target, a.Trailer())
					}
					a.Body.Close()
				}
				switch {
				case err == nil:
					whole.Add(1)
				case errors.Is(err, ErrCancelled):
					gone.Add(1)
				default:
					t.Errorf("%s %s: %v", r.Method, target, err)
				}
				c.End(Result{Err: err})
				timer.Stop()
				cancel()
			}
		})
	}
	wg.Wait()
	t.Logf("%d whole, %d cut", whole.Load(), gone.Load())
	if whole.Load() == 0 || gone.Load() == 0 {
		t.Errorf("%d whole, %d cut: nothing was tried", whole.Load(), gone.Load())
	}
}

type interruptible struct{ io.Reader }

func (*interruptible) Interrupt() {}

// The body of a request is awaited while its connection waits as well, and is closed: another one is taken, nothing is lost.
func TestAConnectionThatClosesWhileABodyIsAwaited(t *testing.T) {
	hangUp, bodies := make(chan struct{}), make(chan string, 4)
	p := pool(t, raw(t, func(c net.Conn, br *bufio.Reader) {
		for {
			lines, err := readHead(br)
			if err != nil {
				return
			}
			if lines[0] == "GET / HTTP/1.1" {
				_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
				<-hangUp
				return
			}
			body := make([]byte, 3)
			_, _ = io.ReadFull(br, body)
			bodies <- string(body)
			_, _ = io.WriteString(c, "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n")
		}
	}))
	send(t, p, get("/")).Body.Close()
	body, w := stalled()
	go func() {
		<-body.begun
		close(hangUp)
		time.Sleep(20 * time.Millisecond) // the end arrives; if not, the test finds less and does not fail
		_, _ = io.WriteString(w, "abc")
		w.Close()
	}()
	a := send(t, p, &Request{Method: "POST", Target: "/", Host: "a", Body: body, Length: 3})
	if got := <-bodies; a.Status != 201 || got != "abc" || len(bodies) > 0 {
		t.Errorf("status %d, received %q and %d more", a.Status, got, len(bodies))
	}
}

// A small message is one write, and so is each chunk of a body.
func TestASmallRequestIsOneWrite(t *testing.T) {
	pieces := make(chan int, 16)
	p := pool(t, raw(t, func(c net.Conn, _ *bufio.Reader) {
		var all strings.Builder
		buf := make([]byte, 64<<10)
		for n := 0; !strings.HasSuffix(all.String(), "the end"); n++ {
			k, err := c.Read(buf)
			if err != nil {
				return
			}
			all.Write(buf[:k])
			pieces <- k
		}
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	}))
	text := strings.Repeat("x", 9000) + "the end"
	send(t, p, &Request{Method: "POST", Target: "/", Host: "a", Head: head("X: " + strconv.Itoa(1)), Length: int64(len(text)),
		Body: &interruptible{io.MultiReader(strings.NewReader(text[:1]), strings.NewReader(text[1:]))}})
	if n := <-pieces; n < len(text) || len(pieces) > 0 {
		t.Errorf("the first read has %d of more than %d bytes, and %d reads follow", n, len(text), len(pieces))
	}
}
