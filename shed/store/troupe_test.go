package store

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse/shed"
)

// troupe is a Group with a script for each part, and what it told.
type troupe struct {
	*Group
	f *stage
	p map[string]*script

	mu    sync.Mutex
	heard []told
}

// stage is a Finder whose parts come and go as it is told. Keys begin with the name of their part and a slash.
type stage struct {
	t *testing.T

	mu      sync.Mutex
	parts   []Part
	given   map[string]bool
	changed chan struct{}
	closed  int
}

func (f *stage) Parts() ([]Part, <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed > 0 {
		f.t.Error("asked for parts after Close")
	}
	all := slices.Clone(f.parts)
	for i := range all {
		if f.given[all[i].Name] {
			all[i].Prober = nil
		}
	}
	f.given = map[string]bool{}
	for _, p := range all {
		f.given[p.Name] = true
	}
	return all, f.changed
}

func (f *stage) Of(key string) (string, bool) {
	for i := range len(key) {
		if key[i] == '/' {
			return key[:i], true
		}
	}
	return "", false
}

func (f *stage) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed++
	return nil
}

// play changes the parts.
func (f *stage) play(parts ...Part) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.parts = parts
	close(f.changed)
	f.changed = make(chan struct{})
}

func (tr *troupe) note(part string, t Transition) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.heard = append(tr.heard, told{part, t})
}

// of returns what was told of one part, or of the combination.
func (tr *troupe) of(part string) (all []Transition) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	for _, h := range tr.heard {
		if h.part == part {
			all = append(all, h.t)
		}
	}
	return all
}

func (tr *troupe) part(t *testing.T, name string, rest Evidence) Part {
	s := &script{t: t, rest: rest, took: time.Millisecond}
	tr.p[name] = s
	return Part{Name: name, Prober: s}
}

// together is how the usual Group works, where so many must be able.
func together(require int) GroupSettings { return GroupSettings{Settings: usual, Require: require} }

// cast makes a Group of the named parts, all well, that has not begun; it is closed when the test ends.
func cast(t *testing.T, set GroupSettings, names ...string) *troupe {
	tr := &troupe{f: &stage{t: t, changed: make(chan struct{})}, p: map[string]*script{}}
	for _, name := range names {
		tr.f.parts = append(tr.f.parts, tr.part(t, name, good))
	}
	tr.Group = NewGroup(tr.f, set, tr.note)
	return tr
}

// inGroup runs f in a bubble with a Group of which each part has had its first check.
func inGroup(t *testing.T, set GroupSettings, names []string, f func(t *testing.T, tr *troupe)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		tr := cast(t, set, names...)
		tr.Start()
		defer tr.Close()
		tr.First(t.Context())
		f(t, tr)
	})
}

func (tr *troupe) become(t *testing.T, state shed.State, most time.Duration) time.Duration {
	t.Helper()
	return until(t, most, "the combination is "+state.String(), func() bool { return tr.Current().State == state })
}

func (tr *troupe) want(t *testing.T, state shed.State, cause shed.Cause) {
	t.Helper()
	if v := tr.Current(); v.State != state || v.Cause != cause {
		t.Errorf("%v (%v), want %v (%v)", v.State, v.Cause, state, cause)
	}
}

// abc are three parts.
var abc = []string{"a", "b", "c"}
