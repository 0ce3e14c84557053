package serve

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
)

// accessLog is where access lines go: a place that a reload may change, and a file that it opens anew so that it can be rotated
// by renaming. It is safe for concurrent use.
type accessLog struct {
	stdout, stderr io.Writer

	mu   sync.Mutex
	to   io.Writer
	file *os.File // nil where `to` is no file of ours
}

// plan opens the place that where names. Nothing changes before the step's commit.
func (a *accessLog) plan(where string) (step, error) {
	var to io.Writer
	var file *os.File
	switch where {
	case "off":
		to = io.Discard
	case "stdout":
		to = a.stdout
	case "stderr":
		to = a.stderr
	default:
		var err error
		if file, err = os.OpenFile(where, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o640); err != nil {
			return step{}, fmt.Errorf("log.access: %w", err)
		}
		to = file
	}
	commit := func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.file != nil {
			_ = a.file.Close()
		}
		a.to, a.file = to, file
	}
	discard := func() {
		if file != nil {
			_ = file.Close()
		}
	}
	return step{commit, discard}, nil
}

// Write writes one or more whole lines.
func (a *accessLog) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.to.Write(p)
}

func (a *accessLog) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.file != nil {
		_ = a.file.Close()
		a.file, a.to = nil, io.Discard
	}
}

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
