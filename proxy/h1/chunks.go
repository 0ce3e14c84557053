package h1

import (
	"bytes"
	"io"
)

// Chunks reads a chunked body (RFC 9112 section 7.1) as it comes. The zero value is ready, with the default limits. It is not
// safe for concurrent use.
//
// Extensions are skipped, and bounded: nobody passes them on. So is what the heads of tiny chunks may add to the data.
type Chunks struct {
	limits  Limits
	state   chunkState
	left    int64 // data bytes of this chunk that are still to come
	digits  int   // of the size so far
	line    int   // bytes of the size line so far
	waste   int64 // bytes of size lines beyond what the data so far is worth
	err     error // io.EOF or the refusal, once there is one
	kept    []byte
	begin   int // of the trailer line that is not complete yet, in kept
	lines   int
	trailer Head
}

type chunkState uint8

const (
	inSize      chunkState = iota // before or among the digits
	afterSize                     // white space behind them
	inExtension                   // behind the semicolon
	sizeEnd                       // the LF of the size line
	inData
	dataCR
	dataLF
	inTrailer
	bodyEnd // the LF of the last, empty line
)

// Reset makes c ready for another body. It keeps its room, unless that has grown large.
func (c *Chunks) Reset(l Limits) {
	kept, trailer := c.kept[:0], c.trailer[:0]
	if cap(kept) > 4<<10 {
		kept = nil
	}
	clear(trailer[:cap(trailer)])
	*c = Chunks{limits: l.orDefault(), kept: kept, trailer: trailer}
}

// Next reads from buf, which goes on where the last call's n bytes ended. It returns some of the body's data, a view of
// buf[:n]; or io.EOF, with n where the message ends and nothing behind it touched; or ErrMore, having used all of buf; or a
// *Refusal. With data the error is nil, and with an error there is no data.
func (c *Chunks) Next(buf []byte) (data []byte, n int, err error) {
	if c.err != nil {
		return nil, 0, c.err
	}
	if c.limits.Lines == 0 {
		c.limits = c.limits.orDefault()
	}
	for n < len(buf) {
		switch c.state {
		case inData:
			take := int(min(c.left, int64(len(buf)-n)))
			if c.left -= int64(take); c.left == 0 {
				c.state = dataCR
			}
			return buf[n : n+take : n+take], n + take, nil
		case inTrailer:
			n, err = c.readTrailer(buf, n)
		case inExtension:
			end := skipText(buf, n, ' ')
			c.line += end - n
			if n = end; n < len(buf) {
				err = c.step(buf[n])
				n++
			}
		default:
			err = c.step(buf[n])
			n++
		}
		if c.line > maxExtension {
			err = ErrChunkSize
		}
		if err != nil {
			c.err = err
			if err != io.EOF {
				n = 0
			}
			return nil, n, err
		}
	}
	return nil, n, ErrMore
}

// Trailer is the body's trailer section, once Next has returned io.EOF, without lines that would frame or route a message. It
// is valid until Reset.
func (c *Chunks) Trailer() Head { return c.trailer }

// step takes one byte outside of data, extensions and trailer.
func (c *Chunks) step(b byte) error {
	switch c.state {
	case inSize, afterSize, inExtension:
		c.line++
		return c.sizeByte(b)
	case sizeEnd:
		if b != '\n' {
			return ErrBareCR
		}
		// The size line and the two bytes behind the data, against 16 bytes for each chunk and its data twice: the measure
		// that net/http takes, so that neither of us lets through what the other does not.
		c.waste = max(c.waste+int64(c.line)+1-16-2*c.left, 0)
		if c.waste > maxWaste {
			return ErrChunkSize
		}
		c.state, c.digits, c.line = inData, 0, 0
		if c.left == 0 {
			c.state = inTrailer
		}
	case dataCR:
		if b == '\n' {
			return ErrBareLF
		}
		if b != '\r' {
			return ErrChunk
		}
		c.state = dataLF
	case dataLF:
		if b != '\n' {
			return ErrBareCR
		}
		c.state = inSize
	case bodyEnd:
		if b != '\n' {
			return ErrBareCR
		}
		c.endTrailer()
		return io.EOF
	}
	return nil
}

func (c *Chunks) sizeByte(b byte) error {
	if c.state == inSize {
		if d := hexDigit(b); d >= 0 {
			if c.digits++; c.digits > maxSize {
				return ErrChunkSize
			}
			c.left = c.left<<4 | int64(d)
			return nil
		}
	}
	switch {
	case b == '\n':
		return ErrBareLF
	case c.digits == 0:
		return ErrChunk
	case b == '\r':
		c.state = sizeEnd
	case isBlank(b):
		if c.state == inSize {
			c.state = afterSize
		}
	case b == ';' && c.state != inExtension:
		c.state = inExtension
	default:
		return ErrChunk
	}
	return nil
}

// readTrailer reads trailer lines from buf[n:]. They are kept, since they may come in pieces.
func (c *Chunks) readTrailer(buf []byte, n int) (int, error) {
	for n < len(buf) {
		if len(c.kept) == c.begin && buf[n] == '\r' {
			c.state = bodyEnd
			return n + 1, nil
		}
		end := bytes.IndexByte(buf[n:], '\n') + 1
		part := buf[n:]
		if end > 0 {
			part = part[:end]
		}
		if len(c.kept)+len(part) > c.limits.Trailer {
			return n, ErrTooLarge
		}
		c.kept = append(c.kept, part...)
		n += len(part)
		if end == 0 {
			break
		}
		if _, _, err := fieldLine(c.kept, c.begin); err != nil {
			return n, err
		}
		if c.lines++; c.lines > c.limits.Lines {
			return n, ErrTooLarge
		}
		c.begin = len(c.kept)
	}
	return n, nil
}

// endTrailer hands the lines out now that what they are views of does not move any more.
func (c *Chunks) endTrailer() {
	for i := 0; i < len(c.kept); {
		line, next, err := fieldLine(c.kept, i)
		if err != nil {
			return // it was read before
		}
		if i = next; !onlyInHead(line.Name) {
			c.trailer = append(c.trailer, line)
		}
	}
}

// onlyInHead reports whether a line would frame or route a message, or speaks of its connection: in a trailer it comes too late
// (RFC 9110 section 6.5.1), and whoever believed it would be led astray.
func onlyInHead(name string) bool {
	return sameWord(name, "content-length") || sameWord(name, "transfer-encoding") || sameWord(name, "host") ||
		sameWord(name, "connection") || sameWord(name, "trailer")
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}
