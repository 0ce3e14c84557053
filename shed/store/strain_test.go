package store

import (
	"testing"
	"time"

	"gatehouse/shed"
)

// limited is the usual Monitor with the limits of the surface.
func limited() Settings {
	s := usual
	s.Memory, s.Clients, s.Evictions = 0.9, 0.9, 100
	return s
}

// hear has a good probe bring vitals, every two seconds of the bubble.
func (s *scene) hear(over time.Duration, v func(i int) Vitals) {
	for i := range int(over / (2 * time.Second)) {
		e, now := good, v(i)
		e.Vitals = &now
		s.p.say(good, e)
		time.Sleep(2 * time.Second)
	}
}

func TestStrainIsSeenInWhatTheServerSays(t *testing.T) {
	calm := Vitals{MemoryUsed: 50, MemoryMax: 100, Refuses: true, Clients: 10, ClientsMax: 100, Replicated: true, Good: 2}
	for _, row := range []struct {
		name   string
		change func(v *Vitals, i int)
		worst  Resource // "": not strained
		cause  shed.Cause
	}{
		{"calm", func(*Vitals, int) {}, "", shed.OK},
		{"nearly full", func(v *Vitals, _ int) { v.MemoryUsed = 90 }, Memory, shed.CauseFull},
		{"nearly full, and evicts", func(v *Vitals, _ int) { v.MemoryUsed, v.Refuses = 100, false }, "", shed.OK},
		{"full, and evicts as a matter of course", func(v *Vitals, i int) {
			v.MemoryUsed, v.Refuses, v.Evicted = 100, false, uint64(i)*150
		}, "", shed.OK},
		{"evicts fast", func(v *Vitals, i int) { v.Refuses, v.Evicted = false, uint64(i)*400 }, Evictions, shed.CauseSessionLoss},
		{"no limit on memory", func(v *Vitals, _ int) { v.MemoryUsed, v.MemoryMax = 1000, 0 }, "", shed.OK},
		{"few slots left", func(v *Vitals, _ int) { v.Clients = 95 }, Clients, shed.CauseTooManyClients},
		{"slots ran out meanwhile", func(v *Vitals, i int) { v.Rejected = uint64(i) }, Clients, shed.CauseTooManyClients},
		{"a replica is gone", func(v *Vitals, i int) { v.Good = 2 - min(i, 1) }, Replication, shed.CauseNoReplicas},
		{"a replica lags", func(v *Vitals, _ int) { v.Lag = 7 * time.Second }, Replication, shed.CauseNoReplicas},
		{"replicas that nobody waits for", func(v *Vitals, i int) { v.Replicated, v.Good = false, 2-min(i, 2) }, "", shed.OK},
		{"a snapshot failed", func(v *Vitals, _ int) { v.SaveFailed = true }, Persistence, shed.CausePersistenceError},
		{"the disk is late", func(v *Vitals, i int) { v.Delayed = uint64(i) }, Persistence, shed.CausePersistenceError},
		{"the worst is named", func(v *Vitals, _ int) { v.Clients, v.MemoryUsed = 92, 97 }, Memory, shed.CauseFull},
		{"once is never", func(v *Vitals, i int) {
			if i == 3 {
				v.MemoryUsed = 99
			}
		}, "", shed.OK},
	} {
		t.Run(row.name, func(t *testing.T) {
			in(t, limited(), good, func(t *testing.T, s *scene) {
				s.hear(12*time.Second, func(i int) Vitals {
					v := calm
					row.change(&v, i)
					return v
				})
				state := shed.Writable
				if row.worst != "" {
					state = shed.Strained
				}
				s.want(t, state, row.cause)
				strains := Resource("")
				for _, h := range s.Status().Headroom {
					if h.Ratio < 0 || h.Ratio > 1 {
						t.Errorf("%+v", h)
					}
					if h.Strains && strains == "" {
						strains = h.Resource
					}
				}
				if strains != row.worst {
					t.Errorf("%q strains, want %q: %+v", strains, row.worst, s.Status().Headroom)
				}
				s.hear(10*time.Second, func(int) Vitals { return calm })
				s.want(t, shed.Writable, shed.OK)
			})
		})
	}
}

func TestVitalsThatAreOldSayNothing(t *testing.T) {
	in(t, limited(), good, func(t *testing.T, s *scene) {
		s.hear(6*time.Second, func(int) Vitals { return Vitals{MemoryUsed: 99, MemoryMax: 100, Refuses: true} })
		s.want(t, shed.Strained, shed.CauseFull)
		time.Sleep(stale + 3*time.Second) // INFO was taken from our user
		s.want(t, shed.Writable, shed.OK)
		for _, h := range s.Status().Headroom {
			if h.Resource != Latency {
				t.Errorf("%+v is still told", h)
			}
		}
	})
}

func TestCountersOfAServerThatStartedAnew(t *testing.T) {
	in(t, limited(), good, func(t *testing.T, s *scene) {
		s.hear(10*time.Second, func(i int) Vitals { return Vitals{Evicted: 1e9 - uint64(i), ClientsMax: 10, Rejected: 50 - uint64(i)} })
		s.want(t, shed.Writable, shed.OK)
	})
}

func TestTheLatencyHasAHeadroomToo(t *testing.T) {
	in(t, limited(), tardy, func(t *testing.T, s *scene) {
		time.Sleep(time.Second)
		s.want(t, shed.Strained, shed.CauseSlow)
		all := s.Status().Headroom
		if len(all) != 1 || all[0].Resource != Latency || !all[0].Strains || all[0].Ratio < 0.8 || all[0].Ratio > 0.9 {
			t.Errorf("%+v, want 30 ms of 200 ms", all)
		}
	})
}
