package edge

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/proxy/h1"
)

var switched = h1.Head{{Name: "Connection", Value: "Upgrade"}, {Name: "Upgrade", Value: "websocket"}}

const wish = "GET /socket HTTP/1.1\nHost: a\nConnection: Upgrade\nUpgrade: websocket\n\n"

// echo sends back what comes until its end, which it passes on as a half-close.
func echo(t *testing.T) handle {
	return func(v Visitor) {
		conn, early, err := v.Upgrade(switched)
		if err != nil {
			t.Errorf("Upgrade: %v", err)
			return
		}
		io.Copy(conn, early)
		if v.Context().Err() != nil {
			t.Error("the visitor ended his way only, and is taken for gone")
		}
		io.WriteString(conn, "last")
		conn.(interface{ CloseWrite() error }).CloseWrite()
		io.Copy(io.Discard, early)
	}
}

func TestUpgradeIsTransparent(t *testing.T) {
	sent := make([]byte, 1<<20)
	rand.Read(sent)
	for name, begin := range map[string]func(*testing.T, Settings, handle) *Server{"tcp": start, "unix": startUnix} {
		for _, early := range []int{0, 1, 5000} {
			t.Run(name, func(t *testing.T) {
				s := begin(t, Settings{}, echo(t))
				c := dial(t, s)
				wrote := make(chan struct{})
				go func() {
					defer close(wrote)
					c.Write(append([]byte(strings.ReplaceAll(wish, "\n", "\r\n")), sent[:early]...))
					for rest := sent[early:]; len(rest) > 0; {
						n := min(len(rest), 1+int(rest[0])*97)
						if _, err := c.Write(rest[:n]); err != nil {
							t.Error(err)
							return
						}
						rest = rest[n:]
					}
					c.Conn.(interface{ CloseWrite() error }).CloseWrite()
				}()
				status, head := c.head()
				if status != "HTTP/1.1 101 Switching Protocols" || !slices.Equal(head, switched) {
					t.Errorf("got %q %q", status, head)
				}
				got, err := io.ReadAll(c.br)
				if err != nil || !bytes.Equal(got, append(slices.Clone(sent), "last"...)) {
					t.Errorf("%d of %d bytes came back, %v", len(got), len(sent)+4, err)
				}
				<-wrote
				eventually(t, "the connection is counted no more", func() bool { return s.Conns() == 0 })
			})
		}
	}
}

func TestAnUpgradeIsClosedWithItsExchange(t *testing.T) {
	for name, end := range map[string]func(net.Conn){"left open": func(net.Conn) {}, "a panic": func(net.Conn) { panic("a bug") }} {
		s := start(t, Settings{}, func(v Visitor) {
			conn, _, err := v.Upgrade(switched)
			if err != nil {
				t.Errorf("%s: Upgrade: %v", name, err)
			}
			end(conn)
		})
		c := dial(t, s)
		c.send(wish)
		c.head()
		c.ended()
	}
}

func TestUpgradesThatCannotBe(t *testing.T) {
	s := start(t, Settings{}, func(v Visitor) {
		if v.Target() == "/late" {
			reply(v, "page")
			if _, _, err := v.Upgrade(switched); err == nil {
				t.Error("upgraded after the answer")
			}
			return
		}
		if _, _, err := v.Upgrade(switched); !errors.Is(err, ErrNoUpgrade) {
			t.Errorf("with a body: got %v, want ErrNoUpgrade", err)
		}
		reply(v, "page")
	})
	c := dial(t, s)
	for _, request := range []string{
		"GET /late HTTP/1.1\nHost: a\n\n", "POST / HTTP/1.1\nHost: a\nUpgrade: websocket\nConnection: Upgrade\nContent-Length: 3\n\nabc",
	} {
		c.send(request)
		if _, body := c.answer("GET"); body != "page" {
			t.Errorf("got %q", body)
		}
	}
}

func TestLinesThatWouldBreakAnUpgradesHeadAreLeftOut(t *testing.T) {
	s := start(t, Settings{}, func(v Visitor) {
		v.Upgrade(append(h1.Head{{Name: "A", Value: "b\r\nC: d"}, {Name: "E F", Value: "g"}}, switched...))
	})
	c := dial(t, s)
	c.send(wish)
	if _, head := c.head(); !slices.Equal(head, switched) {
		t.Errorf("head %q", head)
	}
}

func TestAnUpgradeHasNoDeadline(t *testing.T) {
	const short = 50 * time.Millisecond
	s := start(t, Settings{Limits: Limits{WriteTimeout: short, HeadTimeout: short, IdleTimeout: short}}, func(v Visitor) {
		conn, early, err := v.Upgrade(switched)
		if err != nil {
			t.Errorf("Upgrade: %v", err)
			return
		}
		<-time.After(2 * short) // no wait for an event: nothing may end by then
		if _, err := io.CopyN(conn, early, 4); err != nil {
			t.Errorf("after a while: %v", err)
		}
	})
	c := dial(t, s)
	c.send(wish)
	c.head()
	<-time.After(2 * short)
	c.send("ping")
	if got, err := io.ReadAll(c.br); string(got) != "ping" {
		t.Errorf("got %q, %v", got, err)
	}
}
