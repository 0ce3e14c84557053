package serve

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync/atomic"
	"syscall"
)

// accessLog is where access lines go: a place that a reload may change, and a file that it opens anew so that it can be rotated
// by renaming. It is safe for concurrent use.
type accessLog struct {
	stdout, stderr io.Writer

	// No lock is held during a write: a place that is stuck must not hold up the change to another.
	place atomic.Pointer[place]
}

type place struct {
	io.Writer
	file *os.File // nil where it is no file of ours
}

func (p *place) close() {
	if p != nil && p.file != nil {
		_ = p.file.Close()
	}
}

// plan opens the place that where names. Nothing changes before the step's commit.
func (a *accessLog) plan(where string) (step, error) {
	next := &place{}
	switch where {
	case "off":
		next.Writer = io.Discard
	case "stdout":
		next.Writer = a.stdout
	case "stderr":
		next.Writer = a.stderr
	default:
		f, err := os.OpenFile(where, os.O_WRONLY|os.O_APPEND|os.O_CREATE|syscall.O_NONBLOCK, 0o640) // a pipe without a reader is a mistake
		if err != nil {
			return step{}, fmt.Errorf("log.access: %w", err)
		}
		next.Writer, next.file = f, f
	}
	return step{commit: func() { a.place.Swap(next).close() }, discard: next.close}, nil
}

// Write writes one or more whole lines.
func (a *accessLog) Write(p []byte) (int, error) {
	to := a.place.Load()
	if to == nil {
		return len(p), nil
	}
	n, err := to.Write(p)
	if errors.Is(err, os.ErrClosed) { // changed meanwhile: these lines belong to the next place
		if next := a.place.Load(); next != nil && next != to {
			return next.Write(p)
		}
	}
	return n, err
}

func (a *accessLog) close() { a.place.Swap(nil).close() }

func level(word string) slog.Level {
	switch word {
	case "debug":
		return slog.LevelDebug
	case "warn":
		return slog.LevelWarn
	case "error":
		return slog.LevelError
	default:
		return slog.LevelInfo
	}
}
