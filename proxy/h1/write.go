package h1

import "strconv"

// Connection is what a head says about its connection.
type Connection uint8

const (
	Unsaid    Connection = iota // HTTP/1.1: it stays
	Close                       // it is not used again
	KeepAlive                   // it stays, for a visitor of HTTP/1.0 who asked
)

// ContinueAnswer invites a request's body.
const ContinueAnswer = "HTTP/1.1 100 Continue\r\n\r\n"

// ChunkEnd follows the data of a chunk.
const ChunkEnd = "\r\n"

// AppendRequest appends a request's head, in HTTP/1.1: the request line, Host, the lines of head in their order, and what frames
// the body. Host, Content-Length and Transfer-Encoding lines in head are left out, since they are the writer's, and so is a
// line with a name or a value that cannot be written. Connection and Upgrade lines are head's own: say a thing once.
//
// What would not be read as this one request is ErrUnwritable, and nothing is appended: a method, target or host with a byte
// that it cannot have, or a body that lasts to the end of the connection. Where methods usually have a body (POST, PUT, PATCH),
// NoBody is written as a length of 0.
func AppendRequest(dst []byte, method, target, host string, head Head, f Framing, c Connection) ([]byte, error) {
	out, err := AppendRequestStart(dst, method, target, host)
	if err != nil {
		return dst, err
	}
	if out, err = AppendRequestEnd(appendLines(out, head, inRequest), method, f, c); err != nil {
		return dst, err
	}
	return out, nil
}

// AppendRequestStart appends what a request's head begins with: the request line and Host. With AppendLine and AppendRequestEnd it
// is AppendRequest for who has the lines in several places, or wants to know which of them cannot be written.
func AppendRequestStart(dst []byte, method, target, host string) ([]byte, error) {
	if !ValidName(method) || len(method) > maxMethod || !ValidTarget(target) || !validForm(method, target) || !all(host, hostByte) {
		return dst, ErrUnwritable
	}
	dst = append(dst, method...)
	dst = append(dst, ' ')
	dst = append(dst, target...)
	dst = append(dst, " HTTP/1.1\r\nHost: "...)
	dst = append(dst, host...)
	return append(dst, '\r', '\n'), nil
}

// AppendLine appends a field line as it is, and reports whether it did: not where its name or value cannot be written. A line
// that frames the message is the caller's to leave out.
func AppendLine(dst []byte, l Line) ([]byte, bool) {
	if !ValidName(l.Name) || !ValidValue(l.Value) {
		return dst, false
	}
	dst = append(dst, l.Name...)
	dst = append(dst, ':', ' ')
	dst = append(dst, l.Value...)
	return append(dst, '\r', '\n'), true
}

// AppendRequestEnd appends what a request's head ends with: what frames the body, what becomes of the connection, and the empty
// line.
func AppendRequestEnd(dst []byte, method string, f Framing, c Connection) ([]byte, error) {
	if f.Kind > Chunked || !f.writable() {
		return dst, ErrUnwritable
	}
	if f.Kind == NoBody && (method == "POST" || method == "PUT" || method == "PATCH") {
		f = Framing{Kind: ByLength}
	}
	return appendEnd(appendFraming(dst, f), c), nil
}

// AppendAnswer appends an answer's head, in HTTP/1.1: the status line, the lines of head in their order, and what frames the
// body. Content-Length and Transfer-Encoding lines in head are left out, since they are the writer's, and so is a line with a
// name or a value that cannot be written.
//
// f says what the head says: of an answer to HEAD, or a 304, what the body's framing would have been. NoBody says nothing, and
// is for those two; an answer to GET that has no body is ByLength of 0. An interim answer and a 204 never announce a body. ToClose
// implies Close.
//
// A status outside 100 to 999 or a length that is negative or has more than 18 digits is ErrUnwritable, and nothing is appended.
func AppendAnswer(dst []byte, status int, head Head, f Framing, c Connection) ([]byte, error) {
	if status < 100 || status > 999 || f.Kind > ToClose || !f.writable() {
		return dst, ErrUnwritable
	}
	if status == 200 {
		dst = append(dst, "HTTP/1.1 200 OK\r\n"...)
	} else {
		dst = append(dst, "HTTP/1.1 "...)
		dst = append(dst, byte('0'+status/100), byte('0'+status/10%10), byte('0'+status%10), ' ')
		dst = append(dst, Reason(status)...)
		dst = append(dst, '\r', '\n')
	}
	dst = appendLines(dst, head, inAnswer)
	if status >= 200 && status != 204 {
		dst = appendFraming(dst, f)
		if f.Kind == ToClose {
			c = Close
		}
	}
	return appendEnd(dst, c), nil
}

// AppendChunkHead appends the size line of a chunk of size bytes, which follow, and then ChunkEnd. An empty chunk would end the
// body: for a size of 0 or less nothing is appended, and nothing may follow.
func AppendChunkHead(dst []byte, size int) []byte {
	if size <= 0 {
		return dst
	}
	dst = strconv.AppendUint(dst, uint64(size), 16)
	return append(dst, '\r', '\n')
}

// AppendLastChunk ends a chunked body. Lines of trailer that cannot be written, or that must not come so late, are left out.
func AppendLastChunk(dst []byte, trailer Head) []byte {
	dst = append(dst, "0\r\n"...)
	dst = appendLines(dst, trailer, inTrail)
	return append(dst, '\r', '\n')
}

// section is what a line is written into.
type section uint8

const (
	inRequest section = iota
	inAnswer
	inTrail
)

// leaves reports whether a line of that name is left out, being the writer's or nobody's.
func (s section) leaves(name string) bool {
	switch len(name) {
	case len("Host"):
		return s != inAnswer && sameWord(name, "host")
	case len("Content-Length"):
		return sameWord(name, "content-length")
	case len("Transfer-Encoding"):
		return sameWord(name, "transfer-encoding")
	case len("Connection"), len("Trailer"):
		return s == inTrail && onlyInHead(name)
	}
	return false
}

func appendLines(dst []byte, head Head, s section) []byte {
	for i := range head {
		if !s.leaves(head[i].Name) {
			dst, _ = AppendLine(dst, head[i])
		}
	}
	return dst
}

// writable reports whether a length is one that is read back.
func (f Framing) writable() bool {
	return f.Kind != ByLength || f.Length >= 0 && f.Length <= mostLength
}

func appendFraming(dst []byte, f Framing) []byte {
	switch f.Kind {
	case ByLength:
		dst = append(dst, "Content-Length: "...)
		dst = strconv.AppendInt(dst, f.Length, 10)
		dst = append(dst, '\r', '\n')
	case Chunked:
		dst = append(dst, "Transfer-Encoding: chunked\r\n"...)
	}
	return dst
}

func appendEnd(dst []byte, c Connection) []byte {
	switch c {
	case Close:
		dst = append(dst, "Connection: close\r\n"...)
	case KeepAlive:
		dst = append(dst, "Connection: keep-alive\r\n"...)
	}
	return append(dst, '\r', '\n')
}
