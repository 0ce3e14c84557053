package upstream

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"gatehouse/proxy/h1"
)

const (
	maxHead    = 64 << 10 // bytes of an answer's head
	maxInterim = 32       // interim answers to one request
)

var (
	errSwitch  = errors.New("a switch to a protocol that was not asked for")
	errInterim = errors.New("too many interim answers")
)

// receive reads heads up to the final one, and tells of those before it.
func (x *exchange) receive(r *Request) error {
	for n := 0; ; n++ {
		if err := x.readHead(); err != nil {
			if n == 0 && x.w == 0 && !x.fresh {
				err = fmt.Errorf("%w: %w", ErrStale, err)
			}
			return err
		}
		x.head.Head.Del("Trailer")
		switch status := x.head.Status; {
		case status == 101:
			if r.Upgrade == "" || !strings.EqualFold(x.head.Head.Get("Upgrade"), r.Upgrade) {
				return errSwitch
			}
			return nil
		case status >= 200:
			x.idleTime = idleTime(x.head.Head)
			return nil
		case n == maxInterim:
			return errInterim
		case status != 100 && r.Inform != nil:
			r.Inform(status, x.head.Head)
		}
	}
}

// readHead reads one head. Its strings are views of a copy of their own: they outlast the exchange in sessions, logs and front
// ends that write later, and a copy of a few hundred bytes costs less than to find out who keeps what.
func (x *exchange) readHead() error {
	limits := h1.Limits{Head: maxHead}
	for seen := x.r; ; {
		if end := headEnd(x.buf[:x.w], seen); end > 0 {
			if _, err := x.head.Parse(bytes.Clone(x.buf[x.r:end]), x.method, limits); err != nil {
				return err
			}
			x.r = end
			return nil
		}
		if x.r < x.w { // wrong already?
			if _, err := x.head.Parse(x.buf[x.r:x.w], x.method, limits); err != h1.ErrMore {
				return err
			}
		}
		seen = max(x.r, x.w-3)
		moved, err := x.fill()
		if err != nil {
			return err
		}
		seen -= moved
	}
}

// headEnd returns the place behind the first empty line that follows a line which ends at or after i; 0: there is none yet. How that
// one ends is not looked at: who reads it says.
func headEnd(buf []byte, i int) int {
	for {
		n := bytes.IndexByte(buf[i:], '\n')
		if n < 0 {
			return 0
		}
		i += n + 1
		if i+1 < len(buf) && buf[i] == '\r' && buf[i+1] == '\n' {
			return i + 2
		}
	}
}

// fill reads more behind what is there, and makes room for it. It returns by how much what is there was moved.
func (x *exchange) fill() (moved int, err error) {
	switch {
	case x.r == x.w:
		moved, x.r, x.w = x.r, 0, 0
	case x.w < len(x.buf):
	case x.r > 0:
		moved = x.r
		x.w = copy(x.buf, x.buf[x.r:x.w])
		x.r = 0
	default:
		x.buf = slices.Grow(x.buf, len(x.buf))
		x.buf = x.buf[:cap(x.buf)]
	}
	n, err := x.conn.Read(x.buf[x.w:])
	x.w += n
	if n > 0 {
		return moved, nil // the error comes again
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return moved, err
}
