package upstream

import (
	"fmt"
	"io"
	"net/netip"
	"strings"

	"gatehouse/proxy/h1"
)

// Request is what is sent to a backend. It is only read, and not kept after Send, except for Body and Trailer.
type Request struct {
	Method string
	Target string // in origin form, or "*" of OPTIONS: sent byte for byte
	Host   string // sent as given; where it is empty, the backend's own
	// Peer and Local are the ends of the visitor's connection, for a PROXY header; the zero values: not known.
	Peer, Local netip.AddrPort
	// Head holds the field lines, without those that belong to one hop: Connection and what it names. Lines that frame the
	// message (Content-Length, Transfer-Encoding, Trailer, Connection, Upgrade), Host and Expect are never sent from here. All
	// others are sent as they are, in their order.
	Head h1.Head
	// Body is read by Send, or by another goroutine; nil is none. It is not read any more after Send failed, or the answer's
	// body ended or was closed. If it has a method Interrupt(), that is called to end a Read that is under way then, and waited
	// for; otherwise such a Read may last on, and what it reads is thrown away.
	//
	// A body that can be interrupted and is small, by its Length, is sent together with the head once it is there as a whole.
	Body   io.Reader
	Length int64 // of Body, -1 when it is not known beforehand
	// Announced is the list of the names that Trailer's lines will have, for backends that drop what was not announced; "" says nothing.
	Announced string
	Trailer   func() h1.Head // called once after Body returned io.EOF, by who reads it; nil: none. Sent only where Length is -1.
	Upgrade   string         // the protocol to ask for, as in "websocket"; "" for none
	// Inform is called with every interim answer but 100 (Continue), in order, by the goroutine that called Send; nil: nobody
	// wants them. The head is its own to change until it returns, and its strings are its own to keep. A backend that sends more
	// than 32 is broken.
	Inform func(status int, head h1.Head)
	// Sending is called before the first byte is written: until it is, the request can be called back, by ending the context,
	// and no backend has seen it. It may be called more than once, by the goroutine that called Send. nil: nobody wants to know.
	Sending func()
}

// check returns ErrRequest where r cannot be written, as far as writing would not tell. appendHead looks at the lines itself.
func (r *Request) check() error {
	if err := r.checkStart(); err != nil {
		return err
	}
	for i := range r.Head {
		if l := &r.Head[i]; !h1.ValidName(l.Name) || !h1.ValidValue(l.Value) {
			return errLine(l.Name)
		}
	}
	return nil
}

func errLine(name string) error { return fmt.Errorf("%w: field %q", ErrRequest, name) }

func (r *Request) checkStart() error {
	switch {
	case r.Method == "CONNECT":
		return fmt.Errorf("%w: method %q", ErrRequest, r.Method)
	case r.Target == "" || r.Target[0] != '/' && r.Target != "*":
		return fmt.Errorf("%w: target %q", ErrRequest, r.Target)
	case r.Upgrade != "" && !h1.ValidName(r.Upgrade):
		return fmt.Errorf("%w: upgrade %q", ErrRequest, r.Upgrade)
	}
	return nil
}

func (r *Request) hasBody() bool { return r.Body != nil && r.Length != 0 }

// bodiless reports whether a method usually has no body, so that there are backends which take one for their next request.
func bodiless(method string) bool {
	switch method {
	case "GET", "HEAD", "OPTIONS", "TRACE", "DELETE":
		return true
	}
	return false
}

// own reports whether a line is not sent from a Request's head: it is this hop's, or says where the message is for and ends.
func own(name string) bool {
	switch len(name) {
	case len("Host"):
		return strings.EqualFold(name, "Host")
	case len("Expect"):
		return strings.EqualFold(name, "Expect")
	case len("Trailer"):
		return strings.EqualFold(name, "Trailer") || strings.EqualFold(name, "Upgrade")
	case len("Connection"):
		return strings.EqualFold(name, "Connection")
	case len("Content-Length"):
		return strings.EqualFold(name, "Content-Length")
	case len("Transfer-Encoding"):
		return strings.EqualFold(name, "Transfer-Encoding")
	}
	return false
}

// appendHead appends the request's head to dst, last saying that the connection ends with it.
func (r *Request) appendHead(dst []byte, host string, last bool) ([]byte, error) {
	dst, err := h1.AppendRequestStart(dst, r.Method, r.Target, host)
	if err != nil {
		return dst, r.unwritable(host)
	}
	for i := range r.Head {
		l, begin, ok := r.Head[i], len(dst), false
		if dst, ok = h1.AppendLine(dst, l); !ok {
			return dst, errLine(l.Name)
		}
		if own(l.Name) {
			dst = dst[:begin]
		}
	}
	if r.Upgrade != "" {
		dst = append(dst, "Connection: Upgrade\r\n"...)
		dst, _ = h1.AppendLine(dst, h1.Line{Name: "Upgrade", Value: r.Upgrade})
	}
	if r.hasBody() && r.Length < 0 && r.Trailer != nil && r.Announced != "" {
		dst, _ = h1.AppendLine(dst, h1.Line{Name: "Trailer", Value: r.Announced})
	}
	var f h1.Framing
	switch {
	case !r.hasBody():
	case r.Length < 0:
		f.Kind = h1.Chunked
	default:
		f = h1.Framing{Kind: h1.ByLength, Length: r.Length}
	}
	c := h1.Unsaid
	if last {
		c = h1.Close
	}
	if dst, err = h1.AppendRequestEnd(dst, r.Method, f, c); err != nil {
		return dst, r.unwritable(host)
	}
	return dst, nil
}

func (r *Request) unwritable(host string) error {
	return fmt.Errorf("%w: %s %q for host %q", ErrRequest, r.Method, r.Target, host)
}
