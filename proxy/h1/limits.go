package h1

// Limits bound what one message may take. The zero value, or a zero field, means the default.
type Limits struct {
	Head    int // bytes of a head, start line and blank lines before it included; 64 KiB
	Lines   int // field lines of a head, and of a trailer; 200
	Target  int // bytes of a request target; 16 KiB
	Trailer int // bytes of a trailer section; 8 KiB
}

const (
	maxMethod    = 32       // bytes; the longest that is registered has 17
	maxBlank     = 2        // empty lines before a request line (RFC 9112 section 2.2)
	maxLength    = 18       // digits of a Content-Length, so that it fits in 63 bits
	mostLength   = 1e18 - 1 // which is that
	maxSize      = 15       // hexadecimal digits of a chunk's size, likewise
	maxExtension = 1 << 10  // bytes of one chunk's size line after the size
	maxWaste     = 16 << 10 // bytes of chunk heads beyond those that the data is worth
)

func (l Limits) orDefault() Limits {
	if l.Head <= 0 {
		l.Head = 64 << 10
	}
	if l.Lines <= 0 {
		l.Lines = 200
	}
	if l.Target <= 0 {
		l.Target = 16 << 10
	}
	if l.Trailer <= 0 {
		l.Trailer = 8 << 10
	}
	return l
}
