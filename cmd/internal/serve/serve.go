package serve

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"gatehouse/config"
	"gatehouse/proxy/build"
	"gatehouse/proxy/edge/sockets"
	"gatehouse/proxy/record"
)

// Options are what a run needs beside the file.
type Options struct {
	Path    string           // the operator's file
	Version string           // of the program
	Stdout  io.Writer        // access lines, unless the file says otherwise
	Stderr  io.Writer        // events
	Hangup  <-chan os.Signal // each element asks for a reload; nil: none comes
	Started func(Addresses)  // called once everything is served; nil: nobody asks
	// Sockets is where listeners come from, and how another process takes over; nil: they are opened here, and none does. It is
	// the caller's to make and to close.
	Sockets  *sockets.Sockets
	Takeover <-chan os.Signal // each element asks for another process to take over; nil: none comes
	// Grace is how long connections without a request are kept once another process has taken over.
	Grace time.Duration
	// Delay is how long visitors are still accepted after the health paths turned; Drain how long those in flight may take then.
	Delay, Drain time.Duration
}

// Addresses are where a run can be reached.
type Addresses struct {
	Visitors []string
	Admin    string // "" for none
}

// Run serves until ctx ends or another process has taken over, then drains, and returns nil. An error means that nothing was
// started. It makes its event log the process's default one.
func Run(ctx context.Context, o Options) error {
	p, err := start(o)
	if err != nil {
		return err
	}
	if o.Started != nil {
		o.Started(p.addresses())
	}
	taken := p.loop(ctx)
	close(p.ended)
	if taken {
		p.leave(ctx)
	} else {
		p.stop()
	}
	return nil
}

// program is one run. Its loop is the one goroutine that loads, builds and swaps.
type program struct {
	options Options
	level   slog.LevelVar
	events  *record.Sink // under log: an event must not wait for who reads it
	log     *slog.Logger
	access  *accessLog
	record  *record.Recorder
	living  *build.Living
	door    *door
	state   *state
	watch   *watch
	page    string      // the template that the file last looked at names
	seen    fingerprint // what was last looked at
	failing bool        // the last load failed
	tried   time.Time   // when that was
	asked   chan request
	taking  chan outcome // of the takeover that is under way; nil: none is
	manager *sockets.Manager
	key     string        // signs where the file names no keys
	muted   bool          // it was said that the manager does not listen
	ended   chan struct{} // closed when nobody listens to asked any more
}

// errEnded is the answer to who asks for a reload of what is being stopped.
var errEnded = errors.New("gatehouse is being stopped")

// ask has the loop reload and returns what came of it.
func (p *program) ask(ctx context.Context) error {
	r := request{make(chan error, 1)}
	select {
	case p.asked <- r:
		return <-r.answer
	case <-p.ended:
		return errEnded
	case <-ctx.Done():
		return ctx.Err()
	}
}

// request asks the loop for a reload.
type request struct{ answer chan error }

func start(o Options) (*program, error) {
	p := &program{options: o, access: &accessLog{stdout: o.Stdout, stderr: o.Stderr}, asked: make(chan request), ended: make(chan struct{})}
	p.events = record.NewSink(o.Stderr)
	p.log = record.NewEvents(p.events, &p.level)
	// What libraries say for themselves, such as net/http's Transport, belongs into the same log.
	slog.SetDefault(p.log)
	p.record = record.New(record.Settings{Access: p.access, Events: p.log, Version: o.Version})
	p.living = build.New(p.record, p.log)
	p.state = newState(p)
	p.door = newDoor(p)
	if o.Sockets != nil {
		p.living.Listen, p.manager = o.Sockets.Listen, o.Sockets.Manager()
	}
	if err := p.serve(); err != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		err = errors.Join(err, p.living.Drain(ctx))
		p.closeLogs()
		return nil, err
	}
	p.record.Reload(true, time.Now())
	var err error
	if p.watch, err = newWatch(o.Path); err != nil {
		p.log.Warn("changes of the file are noticed slowly", "error", err.Error())
	}
	p.state.ready.Store(true)
	p.log.Info("gatehouse serves", "version", o.Version, "file", o.Path, "addresses", p.living.Addresses(), "admin", p.door.address())
	p.told(p.manager.Ready(p.standing()))
	return p, nil
}

// serve takes the first file live, and what the process before left, if there was one. That one accepts nobody any more then.
func (p *program) serve() error {
	left, err := p.receive()
	if err != nil {
		return err
	}
	if err := p.load(); err != nil {
		return err
	}
	p.inherit(left.Override)
	if p.options.Sockets == nil {
		return nil
	}
	return p.options.Sockets.Ready()
}

func (p *program) addresses() Addresses {
	return Addresses{Visitors: p.living.Addresses(), Admin: p.door.address()}
}

// loop reloads whenever that is asked for, and reports whether another process has taken over; if not, ctx has ended.
func (p *program) loop(ctx context.Context) (taken bool) {
	tick := time.NewTicker(p.rhythm())
	defer tick.Stop()
	for {
		hangup, asked, changed := p.options.Hangup, p.asked, p.watch.changed
		if p.taking != nil { // whatever is asked for now is asked of the one who serves afterwards
			hangup, asked, changed = nil, nil, nil
		}
		select {
		case <-ctx.Done():
			return p.taking != nil && p.taken(<-p.taking)
		case <-p.options.Takeover:
			p.takeover(ctx)
		case o := <-p.taking:
			if p.taken(o) {
				return true
			}
		case <-tick.C:
			p.beat()
		case <-hangup:
			_ = p.reload("signal")
		case r := <-asked:
			r.answer <- p.reload("admin")
		case <-changed:
			// What keeps a file from going live may lie outside it, as a port in use or a missing template, and be mended there.
			if p.fingerprint() != p.seen || p.failing && time.Since(p.tried) >= look {
				_ = p.reload(fileChanged)
			}
		}
	}
}

func (p *program) fingerprint() fingerprint { return fingerprint{sumOf(p.options.Path), sumOf(p.page)} }

// fileChanged is why a file is loaded that nobody asked for.
const fileChanged = "file changed"

// reload loads the file again. Whatever is wrong with it, what was live stays live; the error is in the log, the metrics and
// /status.
func (p *program) reload(why string) error {
	p.told(p.manager.Reloading())
	defer func() { p.told(p.manager.Ready(p.standing())) }()
	err := p.load()
	p.failing, p.tried = err != nil, time.Now()
	if err != nil {
		if again := p.state.failed(err); again && why == fileChanged {
			return err // told already
		}
		p.record.Reload(false, time.Now())
		for _, line := range lines(err) {
			p.log.Error("reload failed, the last good file stays live", "why", why, "file", p.options.Path, "problem", line)
		}
		return err
	}
	p.record.Reload(true, time.Now())
	p.log.Info("reloaded", "why", why, "file", p.options.Path)
	return nil
}

// load takes the file live, or changes nothing.
func (p *program) load() error {
	p.seen = p.fingerprint()
	cfg, err := config.Load(p.options.Path)
	if err != nil {
		return err
	}
	// What was read is what was seen: whatever is written from here on is a change.
	p.page = cfg.Degrade.Page
	p.seen = fingerprint{cfg.Sum, sumOf(p.page)}
	access, logErr := p.access.plan(cfg.Log.Access)
	door, doorErr := p.door.plan(cfg.Admin)
	var plan *build.Plan
	if err = errors.Join(logErr, doorErr); err == nil {
		plan, err = p.living.Plan(cfg)
	}
	if err != nil {
		access.drop()
		door.drop()
		return err
	}
	p.level.Set(level(cfg.Log.Level))
	access.commit()
	p.vacate(cfg)
	plan.Commit()
	door.commit()
	warnings := plan.Warnings
	for _, w := range cfg.Warnings {
		warnings = append(warnings, w.Error())
	}
	warnings = append(warnings, p.unwanted()...)
	p.state.loaded(cfg, warnings)
	for _, w := range warnings {
		p.log.Warn("the file is live, with a warning", "problem", w)
	}
	return nil
}

// step is a part of a load that has been made ready: it is committed or dropped. The zero value has nothing to drop.
type step struct{ commit, discard func() }

func (s step) drop() {
	if s.discard != nil {
		s.discard()
	}
}

// stop turns the health paths first, then drains.
func (p *program) stop() {
	p.watch.close()
	p.told(p.manager.Stopping())
	p.state.ready.Store(false)
	p.living.Ready(false)
	p.log.Info("draining", "delay", p.options.Delay.String(), "at_most", p.options.Drain.String())
	if p.options.Delay > 0 {
		time.Sleep(p.options.Delay)
	}
	p.drain()
}

// drain lets what is in flight end, and ends the rest.
func (p *program) drain() {
	ctx, cancel := context.WithTimeout(context.Background(), p.options.Drain)
	defer cancel()
	if err := p.living.Drain(ctx); err != nil {
		// Said and done: a tunnel that lives for hours is cut at every deployment, and that is no failure.
		p.log.Warn("what was still in flight was cut", "after", p.options.Drain.String())
	}
	p.door.close()
	p.door.wait()
	p.log.Info("stopped")
	p.closeLogs()
}

// closeLogs writes what is left of both logs. One that nobody reads keeps neither the other nor the program from ending.
func (p *program) closeLogs() {
	for _, end := range []func(context.Context) error{p.record.Close, func(ctx context.Context) error {
		p.access.close()
		return p.events.Close(ctx)
	}} {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		_ = end(ctx)
		cancel()
	}
}

// lines takes a joined error apart: one line a mistake.
func lines(err error) []string {
	var problems config.Problems
	if errors.As(err, &problems) {
		out := make([]string, len(problems))
		for i, q := range problems {
			out[i] = q.Error()
		}
		return out
	}
	return strings.Split(err.Error(), "\n")
}
