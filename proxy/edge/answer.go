package edge

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"strconv"
	"time"

	"gatehouse/proxy/h1"
)

// ErrNoUpgrade is what Visitor.Upgrade returns where the connection cannot be handed over.
var ErrNoUpgrade = errors.New("this connection cannot be upgraded")

var (
	errAnswered = errors.New("the answer has been given already")
	errStatus   = errors.New("this status cannot be sent so")
)

// invite sends 100 Continue. net/http would do so by itself, but not without running into an interim answer that is being sent
// at the same time.
func (v *visit) invite() {
	v.writing.Lock()
	defer v.writing.Unlock()
	if !v.answered {
		v.w.WriteHeader(http.StatusContinue)
	}
}

func (v *visit) Inform(status int, head h1.Head) error {
	v.writing.Lock()
	defer v.writing.Unlock()
	switch {
	case v.answered:
		return errAnswered
	case status <= 101 || status > 199:
		return errStatus
	case !v.r.ProtoAtLeast(1, 1): // HTTP/1.0 knows none (RFC 9110 section 15.2)
		return nil
	}
	header := v.w.Header()
	add(header, head)
	v.w.WriteHeader(status)
	clear(header)
	return nil
}

func (v *visit) Answer(status int, head h1.Head, length int64, trailers bool) error {
	v.writing.Lock()
	defer v.writing.Unlock()
	switch {
	case v.answered:
		return errAnswered
	case status < 200 || status > 999:
		return errStatus
	}
	v.answered, v.trailers = true, trailers
	header := v.w.Header()
	add(header, head)
	if length >= 0 {
		header.Set("Content-Length", strconv.FormatInt(length, 10))
	}
	if _, ok := header["Content-Type"]; !ok {
		header["Content-Type"] = nil // what the backend did not say is not guessed
	}
	if v.closeAfter || v.body.hopeless() {
		v.closeAfter = true
		header.Set("Connection", "close")
	}
	v.w.WriteHeader(status)
	return nil
}

// add puts lines into a header, but those that are the front end's.
func add(header http.Header, head h1.Head) {
	for _, l := range head {
		if name := textproto.CanonicalMIMEHeaderKey(l.Name); !framing(name) && name != "Connection" {
			header[name] = append(header[name], l.Value)
		}
	}
}

func (v *visit) Write(p []byte) (int, error) { return v.w.Write(p) }
func (v *visit) Flush() error                { return v.control.Flush() }

func (v *visit) SendTrailer(trailer h1.Head) error {
	if !v.trailers {
		return nil
	}
	// A body that is still buffered as a whole would get a length, and no trailer.
	if err := v.control.Flush(); err != nil {
		return err
	}
	header := v.w.Header()
	for _, l := range trailer {
		if name := textproto.CanonicalMIMEHeaderKey(l.Name); !framing(name) {
			name = http.TrailerPrefix + name
			header[name] = append(header[name], l.Value)
		}
	}
	return nil
}

func (v *visit) Upgrade(head h1.Head) (net.Conn, io.Reader, error) {
	v.writing.Lock()
	defer v.writing.Unlock()
	switch {
	case v.answered:
		return nil, nil, errAnswered
	case !v.body.whole():
		return nil, nil, fmt.Errorf("%w: part of the body was not read", ErrNoUpgrade)
	}
	_, buffered, err := v.control.Hijack()
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrNoUpgrade, err)
	}
	v.answered, v.upgraded = true, true
	answer := []byte("HTTP/1.1 101 Switching Protocols\r\n")
	for _, l := range head {
		if h1.ValidName(l.Name) && h1.ValidValue(l.Value) {
			answer = fmt.Appendf(answer, "%s: %s\r\n", l.Name, l.Value)
		}
	}
	if _, err := v.conn.Write(append(answer, "\r\n"...)); err != nil {
		_ = v.conn.Close()
		return nil, nil, err
	}
	v.conn.upgraded.Store(true)
	_ = v.conn.SetDeadline(time.Time{})
	// Read past net/http's reader, which would end the Context when the visitor only ends his way.
	early, _ := buffered.Peek(buffered.Reader.Buffered())
	return v.conn, io.MultiReader(bytes.NewReader(bytes.Clone(early)), v.conn), nil
}

// answerHealth tells a balancer whether more visitors are welcome.
func (v *visit) answerHealth() {
	status, text := http.StatusOK, "ready\n"
	if !v.server.ready.Load() {
		status, text = http.StatusServiceUnavailable, "draining\n"
	}
	head := h1.Head{{Name: "Content-Type", Value: "text/plain; charset=utf-8"}, {Name: "Cache-Control", Value: "no-store"}}
	if err := v.Answer(status, head, int64(len(text)), false); err == nil {
		_, _ = v.Write([]byte(text)) // of an answer to HEAD it is not sent
	}
}
