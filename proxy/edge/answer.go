package edge

import (
	"errors"
	"strings"

	"gatehouse/proxy/h1"
)

var (
	errAnswered = errors.New("the answer has been given already")
	errNoAnswer = errors.New("there is no answer that this could belong to")
	errStatus   = errors.New("this status cannot be sent so")
	errLong     = errors.New("more than the answer's length")
)

// invite sends 100 Continue.
func (v *visit) invite() {
	v.writing.Lock()
	defer v.writing.Unlock()
	if !v.answered {
		v.out = append(v.out, h1.ContinueAnswer...)
		_ = v.Flush() // who is gone will be noticed by reading
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
	case v.req.Minor == 0: // HTTP/1.0 knows none (RFC 9110 section 15.2)
		return nil
	}
	own, _ := sift(head)
	var err error
	if v.out, err = h1.AppendAnswer(v.out, status, own, h1.Framing{}, h1.Unsaid); err != nil {
		return err
	}
	return v.Flush()
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
	v.answered = true
	if v.body != nil && v.body.length < 0 && length < 0 && status == 200 {
		v.body.release()
	}
	v.bodiless = status == 204 || status == 304 || v.req.Method == "HEAD"
	f := h1.Framing{Kind: h1.ByLength, Length: length}
	switch {
	case status == 304 || v.bodiless && length < 0:
		f = h1.Framing{}
	case length >= 0:
	case v.req.Minor > 0:
		f, v.trailers = h1.Framing{Kind: h1.Chunked}, trailers
	default:
		f = h1.Framing{Kind: h1.ToClose}
	}
	v.framing, v.left = f.Kind, f.Length
	v.closeAfter = v.closeAfter || f.Kind == h1.ToClose || v.body.hopeless() || v.conn.server.leaving()
	connection := h1.Unsaid
	switch {
	case v.closeAfter:
		connection = h1.Close
	case v.req.Minor == 0:
		connection = h1.KeepAlive
	}
	own, dated := sift(head)
	var err error
	if v.out, err = h1.AppendAnswer(v.out, status, own, f, connection); err != nil {
		return err
	}
	if !dated {
		v.out = v.conn.server.clock.appendDate(v.out)
	}
	if hsts := v.conn.hsts(); hsts != "" && !head.Has(hstsName) {
		v.out = appendHSTS(v.out, hsts)
	}
	return nil
}

// sift leaves out the lines that concern the connection or frame the message, and reports whether there is a Date.
func sift(head h1.Head) (own h1.Head, dated bool) {
	foreign := false
	for i := range head {
		switch name := head[i].Name; len(name) {
		case len("Date"):
			dated = dated || strings.EqualFold(name, "Date")
		case len("Trailer"), len("Connection"): // and Keep-Alive
			foreign = foreign || ofConnection(name)
		}
	}
	if !foreign {
		return head, dated
	}
	own = make(h1.Head, 0, len(head))
	for _, l := range head {
		if !ofConnection(l.Name) {
			own = append(own, l)
		}
	}
	return own, dated
}

func ofConnection(name string) bool {
	return strings.EqualFold(name, "Connection") || strings.EqualFold(name, "Trailer") || strings.EqualFold(name, "Keep-Alive")
}

// Write gathers what is small, and passes what is large on without copying it.
func (v *visit) Write(p []byte) (int, error) {
	switch {
	case !v.answered || v.upgraded || v.trailed:
		return 0, errNoAnswer
	case v.failed != nil:
		return 0, v.failed
	case v.req.Method == "HEAD" || len(p) == 0:
		return len(p), nil
	case v.bodiless || v.framing == h1.ByLength && int64(len(p)) > v.left:
		return 0, errLong
	}
	v.left -= int64(len(p))
	end := ""
	if v.framing == h1.Chunked {
		v.out, end = h1.AppendChunkHead(v.out, len(p)), h1.ChunkEnd
	}
	if len(v.out)+len(p)+len(end) <= outSize {
		v.out = append(append(v.out, p...), end...)
		return len(p), nil
	}
	if len(v.out) == 0 {
		v.failed = v.conn.send(p)
	} else {
		v.pieces = [3][]byte{v.out, p, nil}
		v.many = v.pieces[:2]
		if end != "" {
			v.pieces[2] = chunkEnd
			v.many = v.pieces[:]
		}
		v.failed = v.conn.sendAll(&v.many)
		clear(v.pieces[:])
	}
	v.out = v.room[:0]
	if v.failed != nil {
		return 0, v.failed
	}
	return len(p), nil
}

// chunkEnd is only read.
var chunkEnd = []byte(h1.ChunkEnd)

func (v *visit) Flush() error {
	if v.failed == nil && len(v.out) > 0 {
		v.failed = v.conn.send(v.out)
		v.out = v.room[:0]
	}
	return v.failed
}

func (v *visit) SendTrailer(trailer h1.Head) error {
	switch {
	case !v.answered:
		return errNoAnswer
	case !v.trailers || v.trailed || v.bodiless:
		return nil
	}
	v.trailed = true
	v.out = h1.AppendLastChunk(v.out, trailer)
	return v.failed
}
