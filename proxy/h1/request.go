package h1

import "strings"

// RequestHead is the head of a request as it came. One is used again for every request of a connection.
//
// Every string is a view of the bytes given to Parse, and valid only as long as those are. The zero value is ready. It is not
// safe for concurrent use.
type RequestHead struct {
	Method   string
	Target   string // in one of the four forms of RFC 9112 section 3.2, byte for byte; bytes above 0x7f are let through
	Host     string // the Host field
	HostSeen bool   // there was one; always so in HTTP/1.1
	Minor    int    // of the version: HTTP/1.0 or HTTP/1.1
	Head     Head   // the lines in their order, without Host, Content-Length and Transfer-Encoding
	Framing  Framing

	Persistent bool // the connection may be used again after this request, as far as its head says
	Continue   bool // the visitor waits for 100 (Continue) before he sends the body; any other Expect is in Head only

	watch watch
}

// Parse reads a head from the start of buf. It returns the number of its bytes, ErrMore while it is not all there, or a
// *Refusal. Up to two empty lines before the request line are skipped, and counted.
//
// After ErrMore it is called again with the same bytes, at the same place or at another, and more behind them. That is cheap
// even for single bytes: only what is new is looked at until the end of the head has come. What is refused does not depend on
// the pieces in which it came, only sometimes how early. After a refusal, Method and Target are what they were read as, or ""
// where the request line itself is at fault; nothing else is set.
func (m *RequestHead) Parse(buf []byte, l Limits) (n int, err error) {
	l = l.orDefault()
	if len(buf) > l.Head {
		buf = buf[:l.Head]
	}
	if !m.watch.due(buf, l.Head) {
		return 0, ErrMore
	}
	n, err = m.read(buf, &l)
	if err = m.watch.done(buf, l.Head, err); err != nil {
		return 0, err
	}
	return n, nil
}

// Reset forgets the message and the bytes it was read from, but keeps the room.
func (m *RequestHead) Reset() {
	clear(m.Head[:cap(m.Head)])
	*m = RequestHead{Head: m.Head[:0]}
}

func (m *RequestHead) read(buf []byte, l *Limits) (int, error) {
	m.Method, m.Target, m.Host, m.HostSeen = "", "", "", false
	m.Head, m.Framing, m.Persistent, m.Continue = m.Head[:0], Framing{}, false, false
	i, err := m.requestLine(buf, l)
	if err != nil {
		return 0, err
	}
	head, s := m.Head, said{length: -1}
	for lines := 0; ; lines++ {
		line, next, err := fieldLine(buf, i)
		if err != nil {
			return 0, err
		}
		i = next
		if line.Name == "" {
			break
		}
		if lines == l.Lines {
			return 0, ErrTooLarge
		}
		if len(line.Name) == len("Host") && sameWord(line.Name, "host") {
			switch {
			case s.hosts:
				return 0, ErrHosts
			case !all(line.Value, hostByte):
				return 0, ErrHost
			}
			s.host, s.hosts = line.Value, true
			continue
		}
		framing, err := s.take(line)
		if err != nil {
			return 0, err
		}
		if !framing {
			head = append(head, line)
		}
	}
	if err := s.check(m.Minor); err != nil {
		return 0, err
	}
	if !s.hosts && m.Minor > 0 {
		return 0, ErrHost
	}
	m.Head, m.Host, m.HostSeen = head, s.host, s.hosts
	m.Framing, m.Persistent = s.request(), s.persists(m.Minor)
	m.Continue = s.expect && m.Minor > 0
	return i, nil
}

// requestLine reads the request line and returns the place behind it.
func (m *RequestHead) requestLine(buf []byte, l *Limits) (int, error) {
	i, blank := 0, 0
	for i < len(buf) && (buf[i] == '\r' || buf[i] == '\n') {
		next, err := lineEnd(buf, i, nil)
		if err != nil {
			return 0, err
		}
		if blank++; blank > maxBlank {
			return 0, ErrStartLine
		}
		i = next
	}
	begin := i
	i = skipName(buf, i)
	switch {
	case i-begin > maxMethod:
		return 0, ErrMethod
	case i == len(buf):
		return 0, ErrMore
	case buf[i] == '\r', buf[i] == '\n':
		return 0, ErrStartLine
	case buf[i] != ' ' || i == begin:
		return 0, ErrMethod
	}
	method := view(buf[begin:i])
	i++
	begin = i
	i = skipText(buf, i, ' '+1)
	switch {
	case i-begin > l.Target:
		return 0, ErrLongTarget
	case i == len(buf):
		return 0, ErrMore
	case buf[i] == '\r', buf[i] == '\n':
		return 0, ErrStartLine
	case i == begin:
		return 0, ErrStartLine
	case buf[i] != ' ':
		return 0, ErrTarget
	}
	target := view(buf[begin:i])
	minor, i, err := version(buf, i+1)
	if err == ErrVersion && method == "PRI" && target == "*" {
		err = ErrPreface
	}
	if err == nil && !validForm(method, target) {
		err = ErrTarget
	}
	if err != nil {
		return 0, err
	}
	if i, err = lineEnd(buf, i, ErrStartLine); err != nil {
		return 0, err
	}
	m.Method, m.Target, m.Minor = method, target, minor
	return i, nil
}

// version reads HTTP/1.0 or HTTP/1.1 at buf[i] and returns the place behind it.
func version(buf []byte, i int) (minor, next int, err error) {
	const form = "HTTP/d.d"
	for k := range len(form) {
		if i+k == len(buf) {
			return 0, i, ErrMore
		}
		c := buf[i+k]
		if form[k] == 'd' && (c < '0' || c > '9') || form[k] != 'd' && c != form[k] {
			return 0, i, ErrStartLine
		}
	}
	if buf[i+5] != '1' || buf[i+7] > '1' {
		return 0, i, ErrVersion
	}
	return int(buf[i+7] - '0'), i + len(form), nil
}

// validForm reports whether target has the form that its method asks for (RFC 9112 section 3.2). A fragment is no part of any:
// some end the target there, and some do not.
func validForm(method, target string) bool {
	switch {
	case strings.IndexByte(target, '#') >= 0:
		return false
	case method == "CONNECT":
		host, port, ok := cutLast(target, ':')
		return ok && host != "" && port != "" && all(target, hostByte)
	case target[0] == '/':
		return true
	case target == "*":
		return method == "OPTIONS"
	}
	scheme, rest, ok := strings.Cut(target, "://")
	if !ok || scheme == "" || rest == "" || strings.IndexByte("/?", rest[0]) >= 0 {
		return false
	}
	for i := range len(scheme) {
		c := scheme[i]
		if letter := c|0x20 >= 'a' && c|0x20 <= 'z'; !letter && (i == 0 || !(c >= '0' && c <= '9' || c == '+' || c == '-' || c == '.')) {
			return false
		}
	}
	return true
}

func cutLast(s string, c byte) (before, after string, ok bool) {
	i := strings.LastIndexByte(s, c)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}
