package h1

// AnswerHead is the head of an answer as it came, interim or final. One is used again for every answer of a connection.
//
// Every string is a view of the bytes given to Parse, and valid only as long as those are. The zero value is ready. It is not
// safe for concurrent use.
type AnswerHead struct {
	Status  int // 100 to 999; below 200 another head follows, but after 101
	Minor   int // of the version: HTTP/1.0 or HTTP/1.1
	Reason  string
	Head    Head // the lines in their order, without Content-Length and Transfer-Encoding
	Framing Framing
	Length  int64 // the Content-Length, -1 where there is none; also where no body follows, as in an answer to HEAD

	// Persistent says that the connection may be used again after this answer, as far as its head says. It is false after 101,
	// where the body lasts until the connection ends, and where a body may follow that must not be there.
	Persistent bool

	watch watch
}

// Parse reads a head from the start of buf; method is that of the request which it answers. It returns the number of its bytes,
// ErrMore while it is not all there, or a *Refusal. As with RequestHead.Parse, it is then called again with the same bytes and
// more behind them.
//
// The reason may be empty, and then the space before it may be missing, too: there is one way to read that.
func (m *AnswerHead) Parse(buf []byte, method string, l Limits) (n int, err error) {
	l = l.orDefault()
	if len(buf) > l.Head {
		buf = buf[:l.Head]
	}
	if !m.watch.due(buf, l.Head) {
		return 0, ErrMore
	}
	n, err = m.read(buf, method, &l)
	if err = m.watch.done(buf, l.Head, err); err != nil {
		return 0, err
	}
	return n, nil
}

// Reset forgets the message and the bytes it was read from, but keeps the room.
func (m *AnswerHead) Reset() {
	clear(m.Head[:cap(m.Head)])
	*m = AnswerHead{Head: m.Head[:0]}
}

func (m *AnswerHead) read(buf []byte, method string, l *Limits) (int, error) {
	m.Status, m.Reason, m.Head, m.Framing, m.Length, m.Persistent = 0, "", m.Head[:0], Framing{}, -1, false
	i, err := m.statusLine(buf)
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
	framing, reuse, err := s.answer(method, m.Status)
	if err != nil {
		return 0, err
	}
	m.Head, m.Framing, m.Length, m.Persistent = head, framing, s.length, reuse && s.persists(m.Minor)
	return i, nil
}

// statusLine reads the status line and returns the place behind it.
func (m *AnswerHead) statusLine(buf []byte) (int, error) {
	minor, i, err := version(buf, 0)
	if err != nil {
		return 0, err
	}
	if i == len(buf) {
		return 0, ErrMore
	}
	if buf[i] != ' ' {
		return 0, ErrStartLine
	}
	i++
	status := 0
	for range 3 {
		if i == len(buf) {
			return 0, ErrMore
		}
		if buf[i] < '0' || buf[i] > '9' {
			return 0, ErrStatus
		}
		status = status*10 + int(buf[i]-'0')
		i++
	}
	if status < 100 {
		return 0, ErrStatus
	}
	begin := i
	if i < len(buf) && buf[i] == ' ' {
		begin = i + 1
		i = skipText(buf, i, ' ')
		for i < len(buf) && buf[i] == '\t' {
			i = skipText(buf, i+1, ' ')
		}
	} else if i < len(buf) && buf[i] >= '0' && buf[i] <= '9' {
		return 0, ErrStatus
	}
	reason := view(buf[begin:i])
	if i, err = lineEnd(buf, i, ErrStartLine); err != nil {
		return 0, err
	}
	m.Status, m.Minor, m.Reason = status, minor, reason
	return i, nil
}
