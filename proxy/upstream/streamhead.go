package upstream

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"slices"
	"strings"

	"gatehouse/proxy/h1"
)

// checkStream returns ErrRequest where r cannot be sent by HTTP/2. What HTTP/1 would not write is not written here either.
func (r *Request) checkStream(w *way) error {
	if err := r.check(); err != nil {
		return err
	}
	if r.Upgrade != "" {
		return fmt.Errorf("%w: an upgrade to %q over HTTP/2", ErrRequest, r.Upgrade)
	}
	var room [512]byte
	if _, err := h1.AppendRequest(room[:0], r.Method, r.Target, r.authority(w), nil, h1.Framing{}, h1.Unsaid); err != nil {
		return fmt.Errorf("%w: %s %q for host %q", ErrRequest, r.Method, r.Target, r.authority(w))
	}
	return nil
}

func (r *Request) authority(w *way) string {
	if r.Host == "" {
		return w.host
	}
	return r.Host
}

// request is r as net/http sends it. The lines of a name keep their order; the names have none among each other, and cookies are sent
// one by one (RFC 9113 section 8.2.3).
func (s *stream) request(r *Request, w *way) *http.Request {
	host := r.authority(w)
	to := &url.URL{Scheme: "http", Host: host, Opaque: r.Target}
	if w.trust != nil {
		to.Scheme = "https"
	}
	if r.Target != "*" {
		// Scheme and host are cut off again, and what is left is sent byte for byte.
		to.Opaque = "//" + host + r.Target
	}
	out := &http.Request{Method: r.Method, URL: to, Host: host, Header: make(http.Header, len(r.Head)+1)}
	out.Header["User-Agent"] = nil // none but the visitor's own
	for _, l := range r.Head {
		name := textproto.CanonicalMIMEHeaderKey(l.Name)
		if !r.ours(name, l.Value) {
			out.Header[name] = append(out.Header[name], l.Value)
		}
	}
	if s.body != nil {
		out.ContentLength = s.body.length
		if s.body.lines != nil {
			out.Trailer = make(http.Header) // not nil: lines may come
			for name := range strings.SplitSeq(r.Announced, ",") {
				if name = textproto.CanonicalMIMEHeaderKey(strings.Trim(name, " \t")); name != "" && !r.ours(name, "") {
					out.Trailer[name] = nil
				}
			}
		}
		out.Body = s.reader(out)
	}
	t := s.try
	return out.WithContext(httptrace.WithClientTrace(s.ctx, &httptrace.ClientTrace{
		WroteHeaders: func() { t.wrote.Store(true) },
		Got1xxResponse: func(status int, head textproto.MIMEHeader) error {
			return t.inform(status, http.Header(head))
		},
	}))
}

// ours reports whether a line, by its canonical name, is not sent from a Request's head over HTTP/2: it is this hop's, or the
// transport's own (RFC 9113 section 8.2.2).
func (r *Request) ours(name, value string) bool {
	switch name {
	case "Connection", "Proxy-Connection", "Keep-Alive", "Transfer-Encoding", "Upgrade", "Http2-Settings", "Content-Length", "Host",
		"Expect", "Trailer":
		return true
	case "Te":
		return !strings.EqualFold(value, "trailers")
	}
	return false
}

// inform takes an interim answer in. It is called by the transport's reader, and an error ends the stream.
func (t *try) inform(status int, head http.Header) error {
	if status == 101 {
		return errSwitch
	}
	if t.informed++; t.informed > maxInterim {
		return errInterim
	}
	if status == 100 {
		return nil
	}
	lines, err := lines(head)
	if err == nil {
		t.interim <- interim{status, lines} // there is room
	}
	return err
}

const (
	maxLines   = 200
	maxTrailer = 8 << 10 // bytes of a trailer section
)

var (
	errStatus  = errors.New("not a status")
	errLines   = errors.New("too many field lines")
	errTrailer = errors.New("a trailer section that is too large")
)

// lines is a head as it came, as far as net/http tells: the lines of a name in their order, the names in that of the alphabet.
func lines(from http.Header) (h1.Head, error) {
	n := 0
	for _, values := range from {
		n += len(values)
	}
	if n > maxLines {
		return nil, errLines
	}
	head := make(h1.Head, 0, n)
	for name, values := range from {
		for _, v := range values {
			v = strings.Trim(v, " \t")
			if !h1.ValidName(name) || !h1.ValidValue(v) {
				return nil, fmt.Errorf("field %q", name)
			}
			if name != "Content-Length" {
				head = append(head, h1.Line{Name: name, Value: v})
			}
		}
	}
	slices.SortStableFunc(head, func(a, b h1.Line) int { return strings.Compare(a.Name, b.Name) })
	return head, nil
}

// finalStatus is that of an answer, if it has one.
func finalStatus(res *http.Response) (int, error) {
	code, _, _ := strings.Cut(res.Status, " ")
	if len(code) != 3 || code[0] < '2' || code[0] > '9' {
		return 0, fmt.Errorf("%w: %q", errStatus, code)
	}
	return res.StatusCode, nil
}

// lateLines is a trailer section, without what would frame or route a message.
func lateLines(from http.Header) (h1.Head, error) {
	size := 0
	for name, values := range from {
		for _, v := range values {
			size += len(name) + len(v) + len(": \r\n")
		}
	}
	if size > maxTrailer {
		return nil, errTrailer
	}
	head, err := lines(from)
	head.DelFunc(func(l h1.Line) bool { return early(l.Name) })
	return head, err
}

// early reports whether a line, by its canonical name, comes too late in a trailer (RFC 9110 section 6.5.1).
func early(name string) bool {
	switch name {
	case "Content-Length", "Transfer-Encoding", "Host", "Connection", "Trailer":
		return true
	}
	return false
}

// give puts a request's trailer where the transport finds it.
func give(to http.Header, trailer h1.Head) {
	for _, l := range trailer {
		name := textproto.CanonicalMIMEHeaderKey(l.Name)
		if h1.ValidName(l.Name) && h1.ValidValue(l.Value) && !early(name) {
			to[name] = append(to[name], l.Value)
		}
	}
}
