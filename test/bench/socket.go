//go:build linux

package main

import (
	"bytes"
	"errors"
	"io"
	"net"
)

// A message of a WebSocket as it goes by (RFC 6455 section 5.2): one frame of text, masked with a key of zeros on the way there.
const (
	spoken     = 100
	frameThere = 2 + 4 + spoken
	frameBack  = 2 + spoken
)

// sockets is the wish to have a message sent back by a WebSocket.
type sockets struct{}

func (sockets) begin(p *process, n int) visit { return &socket{visitor: newVisitor(p.address, n)} }

type socket struct{ *visitor }

// shakeHands is what a browser would send, to a key that stands in RFC 6455 section 1.3.
var shakeHands = []byte("GET /socket HTTP/1.1\r\nHost: " + host + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://" + host + "\r\nCookie: " + session + "\r\n\r\n")

const shaken = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
	"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"

var errNoSocket = errors.New("no WebSocket")

func (s *socket) dial() error {
	if err := s.visitor.dial(); err != nil {
		return err
	}
	if _, err := s.conn.Write(shakeHands); err != nil {
		s.close()
		return err
	}
	n, end, err := readHead(s.conn, s.buf, 0)
	if err == nil && (n != end || !bytes.HasPrefix(s.buf, []byte("HTTP/1.1 101 "))) {
		err = errNoSocket
	}
	if err != nil {
		s.close()
	}
	return err
}

// message is a frame that a visitor sends.
var message = append([]byte{0x81, 0x80 | spoken, 0, 0, 0, 0}, bytes.Repeat([]byte("x"), spoken)...)

func (s *socket) ask() error {
	if s.conn == nil {
		if err := s.dial(); err != nil {
			return err
		}
	}
	_, err := s.conn.Write(message)
	if err == nil {
		_, err = io.ReadFull(s.conn, s.buf[:frameBack])
	}
	if err == nil && (s.buf[0] != 0x81 || s.buf[1] != spoken || s.buf[frameBack-1] != 'x') {
		err = errNoSocket
	}
	if err != nil {
		s.close()
	}
	return err
}

// sendBack is the backend's end of a WebSocket: buf holds have bytes of it already.
func sendBack(c net.Conn, buf []byte, have int) error {
	if _, err := io.WriteString(c, shaken); err != nil {
		return err
	}
	back := append([]byte{0x81, spoken}, make([]byte, spoken)...)
	for {
		for have < frameThere {
			n, err := c.Read(buf[have:])
			if err != nil {
				return err
			}
			have += n
		}
		copy(back[2:], buf[frameThere-spoken:frameThere])
		if _, err := c.Write(back); err != nil {
			return err
		}
		have = copy(buf, buf[frameThere:have])
	}
}
