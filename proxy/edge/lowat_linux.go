package edge

import (
	"net"
	"syscall"
)

// unsent is how many bytes of an answer may lie in the kernel without having been sent. It wakes a writer when half of them are left,
// so half of them are what a visitor must read in the time that a piece has.
const unsent = 2 * piece

// tcpNotsentLowat is TCP_NOTSENT_LOWAT of tcp(7), which package syscall does not name.
const tcpNotsentLowat = 25

// keepWritesHonest keeps the kernel from taking megabytes for a visitor who reads slowly. Otherwise one write would last until
// a third of them has been read, which for somebody on a poor line is longer than a write may take, and he would be cut off
// although he reads all the time.
func keepWritesHonest(c net.Conn) {
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return
	}
	// Without it the connection works too.
	_ = raw.Control(func(fd uintptr) {
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpNotsentLowat, unsent)
	})
}
