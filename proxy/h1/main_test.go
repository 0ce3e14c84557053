package h1

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
)

// wire plays a connection: its bytes come in pieces, and every time more has come they lie somewhere else, and what they lay in
// before is overwritten.
type wire struct {
	raw  string
	cuts []int // where one piece ends and the next begins, rising
	have int
	buf  []byte // raw[from:have]
	from int
}

func newWire(raw string, cuts ...int) *wire {
	w := &wire{raw: raw, cuts: cuts}
	w.more()
	return w
}

func (w *wire) more() bool {
	if w.have == len(w.raw) {
		return false
	}
	next := len(w.raw)
	for len(w.cuts) > 0 {
		c := w.cuts[0]
		w.cuts = w.cuts[1:]
		if c > w.have && c < next {
			next = c
			break
		}
	}
	w.have = next
	old := w.buf
	w.buf = []byte(w.raw[w.from:w.have])
	for i := range old {
		old[i] = 'X'
	}
	return true
}

func (w *wire) use(n int) {
	w.from += n
	w.buf = w.buf[n:]
}

// until calls read until it says something else than ErrMore, or nothing more comes.
func (w *wire) until(t testing.TB, read func([]byte) (int, error)) error {
	for {
		n, err := read(w.buf)
		if n < 0 || n > len(w.buf) {
			t.Fatalf("%q: %d of %d bytes used", w.raw, n, len(w.buf))
		}
		if err != ErrMore {
			w.use(n)
			return err
		}
		if n != 0 {
			t.Fatalf("%q: %d bytes of an incomplete head used", w.raw, n)
		}
		if !w.more() {
			return ErrMore
		}
	}
}

func (w *wire) body(t testing.TB, f Framing, l Limits) (body string, trailer Head, err error) {
	var b strings.Builder
	switch f.Kind {
	case ByLength:
		for {
			n := int(min(f.Length, int64(len(w.buf))))
			b.Write(w.buf[:n])
			f.Length -= int64(n)
			w.use(n)
			if f.Length == 0 {
				return b.String(), nil, nil
			}
			if !w.more() {
				return b.String(), nil, ErrMore
			}
		}
	case ToClose:
		b.Write(w.buf)
		w.use(len(w.buf))
		for w.more() {
			b.Write(w.buf)
			w.use(len(w.buf))
		}
	case Chunked:
		var c Chunks
		c.Reset(l)
		for {
			data, n, err := c.Next(w.buf)
			if n < 0 || n > len(w.buf) || err == nil && len(data) == 0 || err != nil && len(data) > 0 || err == ErrMore && n != len(w.buf) {
				t.Fatalf("%q: Next gave %d bytes of data, %d of %d used, %v", w.raw, len(data), n, len(w.buf), err)
			}
			b.Write(data)
			w.use(n)
			if err == io.EOF {
				if _, n, again := c.Next(w.buf); n != 0 || again != io.EOF {
					t.Fatalf("%q: after the end %d, %v", w.raw, n, again)
				}
				return b.String(), c.Trailer(), nil
			}
			if err == nil || err == ErrMore && w.more() {
				continue
			}
			return b.String(), nil, err
		}
	}
	return b.String(), nil, nil
}

func (w *wire) rest() string { return w.raw[w.from:] }

func lines(h Head) string {
	var out []string
	for _, l := range h {
		out = append(out, l.Name+"="+l.Value)
	}
	return "[" + strings.Join(out, "|") + "]"
}

func (f Framing) String() string {
	switch f.Kind {
	case ByLength:
		return fmt.Sprint(f.Length)
	case Chunked:
		return "chunked"
	case ToClose:
		return "to-close"
	}
	return "none"
}

// fate is the word for an error: "more" or a refusal's reason.
func fate(err error) string {
	if r, ok := errors.AsType[*Refusal](err); ok {
		return "!" + r.Reason
	}
	if err == ErrMore {
		return "more"
	}
	return err.Error()
}

// tail describes a message behind its head.
func (w *wire) tail(t testing.TB, f Framing, l Limits) string {
	if f.Kind == NoBody {
		if w.rest() != "" {
			return fmt.Sprintf(" rest %q", w.rest())
		}
		return ""
	}
	body, trailer, err := w.body(t, f, l)
	out := fmt.Sprintf(" %q", body)
	if len(trailer) > 0 {
		out += " " + lines(trailer)
	}
	if err != nil {
		return out + " " + fate(err)
	}
	if w.rest() != "" {
		out += fmt.Sprintf(" rest %q", w.rest())
	}
	return out
}

// readRequest describes what becomes of a request that comes in pieces: method, target, version, host, lines, framing, body.
func readRequest(t testing.TB, raw string, l Limits, cuts ...int) string {
	w := newWire(raw, cuts...)
	var m RequestHead
	if err := w.until(t, func(b []byte) (int, error) { return m.Parse(b, l) }); err != nil {
		return fate(err)
	}
	out := fmt.Sprintf("%s %s 1.%d %s %s %v", m.Method, m.Target, m.Minor, m.Host, lines(m.Head), m.Framing)
	if !m.Persistent {
		out += " close"
	}
	if m.Continue {
		out += " continue"
	}
	return out + w.tail(t, m.Framing, l)
}

func readAnswer(t testing.TB, method, raw string, l Limits, cuts ...int) string {
	w := newWire(raw, cuts...)
	var m AnswerHead
	if err := w.until(t, func(b []byte) (int, error) { return m.Parse(b, method, l) }); err != nil {
		return fate(err)
	}
	out := fmt.Sprintf("%d %q 1.%d %s %v", m.Status, m.Reason, m.Minor, lines(m.Head), m.Framing)
	if m.Length >= 0 && m.Framing.Kind != ByLength {
		out += fmt.Sprintf(" (%d)", m.Length)
	}
	if !m.Persistent {
		out += " close"
	}
	return out + w.tail(t, m.Framing, l)
}

// everyCut calls read with the bytes whole, in two pieces at every place, and one by one, until it has failed once.
func everyCut(t *testing.T, raw string, read func(cuts ...int)) {
	failed := t.Failed()
	read()
	all := make([]int, 0, len(raw))
	for k := 1; k < len(raw) && t.Failed() == failed; k++ {
		if len(raw) < 2000 || k%101 == 0 {
			read(k)
		}
		all = append(all, k)
	}
	if t.Failed() == failed {
		read(all...)
	}
}

func head(pairs ...string) Head {
	var h Head
	for pair := range slices.Chunk(pairs, 2) {
		h.Add(pair[0], pair[1])
	}
	return h
}
