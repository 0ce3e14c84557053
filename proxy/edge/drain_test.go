package edge

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// drain drains s with so much time, and fails the test where it hangs.
func drain(t *testing.T, s *Server, limit time.Duration) error {
	t.Helper()
	ended := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		ended <- s.Drain(ctx)
	}()
	return wait(t, ended)
}

func TestDrainLetsWhatIsUnderWayFinish(t *testing.T) {
	held, release := make(chan struct{}), make(chan struct{})
	s := start(t, Settings{}, func(v Visitor) {
		if v.Target() == "/held" {
			close(held)
			<-release
		}
		reply(v, "whole")
	})
	idle := dial(t, s)
	idle.send("GET / HTTP/1.1\nHost: a\n\n")
	idle.answer("GET")
	c := dial(t, s)
	c.send("GET /held HTTP/1.1\nHost: a\n\n")
	wait(t, held)
	ended := make(chan error, 1)
	go func() { ended <- drain(t, s, patience) }()
	idle.ended()
	eventually(t, "nobody is accepted", func() bool {
		c, err := net.Dial("tcp", s.Address().String())
		if err == nil {
			c.Close()
		}
		return err != nil
	})
	select {
	case err := <-ended:
		t.Fatalf("Drain returned %v while a request was under way", err)
	default:
	}
	close(release)
	if res, body := c.answer("GET"); body != "whole" || !res.Close {
		t.Errorf("got %q, close %v", body, res.Close)
	}
	c.ended()
	if err := wait(t, ended); err != nil {
		t.Errorf("Drain: %v", err)
	}
}

// net/http by itself waits five seconds for such connections.
func TestDrainDoesNotWaitForConnectionsNeverUsed(t *testing.T) {
	s := start(t, Settings{}, func(v Visitor) { reply(v, "") })
	var open []*client
	for _, part := range []string{"", "GET / HT"} {
		c := dial(t, s)
		c.send(part)
		open = append(open, c)
	}
	eventually(t, "they are accepted", func() bool { return s.Conns() == len(open) })
	began := time.Now()
	if err := drain(t, s, patience); err != nil {
		t.Errorf("Drain: %v", err)
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("Drain took %v", took)
	}
	for _, c := range open {
		c.ended()
	}
}

func TestTheDeadlineCuts(t *testing.T) {
	for name, tt := range map[string]struct {
		request string
		h       func(held chan struct{}) handle
	}{
		"waiting": {"GET / HTTP/1.1\nHost: a\n\n", func(held chan struct{}) handle {
			return func(v Visitor) {
				close(held)
				<-v.Context().Done()
				v.Abort()
			}
		}},
		"waiting, the body not read": {upload, func(held chan struct{}) handle {
			return func(v Visitor) {
				close(held)
				<-v.Context().Done()
				v.Abort()
			}
		}},
		"waiting, the body too slow": {upload, func(held chan struct{}) handle {
			return func(v Visitor) {
				if _, err := io.Copy(io.Discard, v.Body()); !errors.Is(err, errSlow) {
					t.Errorf("got %v, want errSlow", err)
				}
				close(held)
				<-v.Context().Done()
				v.Abort()
			}
		}},
		"reading": {upload, func(held chan struct{}) handle {
			return func(v Visitor) {
				close(held)
				io.Copy(io.Discard, v.Body())
				v.Abort()
			}
		}},
		"writing": {"GET / HTTP/1.1\nHost: a\n\n", func(held chan struct{}) handle {
			return func(v Visitor) {
				close(held)
				v.Answer(200, nil, -1, false)
				for {
					if _, err := v.Write(make([]byte, 1000)); err != nil {
						v.Abort()
						return
					}
				}
			}
		}},
		"upgraded": {wish, func(held chan struct{}) handle {
			return func(v Visitor) {
				_, early, err := v.Upgrade(switched)
				if err != nil {
					t.Errorf("Upgrade: %v", err)
				}
				close(held)
				io.Copy(io.Discard, early)
				<-v.Context().Done()
			}
		}},
	} {
		held := make(chan struct{})
		limits := Limits{WriteTimeout: patience, BodyGrace: patience}
		if name == "waiting, the body too slow" {
			limits = brisk
		}
		s := start(t, Settings{Limits: limits}, tt.h(held))
		c := dial(t, s)
		c.send(tt.request)
		wait(t, held)
		if err := drain(t, s, 50*time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: Drain: %v", name, err)
		}
		_, err := io.Copy(io.Discard, c.br)
		if ne, ok := err.(net.Error); ok && ne.Timeout() {
			t.Errorf("%s: the connection stays open", name)
		}
		if n := s.Conns(); n != 0 {
			t.Errorf("%s: %d connections are left", name, n)
		}
	}
}

func TestDrainWithoutServe(t *testing.T) {
	for _, network := range []string{"tcp", "unix"} {
		address := map[string]string{"tcp": "127.0.0.1:0", "unix": t.TempDir() + "/s"}[network]
		l, err := Listen(network, address)
		if err != nil {
			t.Fatal(err)
		}
		s := NewServer(l, handle(func(Visitor) {}), Settings{})
		for range 2 {
			if err := drain(t, s, patience); err != nil {
				t.Errorf("%s: Drain: %v", network, err)
			}
		}
		if c, err := net.Dial(network, l.Addr().String()); err == nil {
			c.Close()
			t.Errorf("%s: it still listens", network)
		}
		s.Serve() // returns, since it is over
	}
}

func TestDrainTwice(t *testing.T) {
	held, release := make(chan struct{}), make(chan struct{})
	s := start(t, Settings{}, func(v Visitor) {
		close(held)
		<-release
		reply(v, "whole")
	})
	c := dial(t, s)
	c.send("GET / HTTP/1.1\nHost: a\n\n")
	wait(t, held)
	ended := make(chan error, 2)
	for range 2 {
		go func() { ended <- drain(t, s, patience) }()
	}
	close(release)
	for range 2 {
		if err := wait(t, ended); err != nil {
			t.Errorf("Drain: %v", err)
		}
	}
	expired, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.Drain(expired); err != nil {
		t.Errorf("nothing is left, and yet Drain: %v", err)
	}
	if _, body := c.answer("GET"); body != "whole" {
		t.Errorf("got %q", body)
	}
}

// Visitors come in while Drain begins, is cut, and ends: each gets a whole answer or an error, and Drain waits for all.
func TestDrainInTheMiddleOfARush(t *testing.T) {
	for i := range 20 {
		var busy sync.WaitGroup
		l, err := Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		s := NewServer(l, handle(func(v Visitor) { reply(v, "whole") }), Settings{})
		var serving sync.WaitGroup
		serving.Go(s.Serve)
		begun := make(chan struct{}, 1000)
		for range 8 {
			busy.Go(func() {
				for {
					c, err := net.Dial("tcp", l.Addr().String())
					if err != nil {
						return
					}
					c.SetDeadline(time.Now().Add(patience))
					io.WriteString(c, "GET / HTTP/1.0\r\n\r\n")
					got, err := io.ReadAll(c)
					c.Close()
					if err == nil && len(got) > 0 && !bytes.HasSuffix(got, []byte("whole")) {
						t.Errorf("got %q", got)
					}
					select {
					case begun <- struct{}{}:
					default:
					}
				}
			})
		}
		wait(t, begun)
		limit := patience
		if i%2 == 0 {
			limit = time.Duration(i) * 50 * time.Microsecond
		}
		if err := drain(t, s, limit); err != nil && limit == patience {
			t.Errorf("Drain: %v", err)
		}
		if n := s.Conns(); n != 0 {
			t.Errorf("%d connections are left", n)
		}
		busy.Wait()
		serving.Wait()
	}
}

func TestAListenerThatDiesIsLogged(t *testing.T) {
	l, err := Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var log logged
	startOn(t, l, Settings{Log: log.logger()}, func(Visitor) {})
	l.Close()
	eventually(t, "it is logged", func() bool { return log.String() != "" })
}
