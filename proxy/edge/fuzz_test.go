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
		go func() {
			c.Write(sent)
			c.(*net.TCPConn).CloseWrite()
		}()
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
