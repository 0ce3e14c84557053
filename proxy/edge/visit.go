package edge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/textproto"
	"slices"
	"time"

	"gatehouse/proxy/h1"
)

// ErrNoUpgrade is what Visitor.Upgrade returns where the connection cannot be handed over.
var ErrNoUpgrade = errors.New("this connection cannot be upgraded")

// errAnswered is what a second answer gets.
var errAnswered = errors.New("the answer has been given already")

// visit is a Visitor on net/http's server.
type visit struct {
	server  *Server
	w       http.ResponseWriter
	r       *http.Request
	control *http.ResponseController
	arrived time.Time
	peer    netip.AddrPort
	head    h1.Head
	body    body

	rolled     time.Time // when the write deadline was last moved
	answered   bool
	closeAfter bool
	aborted    bool
	forget     func() // set once upgraded
}

func newVisit(s *Server, w http.ResponseWriter, r *http.Request) *visit {
	v := &visit{server: s, w: w, r: r, control: http.NewResponseController(w), arrived: time.Now(), head: lines(r.Header)}
	v.peer, _ = netip.ParseAddrPort(r.RemoteAddr) // a Unix socket's has none
	v.body = body{from: r.Body, control: v.control, limits: s.limits, empty: r.Body == nil || r.Body == http.NoBody}
	return v
}

// lines returns a header as lines, by name, since net/http has forgotten their order. Those that frame the message are left out.
func lines(header http.Header) h1.Head {
	names := make([]string, 0, len(header))
	n := 0
	for name, values := range header {
		if name != "Content-Length" && name != "Transfer-Encoding" && name != "Trailer" {
			names = append(names, name)
			n += len(values)
		}
	}
	slices.Sort(names)
	head := make(h1.Head, 0, n+6) // room for what the proxy adds
	for _, name := range names {
		for _, value := range header[name] {
			head.Add(name, value)
		}
	}
	return head
}

func (v *visit) Context() context.Context { return v.r.Context() }
func (v *visit) Arrived() time.Time       { return v.arrived }
func (v *visit) Method() string           { return v.r.Method }
func (v *visit) Target() string           { return v.r.RequestURI }
func (v *visit) Host() string             { return v.r.Host }
func (v *visit) Head() *h1.Head           { return &v.head }
func (v *visit) Proto() string            { return v.r.Proto }
func (v *visit) Peer() netip.AddrPort     { return v.peer }
func (v *visit) Secure() bool             { return v.r.TLS != nil }
func (v *visit) Length() int64            { return v.r.ContentLength }
func (v *visit) Body() io.Reader          { return &v.body }
func (v *visit) Trailer() h1.Head         { return lines(v.r.Trailer) }
func (v *visit) CloseAfter()              { v.closeAfter = true }
func (v *visit) Abort()                   { v.aborted = true }

func (v *visit) Inform(status int, head h1.Head) error {
	if v.answered {
		return errAnswered
	}
	header := v.w.Header()
	add(header, head)
	v.w.WriteHeader(status)
	clear(header)
	return nil
}

func (v *visit) Answer(status int, head h1.Head, length int64, _ bool) error {
	if v.answered {
		return errAnswered
	}
	v.answered = true
	header := v.w.Header()
	add(header, head)
	if length >= 0 {
		header.Set("Content-Length", fmt.Sprint(length))
	}
	if _, ok := header["Content-Type"]; !ok {
		header["Content-Type"] = nil // what the backend did not say is not guessed
	}
	if v.closeAfter {
		header.Set("Connection", "close")
	}
	v.roll()
	v.w.WriteHeader(status)
	return nil
}

// add puts lines into a header, but those that frame a message.
func add(header http.Header, head h1.Head) {
	for _, l := range head {
		name := textproto.CanonicalMIMEHeaderKey(l.Name)
		switch name {
		case "Content-Length", "Transfer-Encoding", "Trailer", "Connection":
		default:
			header[name] = append(header[name], l.Value)
		}
	}
}

func (v *visit) Write(p []byte) (int, error) {
	v.roll()
	return v.w.Write(p)
}

func (v *visit) Flush() error {
	v.roll()
	return v.control.Flush()
}

// roll gives the next piece of the answer its time. Once a second is often enough.
func (v *visit) roll() {
	if now := time.Now(); now.Sub(v.rolled) > time.Second {
		v.rolled = now
		_ = v.control.SetWriteDeadline(now.Add(v.server.limits.WriteTimeout + time.Second)) // a test's recorder has none
	}
}

func (v *visit) SendTrailer(trailer h1.Head) error {
	header := v.w.Header()
	for _, l := range trailer {
		name := http.TrailerPrefix + textproto.CanonicalMIMEHeaderKey(l.Name)
		header[name] = append(header[name], l.Value)
	}
	return nil
}

func (v *visit) Upgrade(head h1.Head) (net.Conn, io.Reader, error) {
	if v.answered {
		return nil, nil, errAnswered
	}
	conn, buffered, err := v.control.Hijack()
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrNoUpgrade, err)
	}
	v.answered = true
	v.forget = v.server.take(conn)
	answer := []byte("HTTP/1.1 101 Switching Protocols\r\n")
	for _, l := range head {
		if h1.ValidName(l.Name) && h1.ValidValue(l.Value) {
			answer = fmt.Appendf(answer, "%s: %s\r\n", l.Name, l.Value)
		}
	}
	answer = append(answer, "\r\n"...)
	_ = conn.SetWriteDeadline(time.Now().Add(v.server.limits.WriteTimeout))
	if _, err := conn.Write(answer); err != nil {
		_ = conn.Close()
		return nil, nil, err
	}
	_ = conn.SetDeadline(time.Time{})
	return conn, buffered.Reader, nil
}

// end ends the message after the handler has: a message that was aborted, or never answered, ends in a reset.
func (v *visit) end() {
	if v.forget != nil {
		v.forget()
		return
	}
	v.body.end()
	if v.aborted || !v.answered {
		panic(http.ErrAbortHandler)
	}
	_ = v.control.SetWriteDeadline(time.Time{})
}
