package line

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

var epoch = time.Date(2024, 5, 1, 9, 0, 0, 0, time.UTC)

var usual = Settings{From: 10, To: 500, Over: 30 * time.Second, MinWait: 5 * time.Second, MaxWait: time.Minute}

func newHerd(seed uint64, lines int, s Settings) *herd {
	h := &herd{rand: rand.New(rand.NewPCG(seed, 1)), opens: 120 * time.Second, until: 10 * time.Minute}
	for range lines {
		l := New(s)
		l.Enter(epoch.Add(-time.Hour), Place{})
		h.lines = append(h.lines, l)
	}
	return h
}

func (h *herd) patients(n int, from, to time.Duration) {
	for range n {
		h.visitors = append(h.visitors, &visitor{first: from + time.Duration(h.rand.Int64N(int64(to-from))), ask: patient(h), line: -1})
	}
}

func (h *herd) hammers(n int, every time.Duration) {
	for range n {
		h.visitors = append(h.visitors, &visitor{first: time.Duration(h.rand.Int64N(int64(h.opens))), ask: hammer(h, every), line: -1, forget: true})
	}
}

func isPatient(v *visitor) bool { return !v.forget }

func TestExplore(t *testing.T) {
	for name, build := range map[string]func() *herd{
		"plain": func() *herd { h := newHerd(1, 1, usual); h.patients(5000, 0, h.opens); return h },
		"hammer": func() *herd {
			h := newHerd(1, 1, usual)
			h.patients(4500, 0, h.opens)
			h.hammers(500, 500*time.Millisecond)
			return h
		},
		"hammer5s": func() *herd {
			h := newHerd(1, 1, usual)
			h.patients(4500, 0, h.opens)
			h.hammers(500, 5*time.Second)
			return h
		},
		"slow": func() *herd {
			h := newHerd(1, 1, Settings{From: 5, To: 50, Over: 30 * time.Second})
			h.patients(5000, 0, h.opens)
			h.hammers(500, 500*time.Millisecond)
			return h
		},
		"two": func() *herd {
			h := newHerd(1, 2, usual)
			h.patients(4500, 0, h.opens)
			h.hammers(500, 500*time.Millisecond)
			return h
		},
		"burst": func() *herd {
			h := newHerd(1, 1, usual)
			h.patients(4500, 0, time.Second)
			h.hammers(500, 500*time.Millisecond)
			return h
		},
		"burstshort": func() *herd {
			h := newHerd(1, 1, usual)
			h.opens = 2 * time.Second
			h.patients(4500, 0, time.Second)
			return h
		},
		"steady": func() *herd { h := newHerd(1, 1, usual); h.patients(5000+20*200, 0, h.opens*5/4*2); return h },
	} {
		h := build()
		h.run()
		var last time.Duration
		for _, v := range h.visitors {
			if isPatient(v) {
				last = max(last, v.entered)
			}
		}
		in, asked := 0, 0
		for _, v := range h.visitors {
			if isPatient(v) {
				asked += v.asked
				if v.entered > 0 {
					in++
				}
			}
		}
		d := h.displaced(isPatient)
		r := perSecond(h.returns, 0, last)
		sum := 0
		for _, n := range r {
			sum += n
		}
		t.Logf("%-10s in %d of %d, last %v after opening, asked %.1f; displaced p50 %v p95 %v p99 %v max %v; returns peak %d mean %.0f",
			name, in, len(h.visitors), last-h.opens, float64(asked)/float64(in), quantile(d, .5), quantile(d, .95), quantile(d, .99), quantile(d, 1), slices.Max(r), float64(sum)/float64(len(r)))
		e := perSecond(h.entries, h.opens, h.opens+45*time.Second)
		t.Log(e)
		if testing.Verbose() {
			t.Log(r)
		}
	}
}
