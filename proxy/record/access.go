package record

import (
	"io"
	"sync"
	"time"
)

// spareLine is how long a line may be whose buffer is kept for the next.
const spareLine = 1 << 12

// gatherLines is how long a line waits at most for others to be written with.
const gatherLines = 20 * time.Millisecond

// accessLog writes exchanges as lines into a Sink.
type accessLog struct {
	*Sink
	spare sync.Pool // *[]byte
}

func newAccessLog(to io.Writer) *accessLog {
	l := &accessLog{Sink: newSink(to, gatherLines)}
	l.spare.New = func() any { b := make([]byte, 0, 1024); return &b }
	return l
}

// add logs one exchange.
func (l *accessLog) add(s *Series, e *Entry) {
	line := l.spare.Get().(*[]byte)
	*line = appendLine((*line)[:0], s, e)
	_, _ = l.Write(*line) // a Sink never fails
	if cap(*line) <= spareLine {
		l.spare.Put(line)
	}
}
