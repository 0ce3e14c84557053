package upstream

import (
	"errors"
	"strconv"
	"time"
)

// overdue reports whether a backend has cancelled a call by gRPC since the time that the visitor gave it is over: servers do so
// without an answer.
func (s *stream) overdue(err error) bool {
	var reset streamError
	return s.limit > 0 && time.Since(s.began) >= s.limit && errors.As(err, &reset) && reset.Code == cancelled
}

// timeLimit reads a Grpc-Timeout: at most eight digits and a unit (grpc/doc/PROTOCOL-HTTP2.md). 0: it is none.
func timeLimit(s string) time.Duration {
	if len(s) < 2 || len(s) > 9 {
		return 0
	}
	n, err := strconv.ParseUint(s[:len(s)-1], 10, 32)
	if err != nil {
		return 0
	}
	switch s[len(s)-1] {
	case 'H':
		return time.Duration(min(n, 1<<20)) * time.Hour // as long as fits
	case 'M':
		return time.Duration(n) * time.Minute
	case 'S':
		return time.Duration(n) * time.Second
	case 'm':
		return time.Duration(n) * time.Millisecond
	case 'u':
		return time.Duration(n) * time.Microsecond
	case 'n':
		return time.Duration(n)
	}
	return 0
}
