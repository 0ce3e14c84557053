package edge

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"gatehouse/proxy/h1"
)

// streamWriter is what the server's answers can do beyond http.ResponseWriter.
type streamWriter interface {
	http.ResponseWriter
	FlushError() error
	SetWriteDeadline(time.Time) error
}

func (v *stream) writer() streamWriter { return v.w.(streamWriter) }

func (v *stream) Inform(status int, head h1.Head) error {
	switch {
	case v.answered:
		return errAnswered
	case status <= 101 || status > 199:
		return errStatus
	}
	setLines(v.w.Header(), head)
	v.w.WriteHeader(status)
	clear(v.w.Header())
	return v.gone()
}

func (v *stream) Answer(status int, head h1.Head, length int64, trailers bool) error {
	switch {
	case v.answered:
		return errAnswered
	case status < 200 || status > 999:
		return errStatus
	}
	v.answered = true
	if v.length < 0 && length < 0 && status == 200 {
		v.body.release()
	}
	v.bodiless = status == 204 || status == 304 || v.r.Method == "HEAD"
	v.left, v.trailers = length, trailers
	fields := v.w.Header()
	setLines(fields, head)
	if _, ok := fields["Content-Type"]; !ok {
		fields["Content-Type"] = nil // nobody guesses
	}
	if length >= 0 && status != 204 && status != 304 {
		fields.Set("Content-Length", strconv.FormatInt(length, 10))
	}
	if hsts := v.s.hsts(); hsts != "" && fields.Get(hstsName) == "" {
		fields.Set(hstsName, hsts)
	}
	if v.s.server.leaving() && v.s.ends() {
		fields.Set("Connection", "close") // by which the server understands that no more requests are wanted
	}
	v.w.WriteHeader(status)
	return nil
}

// setLines puts a head into a map, as far as HTTP/2 can carry it.
func setLines(fields http.Header, head h1.Head) {
	for _, l := range head {
		if h1.ValidName(l.Name) && h1.ValidValue(l.Value) && !ofConnection(l.Name) && !ofHTTP1(l.Name) {
			name := http.CanonicalHeaderKey(l.Name)
			fields[name] = append(fields[name], l.Value)
		}
	}
}

// ofHTTP1 reports whether a line frames messages of HTTP/1, or concerns its connections (RFC 9113 section 8.2.2).
func ofHTTP1(name string) bool {
	return strings.EqualFold(name, "Content-Length") || strings.EqualFold(name, "Transfer-Encoding") ||
		strings.EqualFold(name, "Upgrade") || strings.EqualFold(name, "Proxy-Connection")
}

// Write passes p on in pieces, each of which has WriteTimeout: the window may be as small as the visitor likes.
func (v *stream) Write(p []byte) (int, error) {
	switch {
	case !v.answered || v.trailed:
		return 0, errNoAnswer
	case v.failed != nil:
		return 0, v.failed
	case v.r.Method == "HEAD" || len(p) == 0:
		return len(p), nil
	case v.bodiless || v.left >= 0 && int64(len(p)) > v.left:
		return 0, errLong
	}
	if v.left >= 0 {
		v.left -= int64(len(p))
	}
	v.unsent = true
	for n := 0; n < len(p); {
		part := p[n:min(len(p), n+piece)]
		v.due.begin(v.s.server.limits.WriteTimeout)
		_, err := v.w.Write(part)
		v.due.end()
		if err != nil {
			v.fail(err)
			return n, err
		}
		n += len(part)
		v.s.credit.wrote(len(part))
	}
	return len(p), nil
}

func (v *stream) Flush() error {
	if !v.answered || v.failed != nil {
		return v.failed
	}
	v.due.begin(v.s.server.limits.WriteTimeout)
	err := v.writer().FlushError()
	v.due.end()
	if v.unsent = false; err != nil {
		v.fail(err)
	}
	return err
}

func (v *stream) SendTrailer(trailer h1.Head) error {
	switch {
	case !v.answered:
		return errNoAnswer
	case !v.trailers || v.trailed || v.bodiless:
		return nil
	}
	v.trailed = true
	fields := v.w.Header()
	for _, l := range trailer {
		if h1.ValidName(l.Name) && h1.ValidValue(l.Value) && !ofConnection(l.Name) && !ofHTTP1(l.Name) {
			name := http.TrailerPrefix + http.CanonicalHeaderKey(l.Name)
			fields[name] = append(fields[name], l.Value)
		}
	}
	return v.gone()
}

// fail notes that the visitor does not take his answer.
func (v *stream) fail(err error) {
	v.failed = err
	v.leave()
}

// gone returns an error where the stream has ended.
func (v *stream) gone() error {
	if v.failed == nil && v.ctx.Err() != nil {
		v.failed = v.ctx.Err()
	}
	return v.failed
}

// due cuts a write that does not come back in time. begin and end belong to who writes. The zero value with a cut is ready.
type due struct {
	cut func()

	mu      sync.Mutex
	timer   *time.Timer
	by      time.Time
	writing bool
}

func (d *due) begin(limit time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.by, d.writing = time.Now().Add(limit), true
	if d.timer == nil {
		d.timer = time.AfterFunc(limit, d.fire)
	} else {
		d.timer.Reset(limit)
	}
}

func (d *due) end() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.writing = false
	d.timer.Stop()
}

// fire may be late: then it means a write that has come back.
func (d *due) fire() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.writing && !time.Now().Before(d.by) {
		d.cut()
	}
}
