package record

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"gatehouse/shed"
)

// OverrideEvent is that a person set the state of a store, or that what they set has ended. What the change does to the state
// is a Transition of its own.
type OverrideEvent struct {
	Store string
	At    time.Time
	State shed.State // what was set
	By    string     // who set it; "" where they did not say
	Until time.Time  // when it ends by itself, or would have
	Ended bool
	Why   string // where Ended, from a closed set: "expired" or "off"
}

// Override records that a state was set by a person, or that it has ended: one event line and one row.
func (r *Recorder) Override(o OverrideEvent) {
	attrs := []slog.Attr{slog.String("store", o.Store), slog.String("state", o.State.String())}
	attrs = append(attrs, by(o.By, o.Until)...)
	level, msg, text := slog.LevelWarn, "override set", fmt.Sprintf("%s: set to %s%s", o.Store, o.State, byText(o.By, o.Until))
	if o.Ended {
		level, msg, text = slog.LevelInfo, "override ended", fmt.Sprintf("%s: no longer set to %s%s", o.Store, o.State, byText(o.By, time.Time{}))
		if o.Why != "" {
			attrs = append(attrs, slog.String("why", o.Why))
			text += ": " + o.Why
		}
	}
	r.events.LogAttrs(context.Background(), level, msg, attrs...)
	r.note("store", o.At, !o.Ended, text)
}

// by returns who set a state and when it ends, as far as that is known.
func by(name string, until time.Time) (attrs []slog.Attr) {
	if name != "" {
		attrs = append(attrs, slog.String("by", name))
	}
	if !until.IsZero() {
		attrs = append(attrs, slog.Time("until", until.UTC()))
	}
	return attrs
}

// byText is by for a person's eyes. Names are cut, so that what follows them stays to be read.
func byText(name string, until time.Time) (text string) {
	if name != "" {
		text += " by " + plain(name, maxName)
	}
	if !until.IsZero() {
		text += " until " + until.UTC().Format("15:04:05 UTC")
	}
	return text
}
