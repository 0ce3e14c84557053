//go:build unix

package edge

import (
	"net"
	"syscall"
)

// rawOf returns what tryRead needs; nil where there is none, as for TLS.
func rawOf(c net.Conn) syscall.RawConn {
	if s, ok := c.(syscall.Conn); ok {
		if raw, err := s.SyscallConn(); err == nil {
			return raw
		}
	}
	return nil
}

// tryRead reads if there is something to read, and holds no buffer otherwise.
func (c *conn) tryRead(fd uintptr) bool {
	v := c.take()
	for {
		c.n, c.err = syscall.Read(int(fd), v.in[v.w:])
		if c.err != syscall.EINTR {
			break
		}
	}
	if c.err == syscall.EAGAIN {
		c.rest()
		return false
	}
	return true
}
