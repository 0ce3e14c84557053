package serve

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/config"
	"gatehouse/proxy/admin"
	"gatehouse/shed"
	"gatehouse/shed/store"
)

// state is what the admin listener tells of a run. It is an admin.Source, safe for concurrent use.
type state struct {
	program *program
	started time.Time
	ready   atomic.Bool

	mu   sync.Mutex
	cfg  *config.Config // in force; nil before the first
	fate admin.Config
}

func newState(p *program) *state { return &state{program: p, started: time.Now()} }

// loaded notes that a file went live.
func (s *state) loaded(cfg *config.Config, warnings []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cfg = cfg
	s.fate = admin.Config{Path: cfg.Path, Sum: hex.EncodeToString(cfg.Sum[:]), LoadedAt: time.Now(), OK: true, Warnings: warnings}
}

// failed notes that the last attempt to load the file failed, and reports whether the one before failed for the same reason.
func (s *state) failed(err error) (again bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := strings.Join(lines(err), "\n")
	again = !s.fate.OK && s.fate.Error == text
	s.fate.OK, s.fate.TriedAt, s.fate.Error = false, time.Now(), text
	return again
}

// Status implements admin.Source.
func (s *state) Status() admin.Status {
	s.mu.Lock()
	cfg, fate := s.cfg, s.fate
	s.mu.Unlock()
	out := s.program.living.Status(cfg)
	out.Version, out.Config = s.program.options.Version, fate
	out.Now, out.Started = time.Now(), s.started
	out.UptimeSeconds = time.Since(s.started).Seconds()
	out.Ready, out.NotReady = s.Ready()
	return out
}

// Ready implements admin.Source. It depends on neither store nor backends: a balancer that took every Gatehouse out because
// the store is gone would turn the page into a bare error.
func (s *state) Ready() (bool, string) {
	if !s.ready.Load() {
		return false, "starting or draining"
	}
	return true, ""
}

// Reload implements admin.Source.
func (s *state) Reload(ctx context.Context) error { return s.program.ask(ctx) }

// Override implements admin.Source.
func (s *state) Override(o admin.Override) error {
	if o.State == admin.OverrideOff {
		return s.program.living.EndOverride(o.By)
	}
	meant, err := override(o, time.Now())
	if err != nil {
		return err
	}
	return s.program.living.Override(meant)
}

// override turns the words of an override that begins now into what they mean.
func override(o admin.Override, now time.Time) (store.Override, error) {
	for _, st := range shed.States {
		if st.String() == o.State {
			return store.Override{State: st, Until: now.Add(o.For), By: o.By}, nil
		}
	}
	return store.Override{}, fmt.Errorf("there is no state %.40q", o.State)
}
