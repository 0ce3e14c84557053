package certs

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"go.uber.org/zap/zapcore"
)

// core is zap's Core over slog, for certmagic. What it does step by step is for debugging; that a certificate could not be had is
// said by the renewer, in words that say what to do. What is left are its own troubles, each once in a while.
type core struct {
	log    *slog.Logger
	fields []zapcore.Field
	heard  *heard
}

// heard is when something was last said.
type heard struct {
	mu sync.Mutex
	at map[string]time.Time
}

const again = 10 * time.Minute

// new reports whether a message may be said now.
func (h *heard) new(message string, now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if last, ok := h.at[message]; ok && now.Sub(last) < again {
		return false
	}
	if h.at == nil || len(h.at) >= 256 {
		h.at = make(map[string]time.Time)
	}
	h.at[message] = now
	return true
}

// saidBetter is certmagic's error that the renewer says too.
const saidBetter = "could not get certificate from issuer"

func levelOf(e zapcore.Entry) slog.Level {
	switch {
	case e.Level < zapcore.InfoLevel:
		return slog.LevelDebug - 4
	case e.Level < zapcore.ErrorLevel || e.Message == saidBetter:
		return slog.LevelDebug
	default:
		return slog.LevelWarn
	}
}

func (c *core) Enabled(level zapcore.Level) bool {
	return c.log.Enabled(context.Background(), levelOf(zapcore.Entry{Level: level}))
}

func (c *core) With(fields []zapcore.Field) zapcore.Core {
	return &core{c.log, append(c.fields[:len(c.fields):len(c.fields)], fields...), c.heard}
}

func (c *core) Check(e zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(e.Level) {
		return checked.AddCore(e, c)
	}
	return checked
}

func (c *core) Write(e zapcore.Entry, fields []zapcore.Field) error {
	level := levelOf(e)
	if !c.log.Enabled(context.Background(), level) || level >= slog.LevelWarn && !c.heard.new(e.Message, e.Time) {
		return nil
	}
	enc := zapcore.NewMapObjectEncoder()
	for _, f := range c.fields {
		f.AddTo(enc)
	}
	for _, f := range fields {
		f.AddTo(enc)
	}
	args := make([]slog.Attr, 0, len(enc.Fields)+1)
	args = append(args, slog.String("by", "certmagic"))
	for name, value := range enc.Fields {
		args = append(args, slog.Any(name, value))
	}
	c.log.LogAttrs(context.Background(), level, "certificates: "+e.Message, args...)
	return nil
}

func (c *core) Sync() error { return nil }

// hushed says everything for debugging only: what acmez tells comes back as an error too.
type hushed struct{ slog.Handler }

func (h hushed) Enabled(ctx context.Context, _ slog.Level) bool {
	return h.Handler.Enabled(ctx, slog.LevelDebug)
}

func (h hushed) Handle(ctx context.Context, r slog.Record) error {
	r.Level = slog.LevelDebug
	r.Message = "certificates: " + r.Message
	return h.Handler.Handle(ctx, r)
}

func (h hushed) WithAttrs(attrs []slog.Attr) slog.Handler { return hushed{h.Handler.WithAttrs(attrs)} }
func (h hushed) WithGroup(name string) slog.Handler       { return hushed{h.Handler.WithGroup(name)} }
