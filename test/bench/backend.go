//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
)

// backend is the app behind every proxy: it reads just enough of a request to know where it ends, and answers by its path with
// bytes that were made before, or as a WebSocket. It understands no chunked bodies, which no proxy here makes of a request that has a
// length.
//
// Make one with newBackend; its owner must close it.
type backend struct {
	listener net.Listener
	answers  map[string][]byte

	mu    sync.Mutex
	conns map[net.Conn]struct{}
	wg    sync.WaitGroup
}

func newBackend() (*backend, error) {
	l, err := net.Listen("tcp", "127.0.0.1:"+freePort())
	if err != nil {
		return nil, err
	}
	b := &backend{listener: l, conns: map[net.Conn]struct{}{}, answers: map[string][]byte{
		"/1k":    answer("200 OK", "", 1000),
		"/100k":  answer("200 OK", "", 100_000),
		"/post":  answer("200 OK", "", 100),
		"/login": answer("303 See Other", "Location: /members\r\nSet-Cookie: "+session+"; Path=/; HttpOnly; SameSite=Lax\r\n", 0),
	}}
	b.wg.Go(b.accept)
	return b, nil
}

func answer(status, lines string, length int) []byte {
	head := fmt.Sprintf("HTTP/1.1 %s\r\nDate: Thu, 01 Jan 2026 00:00:00 GMT\r\nServer: app\r\nContent-Type: text/html; charset=utf-8\r\n"+
		"Cache-Control: private\r\n%sContent-Length: %d\r\n\r\n", status, lines, length)
	return append([]byte(head), bytes.Repeat([]byte("x"), length)...)
}

func (b *backend) address() string { return b.listener.Addr().String() }

func (b *backend) accept() {
	for {
		c, err := b.listener.Accept()
		if err != nil {
			return
		}
		b.mu.Lock()
		b.conns[c] = struct{}{}
		b.mu.Unlock()
		b.wg.Go(func() {
			// A proxy that closes its connection, or breaks it, is done with it.
			_ = b.serve(c)
			b.mu.Lock()
			delete(b.conns, c)
			b.mu.Unlock()
			_ = c.Close()
		})
	}
}

var (
	errChunked = errors.New("a body without a length")
	errHead    = errors.New("a head that is too long")
)

func (b *backend) serve(c net.Conn) error {
	buf, have := make([]byte, 32<<10), 0
	for {
		n, end, err := readHead(c, buf, have)
		if err != nil {
			return err
		}
		head := buf[:end]
		length, found := fieldLength(head)
		if !found && field(head, "transfer-encoding") != nil {
			_, _ = c.Write(answer("501 Not Implemented", "Connection: close\r\n", 0))
			return errChunked
		}
		_, after, _ := bytes.Cut(head, []byte(" "))
		path, _, _ := bytes.Cut(after, []byte(" "))
		if string(path) == "/socket" {
			return sendBack(c, buf, copy(buf, buf[end:n]))
		}
		reply, known := b.answers[string(path)]
		if !known {
			reply = answer("404 Not Found", "", 0)
		}
		for n-end < length {
			rest := length - (n - end)
			got, err := c.Read(buf[end:min(len(buf), end+rest)])
			if err != nil {
				return err
			}
			length -= got
		}
		if _, err := c.Write(reply); err != nil {
			return err
		}
		have = copy(buf, buf[end+length:n])
	}
}

func (b *backend) close() {
	_ = b.listener.Close()
	b.mu.Lock()
	for c := range b.conns {
		_ = c.Close()
	}
	b.mu.Unlock()
	b.wg.Wait()
}

// readHead reads until buf holds the whole head of a message, of which there are have bytes already. It returns how many bytes
// there are now, and where the head ends.
func readHead(r io.Reader, buf []byte, have int) (n, end int, err error) {
	for n = have; ; {
		if i := bytes.Index(buf[:n], []byte("\r\n\r\n")); i >= 0 {
			return n, i + 4, nil
		}
		if n == len(buf) {
			return n, 0, errHead
		}
		got, err := r.Read(buf[n:])
		if n += got; got == 0 && err != nil {
			return n, 0, err
		}
	}
}

// fieldLength returns the Content-Length of a head, 0 where it has none.
func fieldLength(head []byte) (int, bool) {
	n, err := strconv.Atoi(string(field(head, "content-length")))
	return n, err == nil
}

// field returns the value of the first line with that name, which must be in small letters; nil where there is none.
func field(head []byte, name string) []byte {
	for {
		i := bytes.IndexByte(head, '\n')
		if i < 0 {
			return nil
		}
		head = head[i+1:]
		if len(head) > len(name) && head[len(name)] == ':' && (head[0]|0x20) == name[0] && bytes.EqualFold(head[:len(name)], []byte(name)) {
			value, _, _ := bytes.Cut(head[len(name)+1:], []byte("\r"))
			return bytes.TrimSpace(value)
		}
	}
}
