//go:build linux

package main

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"net"
	"strconv"
	"time"
)

// patience is how long a visitor's connection may be in use.
const patience = time.Minute

// visitor is one keep-alive connection, from an address of its own. It is not safe for concurrent use, except that one may
// write while another reads.
type visitor struct {
	to   string
	from net.IP
	tls  *tls.Config // nil: in the clear
	conn net.Conn    // nil: not connected
	buf  []byte
}

// newVisitor returns the nth visitor.
func newVisitor(to string, n int) *visitor {
	return &visitor{to: to, from: net.IPv4(127, 0, byte(1+n/200), byte(1+n%200)), buf: make([]byte, 64<<10)}
}

func (v *visitor) dial() error {
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: v.from}, Timeout: patience}
	c, err := d.Dial("tcp", v.to)
	if err != nil {
		return err
	}
	_ = c.SetDeadline(time.Now().Add(patience)) // longer than any run; not set for each request, which costs
	if v.tls != nil {
		if c, err = shake(c, v.tls); err != nil {
			return err
		}
	}
	v.conn = c
	return nil
}

func (v *visitor) close() {
	if v.conn != nil {
		_ = v.conn.Close()
		v.conn = nil
	}
}

// ask sends a request and reads its answer.
func (v *visitor) ask(ask *question) error {
	if v.conn == nil {
		if err := v.dial(); err != nil {
			return err
		}
	}
	if _, err := v.conn.Write(ask.wire); err != nil {
		v.close()
		return err
	}
	return v.read(ask)
}

// read reads one answer. Whatever is not what was wanted is an error, and ends the connection, as "Connection: close" does.
func (v *visitor) read(ask *question) error {
	n, end, err := readHead(v.conn, v.buf, 0)
	if err != nil {
		v.close()
		return err
	}
	head := v.buf[:end]
	closes := bytes.EqualFold(field(head, "connection"), []byte("close"))
	length, found := fieldLength(head)
	if err := ask.wants(head, length, found); err != nil {
		v.close()
		return err
	}
	for left := length - (n - end); left != 0; {
		if left < 0 {
			v.close()
			return fmt.Errorf("%d bytes after the answer", -left)
		}
		got, err := v.conn.Read(v.buf[:min(left, len(v.buf))])
		if left -= got; got == 0 && err != nil {
			v.close()
			return err
		}
	}
	if closes {
		v.close()
	}
	return nil
}

// question is a request and what answer is wanted.
type question struct {
	wire   []byte
	status int
	length int // of the body; -1: any
}

func (q *question) wants(head []byte, length int, found bool) error {
	const before = len("HTTP/1.1 ")
	status := 0
	if len(head) > before+3 {
		status, _ = strconv.Atoi(string(head[before : before+3]))
	}
	switch {
	case status != q.status:
		return fmt.Errorf("status %d instead of %d: %q", status, q.status, head)
	case !found:
		return fmt.Errorf("an answer without a length: %q", head)
	case q.length >= 0 && length != q.length:
		return fmt.Errorf("%d bytes instead of %d: %q", length, q.length, head)
	}
	return nil
}

// session is the cookie that visitors carry.
const session = "sid=8f14e45fceea167a5a36dedd4bea2543"

// newQuestion returns what a browser would send.
func newQuestion(method, path string, carries bool, body []byte, status, length int) *question {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", method, path, host)
	b.WriteString("User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n" +
		"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\nAccept-Language: en-US,en;q=0.5\r\n")
	if carries {
		b.WriteString("Cookie: theme=dark; " + session + "\r\n")
	}
	if body != nil {
		fmt.Fprintf(&b, "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n", len(body))
	}
	b.WriteString("\r\n")
	b.Write(body)
	return &question{wire: b.Bytes(), status: status, length: length}
}
