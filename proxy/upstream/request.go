package upstream

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"

	"gatehouse/proxy/h1"
)

// Request is what is sent to a backend. It is only read, and not kept after Send, except for Body and Trailer.
type Request struct {
	Method string
	Target string // in origin form, or "*": sent byte for byte
	Host   string // sent as given; where it is empty, the backend's own
	// Head holds the field lines, without those that belong to one hop: Connection and what it names. Lines that frame the
	// message (Content-Length, Transfer-Encoding, Trailer, Connection, Upgrade), Host and Expect are never sent from here.
	// Names are written in their canonical case, sorted; the lines of one name keep their order.
	Head h1.Head
	// Body is read by another goroutine; nil is none. It is not read any more after Send failed, or the answer's body ended or
	// was closed. If it has a method Interrupt(), that is called to end a Read that is under way then, and waited for;
	// otherwise such a Read may last on, and what it reads is thrown away.
	Body    io.Reader
	Length  int64          // of Body, -1 when it is not known beforehand
	Trailer func() h1.Head // called once after Body returned io.EOF, by who reads it; nil: none. Sent only where Length is -1.
	Upgrade string         // the protocol to ask for, as in "websocket"; "" for none
	// Inform is called with every interim answer but 100 (Continue), in order, never after Send returned; nil: nobody wants
	// them. A backend that sends more than 32 is broken.
	Inform func(status int, head h1.Head)
	// Sending is called before the first byte is written: until it is, the request can be called back, by ending the context,
	// and no backend has seen it. It may be called more than once, from another goroutine. nil: nobody wants to know.
	Sending func()
}

// check returns ErrRequest where r cannot be written.
func (r *Request) check() error {
	switch {
	case !h1.ValidName(r.Method) || r.Method == "CONNECT":
		return fmt.Errorf("%w: method %q", ErrRequest, r.Method)
	case !h1.ValidTarget(r.Target) || r.Target[0] != '/' && r.Target != "*":
		return fmt.Errorf("%w: target %q", ErrRequest, r.Target)
	case !validHost(r.Host):
		return fmt.Errorf("%w: host %q", ErrRequest, r.Host)
	case r.Upgrade != "" && !h1.ValidName(r.Upgrade):
		return fmt.Errorf("%w: upgrade %q", ErrRequest, r.Upgrade)
	}
	for _, l := range r.Head {
		if !h1.ValidName(l.Name) || !h1.ValidValue(l.Value) {
			return fmt.Errorf("%w: field %q", ErrRequest, l.Name)
		}
	}
	return nil
}

// validHost allows what may be in host[:port] and nothing that net/http would drop or rewrite.
func validHost(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c > '~' || c <= ' ' || strings.IndexByte(`"/<>?@\^`+"`{|}#", c) >= 0 {
			return false
		}
	}
	return true
}

// framing reports whether a line of that canonical name is net/http's to write, or nobody's.
func framing(name string) bool {
	switch name {
	case "Host", "Connection", "Content-Length", "Transfer-Encoding", "Trailer", "Upgrade", "Expect":
		return true
	}
	return false
}

// outgoing turns r into net/http's request. The target goes into URL.Opaque, which is written as it is, except that a second
// slash at its start would be read as an authority; the connection puts those slashes back (see conn).
func (r *Request) outgoing(ctx context.Context, b *backend, body *body) *http.Request {
	header := make(http.Header, len(r.Head)+2)
	for _, l := range r.Head {
		if name := textproto.CanonicalMIMEHeaderKey(l.Name); !framing(name) {
			header[name] = append(header[name], l.Value)
		}
	}
	if _, ok := header["User-Agent"]; !ok {
		header["User-Agent"] = []string{""} // net/http's sign to add none
	}
	if r.Upgrade != "" {
		header["Connection"] = []string{"Upgrade"}
		header["Upgrade"] = []string{r.Upgrade}
	}
	target := r.Target[slashes(r.Target):]
	out := &http.Request{
		Method: r.Method,
		URL:    &url.URL{Scheme: "http", Host: strings.TrimPrefix(b.url, "http://"), Opaque: target},
		Host:   r.Host,
		Header: header, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}
	if body != nil {
		out.Body, out.ContentLength = body, r.Length
		if r.Length < 0 && r.Trailer != nil {
			out.Trailer = http.Header{}
			body.trailer = out.Trailer
		}
	}
	return out.WithContext(ctx)
}

// slashes counts those at the start of a target that must be put back.
func slashes(target string) int {
	n := 0
	for n+1 < len(target) && target[n] == '/' && target[n+1] == '/' {
		n++
	}
	return n
}
