package store

import (
	"context"

	"gatehouse/shed"
)

// Await returns when met holds of what is acted on, or when ctx ends, with what is known then and whether it holds. It asks for
// no check.
func (m *Monitor) Await(ctx context.Context, met func(shed.Verdict) bool) (shed.Verdict, bool) {
	for {
		m.mu.Lock()
		changed := m.changed
		m.mu.Unlock()
		if v := m.Current(); met(v) {
			return v, true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return m.Current(), false
		case <-m.ctx.Done():
			return m.late(), false
		}
	}
}

// After calls f once, when the first check has ended that begins after now, with what is known then; marked Late where there
// will be no such check. f runs in the Monitor's goroutine and must return at once. It asks for no check: there will be one
// within an interval.
func (m *Monitor) After(f func(shed.Verdict)) {
	m.mu.Lock()
	closed := m.closed
	if !closed {
		m.after = append(m.after, f)
	}
	m.mu.Unlock()
	if closed {
		f(m.late())
	}
}
