package edge

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"gatehouse/proxy/h1"
)

// What HTTP/1 knows no more of, as package h1 has it.
const (
	longestMethod = 32
	longestTarget = 16 << 10
	mostLines     = 200
)

// read makes the view of the request, and refuses what the server lets through and HTTP/1 would not: a request of HTTP/2 may end up
// as one of HTTP/1. What the server itself refuses (RFC 9113 section 8.1.1: malformed pseudo-fields and names, control characters,
// fields of the connection, an :authority that Host contradicts) nobody hears of.
func (v *stream) read() *h1.Refusal {
	r := v.r
	switch {
	case len(r.Method) > longestMethod || !h1.ValidName(r.Method):
		return h1.ErrMethod
	case len(r.RequestURI) > longestTarget:
		return h1.ErrLongTarget
	case !validPath(r.Method, r.RequestURI):
		return h1.ErrTarget
	case len(r.Header["Host"]) > 0:
		return h1.ErrHosts
	}
	if err := v.readLength(); err != nil {
		return err
	}
	var err *h1.Refusal
	if v.head, err = linesOf(r.Header); err != nil {
		return err
	}
	size := len(r.Method) + len(r.RequestURI) + len(r.Host)
	for _, l := range v.head {
		size += len(l.Name) + len(l.Value) + len(": \r\n")
	}
	if size > v.s.server.limits.MaxHead || len(v.head) > mostLines {
		return h1.ErrTooLarge
	}
	return nil
}

// validPath reports whether a target is one that HTTP/1 knows. The server makes sure that it begins with a slash, or is "*", or
// belongs to CONNECT.
func validPath(method, target string) bool {
	return h1.ValidTarget(target) && !strings.Contains(target, "#") && (target != "*" || method == "OPTIONS")
}

// readLength looks at what the server takes the first of, and takes for nothing where it makes no sense, or the stream has ended.
func (v *stream) readLength() *h1.Refusal {
	said := v.r.Header["Content-Length"]
	delete(v.r.Header, "Content-Length")
	v.length = v.r.ContentLength
	if len(said) == 0 {
		return nil
	}
	if len(said) > 1 {
		return h1.ErrLengths
	}
	n, err := strconv.ParseInt(said[0], 10, 64)
	if err != nil || n < 0 || strconv.FormatInt(n, 10) != said[0] || len(said[0]) > 18 || n != v.length {
		return h1.ErrLength
	}
	return nil
}

// linesOf returns the lines of a map, in the order of their names, which is all the order there is. A value that begins or ends with
// white space is malformed (RFC 9113 section 8.2.1).
func linesOf(fields http.Header) (h1.Head, *h1.Refusal) {
	head := make(h1.Head, 0, len(fields)+8) // whoever serves it adds some
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if !h1.ValidName(name) {
			return nil, h1.ErrName
		}
		for _, value := range fields[name] {
			if !h1.ValidValue(value) || strings.Trim(value, " \t") != value {
				return nil, h1.ErrValue
			}
			head = append(head, h1.Line{Name: name, Value: value})
		}
	}
	return head, nil
}
