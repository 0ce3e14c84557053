package edge

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// drip sends a piece again and again until the connection ends, and returns how it did.
func drip(c *client, piece string, pause time.Duration) error {
	for {
		if _, err := io.WriteString(c, piece); err != nil {
			return err
		}
		time.Sleep(pause) // the drip itself
	}
}

// A head has its time as a whole, however steadily it drips in.
func TestDrippingHeadsAreCut(t *testing.T) {
	s := start(t, Settings{Limits: Limits{HeadTimeout: 200 * time.Millisecond}}, func(v Visitor) { reply(v, "ok") })
	for name, tt := range map[string]struct{ first, begin, piece string }{
		"lines":             {"", "GET / HTTP/1.1\n", "A: b\r\n"},
		"bytes":             {"", "GET / HTTP/1.1\nA: ", "b"},
		"the second head":   {"GET / HTTP/1.1\nHost: a\n\n", "GET / HTTP/1.1\n", "A: b\r\n"},
		"empty lines first": {"", "\n", ""},
	} {
		c := dial(t, s)
		if tt.first != "" {
			c.send(tt.first)
			c.answer("GET")
		}
		c.send(tt.begin)
		ended := make(chan error, 1)
		go func() { ended <- drip(c, tt.piece, 10*time.Millisecond) }()
		if res, _, err := c.tryAnswer("GET"); err != nil || res.StatusCode != 408 || !res.Close ||
			res.Header.Get("Gatehouse-Outcome") != "rejected; reason=head_timeout" {
			t.Errorf("%s: %+v, %v", name, res, err)
		}
		c.ended()
		c.Close()
		wait(t, ended)
	}
}

// Bytes that are no data earn no time.
func TestDrippingBodiesAreCut(t *testing.T) {
	const chunked = "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n"
	for name, tt := range map[string]struct{ begin, piece string }{
		"data":       {upload, "x"},
		"chunks":     {chunked, "1\r\nx\r\n"},
		"extensions": {chunked + "1;", "x"},
		"a trailer":  {chunked + "0\n", "A: b\r\n"},
	} {
		failed := make(chan error, 1)
		s := start(t, Settings{Limits: brisk}, func(v Visitor) {
			_, err := io.Copy(io.Discard, v.Body())
			failed <- err
			reply(v, "slow")
		})
		c := dial(t, s)
		c.send(tt.begin)
		ended := make(chan error, 1)
		go func() { ended <- drip(c, tt.piece, 10*time.Millisecond) }()
		if err := wait(t, failed); !errors.Is(err, errSlow) {
			t.Errorf("%s: %v", name, err)
		}
		if res, body := c.answer("POST"); body != "slow" || !res.Close {
			t.Errorf("%s: %q", name, body)
		}
		c.ended()
		c.Close()
		wait(t, ended)
	}
}

// Somebody who reads a little now and then, but below the pace, is cut as one who reads nothing.
func TestDrippingReadersAreCut(t *testing.T) {
	failed := make(chan error, 1)
	s := start(t, Settings{Limits: Limits{WriteTimeout: 200 * time.Millisecond}}, func(v Visitor) {
		v.Answer(200, nil, -1, false)
		var err error
		for err == nil {
			_, err = v.Write(make([]byte, 32<<10))
		}
		failed <- err
		v.Abort()
	})
	c := dial(t, s)
	_ = c.Conn.(*net.TCPConn).SetReadBuffer(4 << 10)
	c.send("GET / HTTP/1.1\nHost: a\n\n")
	buf := make([]byte, 64)
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		select {
		case <-failed:
			return
		default:
			c.Read(buf)
		}
	}
	t.Error("a visitor who reads a byte now and then is waited for")
}

// A visitor who never stops sending cannot hold a connection that is to be closed.
func TestWhoNeverStopsSendingIsCut(t *testing.T) {
	s := start(t, Settings{}, func(v Visitor) { reply(v, "page") })
	for _, begin := range []string{"POST / HTTP/1.1\nHost: a\nContent-Length: 100000000000\n\n", "GET / HTTP/1.1\nA B: c\n\n"} {
		c := dial(t, s)
		c.send(begin)
		ended := make(chan error, 1)
		go func() { ended <- drip(c, strings.Repeat("x", 1000), time.Millisecond) }()
		if err := wait(t, ended); err == nil || errors.Is(err, net.ErrClosed) {
			t.Errorf("%v", err)
		} else if ne, ok := err.(net.Error); ok && ne.Timeout() {
			t.Errorf("%q: held for ever", begin)
		}
	}
}
