package upstream

import (
	"errors"
	"fmt"
	"strings"
)

// replayable reports whether the whole request is still here.
func (s *stream) replayable() bool { return s.whole != nil || s.body.untouched() }

// explain finds out what a failed attempt means for the next one.
func (s *stream) explain(err error) error {
	t := s.try
	silent := s.link.wire.reads.Load() == t.reads
	switch {
	case !t.wrote.Load() && strings.Contains(err.Error(), tooLarge):
		return fmt.Errorf("%w: %w", ErrRequest, err)
	case !t.wrote.Load():
	case unprocessed(err):
		return fmt.Errorf("%w: %w", ErrRefused, err)
	case !t.fresh && t.alone && silent && s.link.Err() != nil:
		return fmt.Errorf("%w: %w", ErrStale, err)
	}
	return err
}

// What net/http has no names for.
const (
	tooLarge  = "header list larger than peer's advertised limit"
	goneAway  = "http2: Transport received Server's graceful shutdown GOAWAY"
	goneFirst = "http2: Transport received GOAWAY from server" // on the first stream of a connection, with an error
)

// streamError has the shape of net/http's own, which can be had as one (http2StreamError.As).
type streamError struct {
	StreamID uint32
	Code     uint32
	Cause    error
}

func (e streamError) Error() string { return fmt.Sprintf("stream error %d", e.Code) }

const ( // RFC 9113 section 7
	refusedStream = 7
	cancelled     = 8
)

// unprocessed reports whether the backend said that it did nothing about the request (RFC 9113 section 8.7).
func unprocessed(err error) bool {
	var s streamError
	if errors.As(err, &s) {
		return s.Code == refusedStream
	}
	return strings.HasPrefix(err.Error(), goneAway) || strings.HasPrefix(err.Error(), goneFirst)
}

// classify says whose fault it was, as that of an exchange by HTTP/1 does.
func (s *stream) classify(err error) error {
	switch over := ended(s.caller); {
	case errors.Is(err, ErrRequest):
		return err
	case s.body.fault() != nil:
		return fmt.Errorf("%w: %w", ErrVisitor, s.body.fault())
	case errors.Is(over, ErrLate):
		waited := s.body.awaited()
		if t := s.try; !waited && t != nil && t.wrote.Load() && s.link.wire.reads.Load() == t.reads {
			s.link.tired.Store(true) // it hangs, for all we know
		}
		if waited {
			over = fmt.Errorf("%w: %w", over, errUpload)
		}
		return over
	case over != nil:
		return over
	case s.overdue(err):
		return fmt.Errorf("%w: %w: %w", ErrLate, ErrDeadline, err)
	case !s.sent && (s.try == nil || !s.try.wrote.Load()) && s.body.untouched():
		return fmt.Errorf("%w: %w", ErrConnect, err)
	default:
		return fmt.Errorf("%w: %w", ErrBroken, err)
	}
}
