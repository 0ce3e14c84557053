package shed

import (
	"math"
	"time"
)

// AdaptiveSettings bounds an adaptive limit. Zeros mean 8 and 1000.
type AdaptiveSettings struct{ Min, Max int }

func (s AdaptiveSettings) withDefaults() AdaptiveSettings {
	if s.Min <= 0 {
		s.Min = 8
	}
	if s.Max <= 0 {
		s.Max = 1000
	}
	s.Max = max(s.Max, s.Min)
	return s
}

type measure struct{ limit float64 }

func (m measure) bounded(s AdaptiveSettings, from int) measure {
	if m.limit == 0 {
		m.limit = 64
		if from > 0 {
			m.limit = float64(from)
		}
	}
	m.limit = math.Max(float64(s.Min), math.Min(float64(s.Max), m.limit))
	return m
}

func (m measure) next(window, AdaptiveSettings) (measure, string) { return m, "" }

type window struct {
	began time.Time
	n     int
}

func (w *window) add(time.Time, time.Duration, bool, int) { w.n++ }
func (w *window) complete(time.Time) bool                 { return false }
