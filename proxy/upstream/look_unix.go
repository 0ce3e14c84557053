//go:build unix

package upstream

import (
	"io"
	"syscall"
)

// readNow reads from a socket that does not block, as Go's own are. No bytes and no error: there is nothing yet.
func readNow(fd uintptr, p []byte) (int, error) {
	for {
		n, err := syscall.Read(int(fd), p)
		switch {
		case err == syscall.EINTR:
		case err == syscall.EAGAIN:
			return 0, nil
		case err != nil:
			return 0, err
		case n <= 0:
			return 0, io.EOF
		default:
			return n, nil
		}
	}
}
