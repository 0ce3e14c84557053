package upstream

import (
	"context"
	"time"
)

// started is a moment that clock is read from. It is only read.
var started = time.Now()

// clock is how long it is since some moment, the same for the whole process. It is read in half the time of time.Now, which tells
// the date as well.
func clock() time.Duration { return time.Since(started) }

// afterFunc is context.AfterFunc, and costs nothing where a context has a way of its own to tell that it has ended, with the same
// meaning: f runs in a goroutine of its own, and stop reports whether it kept f from that.
func afterFunc(ctx context.Context, f func()) (stop func() bool) {
	if own, ok := ctx.(interface{ AfterFunc(func()) func() bool }); ok {
		return own.AfterFunc(f)
	}
	return context.AfterFunc(ctx, f)
}
