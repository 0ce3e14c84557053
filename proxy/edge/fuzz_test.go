package edge

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// Whatever comes, the connection ends, nothing panics, and a handler sees only what the contract allows.
func FuzzWhatAStrangerSends(f *testing.F) {
	for _, s := range []string{
		"", "\n", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
		"POST /skip HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "GET /upgrade HTTP/1.1\r\nHost: a\r\n\r\nearly",
		"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n", "HEAD / HTTP/1.0\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"GET http://b/x HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n",
	} {
		f.Add([]byte(s))
	}
	l, err := Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.Fatal(err)
	}
	var log logged
	limits := Limits{HeadTimeout: time.Second, BodyGrace: time.Second}
	s := NewServer(l, handle(func(v Visitor) {
		for _, line := range *v.Head() {
			switch strings.ToLower(line.Name) {
			case "host", "content-length", "transfer-encoding", "trailer":
				panic("head " + line.Name)
			}
			if strings.ContainsAny(line.Value, "\r\n\x00") {
				panic("head " + line.Name)
			}
		}
		if v.Method() == "" || v.Target() == "" && v.Method() != "CONNECT" || v.Length() < -1 || v.Proto() != "HTTP/1.1" && v.Proto() != "HTTP/1.0" {
			panic(fmt.Sprintf("view: %q %q %d %s", v.Method(), v.Target(), v.Length(), v.Proto()))
		}
		switch v.Target() {
		case "/skip":
		case "/upgrade":
			if conn, early, err := v.Upgrade(nil); err == nil {
				io.Copy(conn, early)
				return
			}
		default:
			io.Copy(io.Discard, v.Body())
		}
		reply(v, "ok")
	}), Settings{Log: log.logger(), Limits: limits})
	var serving sync.WaitGroup
	serving.Go(s.Serve)
	f.Cleanup(func() {
		if err := s.Drain(context.Background()); err != nil {
			f.Error(err)
		}
		serving.Wait()
	})
	f.Fuzz(func(t *testing.T, sent []byte) {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(patience))
		var sending sync.WaitGroup
		defer sending.Wait()
		sending.Go(func() {
			c.Write(sent)
			c.(*net.TCPConn).CloseWrite()
		})
		if _, err := io.Copy(io.Discard, c); err != nil {
			if ne, ok := err.(net.Error); ok && ne.Timeout() {
				t.Error("the connection does not end")
			}
		}
		if got := log.String(); got != "" {
			t.Errorf("logged %q", got)
		}
	})
}

// In how many pieces something comes makes no difference to what the handler sees.
func FuzzPiecesMakeNoDifference(f *testing.F) {
	const next = "GET /next HTTP/1.1\r\nHost: a\r\n\r\n"
	for _, s := range []string{
		next + next, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc" + next,
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n" + next,
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\nzz\r\n\r\n" + next,
	} {
		f.Add([]byte(s), uint16(len(s)/2))
	}
	l, err := Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.Fatal(err)
	}
	var seen sync.Map // by the visitor's address: what came of him, one string an exchange
	s := NewServer(l, handle(func(v Visitor) {
		body, err := io.ReadAll(v.Body())
		one := fmt.Sprintf("%s %s %s %q %q %v %q\n", v.Method(), v.Target(), v.Host(), *v.Head(), body, err, v.Trailer())
		before, _ := seen.LoadOrStore(v.Peer(), "")
		seen.Store(v.Peer(), before.(string)+one)
		reply(v, "ok")
	}), Settings{})
	var serving sync.WaitGroup
	serving.Go(s.Serve)
	f.Cleanup(func() {
		if err := s.Drain(context.Background()); err != nil {
			f.Error(err)
		}
		serving.Wait()
	})
	send := func(t *testing.T, pieces ...[]byte) string {
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(patience))
		for _, p := range pieces {
			c.Write(p) // he may have been refused by now
			time.Sleep(100 * time.Microsecond)
		}
		c.(*net.TCPConn).CloseWrite()
		io.Copy(io.Discard, c)
		got, _ := seen.LoadAndDelete(c.LocalAddr().(*net.TCPAddr).AddrPort())
		text, _ := got.(string)
		return text
	}
	f.Fuzz(func(t *testing.T, sent []byte, at uint16) {
		cut := min(int(at), len(sent))
		whole, parts := send(t, sent), send(t, sent[:cut], sent[cut:])
		// Whoever is slow to answer the first may see that the visitor has gone before he looks at the next.
		if !strings.HasPrefix(whole, parts) && !strings.HasPrefix(parts, whole) || (whole == "") != (parts == "") {
			t.Errorf("whole: %s\ncut at %d: %s", whole, cut, parts)
		}
	})
}
