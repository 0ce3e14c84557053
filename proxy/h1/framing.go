package h1

import "strings"

// FramingKind is how the end of a body is told.
type FramingKind uint8

const (
	NoBody   FramingKind = iota // the message ends with its head
	ByLength                    // Framing.Length bytes follow, which may be none
	Chunked                     // chunks follow (see Chunks)
	ToClose                     // everything until the connection ends is the body; of answers only
)

// Framing is where the body of a message ends. The zero value is a message without one.
type Framing struct {
	Kind   FramingKind
	Length int64 // of ByLength
}

// said is what the lines of the connection said in one head.
type said struct {
	length              int64 // Content-Length; -1: none
	chunked             bool
	close, keep, expect bool
	host                string
	hosts               bool
}

// take reads a line that concerns the wire. It reports whether the line ends here, being part of how the message is framed.
func (s *said) take(l Line) (framing bool, err error) {
	switch len(l.Name) {
	case len("Expect"):
		if sameWord(l.Name, "expect") && sameWord(l.Value, "100-continue") {
			s.expect = true
		}
	case len("Connection"):
		if l.Name[0]|0x20 == 'c' && sameWord(l.Name, "connection") {
			s.connection(l.Value)
		}
	case len("Content-Length"):
		if l.Name[0]|0x20 == 'c' && sameWord(l.Name, "content-length") {
			if s.length >= 0 {
				return true, ErrLengths
			}
			s.length = decimal(l.Value)
			if s.length < 0 {
				return true, ErrLength
			}
			return true, nil
		}
	case len("Transfer-Encoding"):
		if sameWord(l.Name, "transfer-encoding") {
			if s.chunked || !sameWord(l.Value, "chunked") {
				return true, ErrCoding
			}
			s.chunked = true
			return true, nil
		}
	}
	return false, nil
}

func (s *said) connection(list string) {
	for list != "" {
		var word string
		word, list, _ = strings.Cut(list, ",")
		switch word = strings.Trim(word, " \t"); {
		case sameWord(word, "close"):
			s.close = true
		case sameWord(word, "keep-alive"):
			s.keep = true
		}
	}
}

// check refuses what cannot be framed in one way, whatever kind of message it is (RFC 9112 section 6.1).
func (s *said) check(minor int) error {
	switch {
	case s.chunked && s.length >= 0:
		return ErrFramings
	case s.chunked && minor == 0:
		return ErrOldCoding
	}
	return nil
}

// persists is RFC 9112 section 9.3.
func (s *said) persists(minor int) bool { return !s.close && (minor > 0 || s.keep) }

// request is RFC 9112 section 6.3 for requests.
func (s *said) request() Framing {
	switch {
	case s.chunked:
		return Framing{Kind: Chunked}
	case s.length >= 0:
		return Framing{ByLength, s.length}
	}
	return Framing{}
}

// answer is RFC 9112 section 6.3 for answers to method. reuse is false where the connection must not be used again, whatever
// the head says.
func (s *said) answer(method string, status int) (f Framing, reuse bool, err error) {
	switch {
	case status < 200 && (s.chunked || s.length > 0):
		return Framing{}, false, ErrInterim
	case status < 200:
		return Framing{}, status != 101, nil
	case status == 204:
		// What it must not announce may follow nevertheless.
		return Framing{}, !s.chunked && s.length <= 0, nil
	case status == 304:
		return Framing{}, !s.chunked && s.length <= 0, nil
	case method == "HEAD":
		// There are servers that send the body all the same, and late: on a connection that goes on it would be the next answer. A
		// head that says that there is none can be believed.
		return Framing{}, !s.chunked && s.length == 0, nil
	case method == "CONNECT" && status < 300:
		return Framing{}, false, nil
	case s.chunked:
		return Framing{Kind: Chunked}, true, nil
	case s.length >= 0:
		return Framing{ByLength, s.length}, true, nil
	}
	return Framing{Kind: ToClose}, false, nil
}

// decimal reads the digits of a Content-Length; -1 where they are none. A leading zero may be meant as octal, or as a mistake.
func decimal(s string) int64 {
	if s == "" || len(s) > maxLength || s[0] == '0' && len(s) > 1 {
		return -1
	}
	var n int64
	for i := range len(s) {
		c := s[i]
		if c < '0' || c > '9' {
			return -1
		}
		n = n*10 + int64(c-'0')
	}
	return n
}
