package test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// credulous forwards requests as they come on one connection to a server: it looks for the end of a head and for its length, and
// checks nothing. Many a proxy has been one.
type credulous struct {
	to string

	mu   sync.Mutex // one request at a time
	conn net.Conn   // nil: there is none
	br   *bufio.Reader
}

// startCredulous starts one and returns its address.
func startCredulous(t *testing.T, to string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &credulous{to: to}
	var work sync.WaitGroup
	work.Go(func() {
		for {
			v, err := l.Accept()
			if err != nil {
				return
			}
			work.Go(func() { c.serve(v) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		work.Wait()
		c.hangUp()
	})
	return l.Addr().String()
}

func (c *credulous) serve(v net.Conn) {
	defer v.Close()
	_ = v.SetDeadline(time.Now().Add(5 * time.Second))
	for br := bufio.NewReader(v); ; {
		method, head, body, ok := believe(br)
		if !ok || !c.pass(v, method, head, body) {
			return
		}
	}
}

// believe reads a head up to its first empty line, and a body by the last length or coding that stands in it.
func believe(br *bufio.Reader) (method, head, body string, ok bool) {
	length, chunked := 0, false
	for {
		line, err := br.ReadString('\n')
		if err != nil {
			return "", "", "", false
		}
		bare := strings.TrimSpace(line)
		if bare == "" {
			if head == "" {
				continue
			}
			head += line
			break
		}
		if head == "" {
			method, _, _ = strings.Cut(bare, " ")
		}
		head += line
		name, value, _ := strings.Cut(bare, ":")
		switch value = strings.TrimSpace(value); strings.ToLower(name) {
		case "content-length":
			length, _ = strconv.Atoi(value)
		case "transfer-encoding":
			chunked = value == "chunked"
		}
	}
	if length > 0 {
		b := make([]byte, min(length, 1<<20))
		n, _ := io.ReadFull(br, b)
		return method, head, string(b[:n]), true
	}
	for chunked {
		line, err := br.ReadString('\n')
		body += line
		size, bad := strconv.ParseInt(strings.TrimSpace(line), 16, 32)
		if err != nil || bad != nil {
			return method, head, body, true
		}
		b := make([]byte, max(0, min(size, 1<<20))+2)
		n, _ := io.ReadFull(br, b)
		body += string(b[:n])
		chunked = size > 0
	}
	return method, head, body, true
}

// pass sends a request on and the answer back. It reports whether there may be another.
func (c *credulous) pass(v net.Conn, method, head, body string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn == nil {
		conn, err := net.Dial("tcp", c.to)
		if err != nil {
			return false
		}
		c.conn, c.br = conn, bufio.NewReader(conn)
	}
	_ = c.conn.SetDeadline(time.Now().Add(500 * time.Millisecond))
	if _, err := io.WriteString(c.conn, head+body); err != nil {
		c.hangUp()
		return false
	}
	res, err := http.ReadResponse(c.br, &http.Request{Method: method})
	if err != nil {
		c.hangUp()
		return false
	}
	err = res.Write(v)
	if res.Close || err != nil {
		c.hangUp()
	}
	return err == nil && !res.Close
}

func (c *credulous) hangUp() {
	if c.conn != nil {
		_ = c.conn.Close()
		c.conn = nil
	}
}
