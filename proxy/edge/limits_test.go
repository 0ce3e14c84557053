package edge

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"gatehouse/proxy/h1"
)

func TestSlowHeadsAreCut(t *testing.T) {
	s := start(t, Settings{Limits: Limits{HeadTimeout: 100 * time.Millisecond}}, func(v Visitor) { reply(v, "ok") })
	cut := func(c *client) { // with a 408, or without a word where nothing came
		t.Helper()
		rest, err := io.ReadAll(c.br)
		if ne, ok := err.(net.Error); ok && ne.Timeout() || len(rest) > 0 && !strings.HasPrefix(string(rest), "HTTP/1.1 408 ") {
			t.Errorf("%q came, and %v", rest, err)
		}
	}
	for _, part := range []string{"", "G", "GET / HTTP/1.1\nHost: a\n"} {
		c := dial(t, s)
		c.send(part)
		cut(c)
	}
	c := dial(t, s) // the same for the second request on a connection
	c.send("GET / HTTP/1.1\nHost: a\n\n")
	c.answer("GET")
	c.send("GET / HTTP/1.1\nHo")
	cut(c)
}

func TestIdleConnectionsAreClosed(t *testing.T) {
	s := start(t, Settings{Limits: Limits{IdleTimeout: 100 * time.Millisecond}}, func(v Visitor) { reply(v, "ok") })
	c := dial(t, s)
	c.send("GET / HTTP/1.1\nHost: a\n\n")
	c.answer("GET")
	c.ended()
}

func TestBigHeadsAreRefused(t *testing.T) {
	s := start(t, Settings{}, func(v Visitor) { reply(v, v.Head().Get("X")) })
	c := dial(t, s)
	big := strings.Repeat("x", 30<<10)
	c.send("GET / HTTP/1.1\nHost: a\nX: " + big + "\n\n")
	if _, body := c.answer("GET"); body != big {
		t.Errorf("%d bytes came through, want 30 KiB", len(body))
	}
	c = dial(t, s)
	go io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\nX: "+strings.Repeat("x", 40<<10)+"\r\n\r\n")
	if res, _ := c.answer("GET"); res.StatusCode != 431 || !res.Close {
		t.Errorf("got %d, want 431", res.StatusCode)
	}
}

func TestSlowReadersAreCut(t *testing.T) {
	limits := Limits{WriteTimeout: 200 * time.Millisecond}
	for name, h := range map[string]handle{
		"one answer": func(v Visitor) {
			v.Answer(200, nil, -1, false)
			for {
				if _, err := v.Write(make([]byte, 32<<10)); err != nil {
					break
				}
			}
			<-v.Context().Done()
			v.Abort()
		},
		"one write": func(v Visitor) {
			v.Answer(200, nil, 1<<30, false)
			if _, err := v.Write(make([]byte, 1<<30)); err == nil {
				t.Error("a gigabyte was taken")
			}
		},
	} {
		ended := make(chan struct{})
		s := start(t, Settings{Limits: limits}, func(v Visitor) {
			defer close(ended)
			h(v)
		})
		c := dial(t, s)
		c.send("GET / HTTP/1.1\nHost: a\n\n")
		select {
		case <-ended:
		case <-time.After(patience):
			t.Errorf("%s: a visitor who does not read is waited for", name)
		}
	}
}

// Many small answers that nobody reads fill the connection as one large one does, and may be sent when the handler has returned.
// Somebody on a poor line who reads all the time is not cut, however long it takes.
func TestSteadyReadersAreNotCut(t *testing.T) {
	failed := make(chan error, 1)
	const size = 12 << 20 // more than the kernels hold
	s := start(t, Settings{Limits: Limits{WriteTimeout: time.Second}}, func(v Visitor) {
		v.Answer(200, nil, size, false)
		_, err := v.Write(make([]byte, size))
		failed <- err
	})
	c := dial(t, s)
	_ = c.Conn.(*net.TCPConn).SetReadBuffer(64 << 10)
	c.send("GET / HTTP/1.1\nHost: a\n\n")
	buf := make([]byte, 32<<10)
	for began := time.Now(); time.Since(began) < 4*time.Second; time.Sleep(50 * time.Millisecond) { // 640 kB a second
		if _, err := c.Read(buf); err != nil {
			t.Fatalf("a steady reader was cut after %v: %v", time.Since(began), err)
		}
		select {
		case err := <-failed:
			t.Fatalf("a steady reader was given up after %v: %v", time.Since(began), err)
		default:
		}
	}
}

func TestSlowReadersOfManyAnswersAreCut(t *testing.T) {
	limits := Limits{WriteTimeout: 200 * time.Millisecond}
	for _, request := range []string{"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET /ready HTTP/1.1\r\nHost: a\r\n\r\n"} {
		s := start(t, Settings{Limits: limits, Live: Live{Health: "/ready"}}, func(v Visitor) { reply(v, strings.Repeat("x", 3000)) })
		c := dial(t, s)
		c.SetDeadline(time.Now().Add(2 * patience))
		var err error
		for err == nil { // until our side is full too, or cut
			_, err = io.WriteString(c, strings.Repeat(request, 1000))
		}
		if ne, ok := err.(net.Error); ok && ne.Timeout() {
			t.Errorf("%q: a visitor who does not read is waited for", request)
		}
	}
}

func TestMaxConns(t *testing.T) {
	s := start(t, Settings{Limits: Limits{MaxConns: 2}}, func(v Visitor) {
		if v.Target() == "/upgrade" {
			conn, early, err := v.Upgrade(switched)
			if err != nil {
				t.Error(err)
				return
			}
			io.Copy(conn, early)
			return
		}
		reply(v, "ok")
	})
	one, two, three := dial(t, s), dial(t, s), dial(t, s)
	one.send("GET /upgrade HTTP/1.1\nHost: a\n\n")
	one.head()
	two.send("GET / HTTP/1.1\nHost: a\n\n")
	two.answer("GET")
	three.send("GET / HTTP/1.1\nHost: a\n\n")
	if n := s.Conns(); n != 2 {
		t.Errorf("%d connections, want 2", n)
	}
	three.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	if _, err := three.br.Peek(1); err == nil {
		t.Error("a third connection was served")
	}
	three.SetReadDeadline(time.Now().Add(patience))
	one.Close()
	if _, body := three.answer("GET"); body != "ok" {
		t.Errorf("got %q", body)
	}
}

func TestHealth(t *testing.T) {
	s := start(t, Settings{Live: Live{Health: "/ready"}}, func(v Visitor) {
		v.Answer(404, h1.Head{{Name: "Content-Type", Value: "app"}}, 0, false)
	})
	ask := func(method, target string, status int, want string) {
		t.Helper()
		c := dial(t, s) // one that is not ready keeps no connection
		c.send(method + " " + target + " HTTP/1.1\nHost: a\n\n")
		res, body := c.answer(method)
		if res.StatusCode != status || body != want {
			t.Errorf("%s %s: %d %q, want %d %q", method, target, res.StatusCode, body, status, want)
		}
		if ours := res.Header.Get("Cache-Control") == "no-store" && res.Header.Get("Content-Type") == "text/plain; charset=utf-8"; ours != (status != 404) {
			t.Errorf("%s %s: head %v", method, target, res.Header)
		}
	}
	ask("GET", "/ready", 503, "draining\n")
	s.SetReady(true)
	ask("GET", "/ready", 200, "ready\n")
	ask("HEAD", "/ready", 200, "")
	for _, target := range []string{"/ready/", "/ready?x", "//ready", "/READY", "/%72eady", "/readyz", "http://a/ready"} {
		ask("GET", target, 404, "")
	}
	ask("POST", "/ready", 404, "")
	s.SetReady(false)
	ask("HEAD", "/ready", 503, "")
	s.Set(Live{Health: "/up"})
	ask("GET", "/ready", 404, "")
	ask("GET", "/up", 503, "draining\n")
	s.Set(Live{Health: ""})
	ask("GET", "/up", 404, "")
}

// Before the drain begins a balancer has the time to look elsewhere, and connections go with their answers.
func TestOneThatWillLeaveKeepsNoConnection(t *testing.T) {
	s := start(t, Settings{}, func(v Visitor) { v.Answer(204, nil, 0, false) })
	s.SetReady(true)
	for _, ready := range []bool{true, false} {
		s.SetReady(ready)
		c := dial(t, s)
		c.send("GET / HTTP/1.1\nHost: a\n\n")
		if res, _ := c.answer("GET"); res.Close == ready {
			t.Errorf("ready %v: the connection is closed: %v", ready, res.Close)
		}
	}
}

func TestAHealthCheckWithABodyHoldsNothing(t *testing.T) {
	s := start(t, Settings{Live: Live{Health: "/ready"}}, func(v Visitor) { t.Error("it reached the handler") })
	s.SetReady(true)
	c := dial(t, s)
	c.send("GET /ready HTTP/1.1\nHost: a\nContent-Length: 1000\n\n")
	if _, body := c.answer("GET"); body != "ready\n" {
		t.Errorf("got %q", body)
	}
	c.ended()
}

func TestDefaultsAreSafe(t *testing.T) {
	want := Limits{5 * time.Second, time.Minute, 40 * time.Second, 10 * time.Second, 500, 32 << 10, 20000}
	if got := (Limits{HeadTimeout: -1, MaxConns: -1}).withDefaults(); got != want {
		t.Errorf("got %+v", got)
	}
	some := Limits{1, 2, 3, 4, 5, 6, 7}
	if got := some.withDefaults(); got != some {
		t.Errorf("got %+v", got)
	}
}
