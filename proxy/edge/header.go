package edge

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"io"

	"github.com/pires/go-proxyproto"
)

// The sizes of PROXY headers (https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt, sections 2.1 and 2.2).
const (
	shortest  = len("PROXY UNKNOWN\r\n") // of version 1; version 2 is longer by one byte
	longest   = 107                      // of version 1
	fixed     = 16                       // bytes of version 2 before the addresses
	mostAfter = 4 << 10                  // of version 2, behind these; the addresses of Unix sockets have 216
)

var errHeader = errors.New("no PROXY header of TCP")

// readHeader reads the header that a PROXY connection begins with, and not a byte more, so that whatever reads on need know nothing
// of it. From then on peer and local are those that the header says; the header of a connection of the proxy's own (LOCAL, UNKNOWN), or of
// one that came over a Unix socket, leaves them. The deadline is the caller's.
func (c *conn) readHeader() error {
	raw, err := cutHeader(c.below)
	if err != nil {
		return err
	}
	h, err := proxyproto.Read(bufio.NewReaderSize(bytes.NewReader(raw), len(raw)))
	switch {
	case err != nil:
		return err
	case h.Command.IsLocal() || h.TransportProtocol.IsUnix():
		return nil
	}
	from, to, ok := h.TCPAddrs()
	if !ok {
		return errHeader
	}
	c.peer, c.local = addrPort(from), addrPort(to)
	return nil
}

// cutHeader reads as much as the header says it has, as far as there may be one. What it returns was not looked at otherwise.
func cutHeader(r io.Reader) ([]byte, error) {
	raw := make([]byte, shortest, longest)
	if _, err := io.ReadFull(r, raw); err != nil {
		return nil, err
	}
	more := func(n int) error {
		begin := len(raw)
		raw = append(raw, make([]byte, n)...)
		_, err := io.ReadFull(r, raw[begin:])
		return err
	}
	switch {
	case bytes.HasPrefix(raw, proxyproto.SIGV2):
		if err := more(fixed - shortest); err != nil {
			return nil, err
		}
		n := int(binary.BigEndian.Uint16(raw[fixed-2:]))
		if n > mostAfter {
			return nil, errHeader
		}
		return raw, more(n)
	case bytes.HasPrefix(raw, proxyproto.SIGV1):
		for raw[len(raw)-1] != '\n' {
			if len(raw) == longest {
				return nil, errHeader
			}
			if err := more(1); err != nil {
				return nil, err
			}
		}
		return raw, nil
	}
	return nil, errHeader
}
