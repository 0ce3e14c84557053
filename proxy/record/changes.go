package record

import (
	"context"
	"fmt"
	"log/slog"
	"strconv"
	"time"
)

// BackendEjected records that too many requests in a row failed at a backend, so that it is left alone until then. err is what
// the last of them met; "" where that is not known.
func (r *Recorder) BackendEjected(at time.Time, pool, backend string, until time.Time, err string) {
	attrs := []slog.Attr{slog.String("pool", pool), slog.String("backend", backend), slog.Time("until", until.UTC())}
	text := fmt.Sprintf("%s: %s is ejected until %s", pool, backend, hour(until))
	r.change("backend ejected", "backend", at, true, attrs, text, err)
}

// BackendReturned records that an ejected backend gets requests again. reason is a word for why, such as time_is_over.
func (r *Recorder) BackendReturned(at time.Time, pool, backend, reason string) {
	attrs := []slog.Attr{slog.String("pool", pool), slog.String("backend", backend), slog.String("reason", reason)}
	text := fmt.Sprintf("%s: %s is no longer ejected (%s)", pool, backend, reason)
	r.change("backend returned", "backend", at, false, attrs, text, "")
}

// QuotaStoreChange records that the shared quota store went away, so that this process counts quotas by itself, or that it came
// back. err is what the last try met; "" where it is up.
func (r *Recorder) QuotaStoreChange(at time.Time, up bool, err string) {
	text := "the quota store is back: quotas are shared again"
	if !up {
		text = "the quota store is away: this Gatehouse counts quotas by itself"
	}
	r.change("quota store changed", "quota_store", at, !up, []slog.Attr{slog.Bool("up", up)}, text, err)
}

// RampCut records that sign-ins went wrong as they came back, became slow or found no room in their pool, so that the ramp was
// cut. rate is how many a second it lets in from then on.
func (r *Recorder) RampCut(at time.Time, store string, rate float64) {
	attrs := []slog.Attr{slog.String("store", store), slog.Float64("rate", rate)}
	text := fmt.Sprintf("%s: the ramp was cut to %s sign-ins a second, since they fail, became slow or found no room", store,
		strconv.FormatFloat(rate, 'f', 1, 64))
	r.change("ramp cut", "line", at, true, attrs, text, "")
}

// change writes one event line and one row.
func (r *Recorder) change(msg, kind string, at time.Time, bad bool, attrs []slog.Attr, text, err string) {
	level := slog.LevelInfo
	if bad {
		level = slog.LevelWarn
	}
	if err != "" {
		attrs = append(attrs, slog.String("err", err))
		text += ": " + err
	}
	r.events.LogAttrs(context.Background(), level, msg, attrs...)
	r.note(kind, at, bad, text)
}

// hour is a moment's time of day, for a row.
func hour(t time.Time) string { return t.UTC().Format("15:04:05 UTC") }
