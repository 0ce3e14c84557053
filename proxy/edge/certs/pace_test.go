package certs

import (
	"context"
	"crypto/tls"
	"errors"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestWaits keeps what a directory counts within what Let's Encrypt allows, and what it does not count short.
func TestWaits(t *testing.T) {
	for _, chance := range []float64{0, 0.5, 1} {
		for n := range 20 {
			if d := usual.wait(unreached, 0, chance); d+usual.round+usual.reach > 50*time.Second || d < usual.retry/2 {
				t.Errorf("after an outage %v", d)
			}
			if d := usual.wait(cutShort, n+1, chance); d < usual.retry/2 || d > 7*time.Minute {
				t.Errorf("cut short %d times: %v", n+1, d)
			}
		}
		for _, k := range []kind{unproved, turnedDown} {
			// Two failures for each attempt, at most five within any hour.
			var at []time.Duration
			for n, now := 0, time.Duration(0); n < 10; n++ {
				at = append(at, now)
				now += usual.wait(k, n+1, chance)
			}
			for i := 2; i < len(at); i++ {
				if at[i]-at[i-2] < time.Hour {
					t.Errorf("three attempts within %v", at[i]-at[i-2])
				}
			}
		}
	}
}

// office is an authority of a test: its certificates live for a while, and it can be away.
type office struct {
	mu     sync.Mutex
	lives  time.Duration
	away   error // of reach
	says   error // of issue
	takes  time.Duration
	kept   map[string]*held
	asked  []time.Time
	issued []time.Time
	leaf   *made
}

func (o *office) load(_ context.Context, name string) (*held, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if h := o.kept[name]; h != nil {
		return h, nil
	}
	return nil, fs.ErrNotExist
}

func (o *office) reach(context.Context) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.away
}

func (o *office) issue(_ context.Context, name string) error {
	time.Sleep(o.takes)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.asked = append(o.asked, time.Now())
	if o.says != nil {
		return o.says
	}
	leaf := *o.leaf.cert
	leaf.NotBefore, leaf.NotAfter = time.Now(), time.Now().Add(o.lives)
	leaf.Raw = append([]byte(time.Now().String()), leaf.Raw...)
	third := leaf.NotAfter.Add(-o.lives / 3)
	o.kept[name] = &held{&tls.Certificate{Leaf: &leaf}, func() bool { return !time.Now().Before(third) }}
	o.issued = append(o.issued, time.Now())
	return nil
}

func (o *office) advise(context.Context, string) time.Time { return time.Now().Add(time.Hour) }

func (o *office) close() {}

func (o *office) set(away, says error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.away, o.says = away, says
}

// times are when it was asked, and when it issued.
func (o *office) times() (asked, issued []time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.asked), slices.Clone(o.issued)
}

// TestOutage lets a directory be away, at the usual pace in virtual time, when certificates come due: they are renewed within 60 s of
// its return whenever that is, and the log hears of it once.
func TestOutage(t *testing.T) {
	leaf := today(t, "a.test")
	for _, outage := range []time.Duration{time.Minute, 97 * time.Minute, 7 * time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			log := new(logged)
			o := &office{lives: 3 * 24 * time.Hour, kept: make(map[string]*held), leaf: leaf, takes: 3 * time.Second}
			var published atomic.Int32
			r := newRenewer(slog.New(slog.NewTextHandler(log, nil)), usual, o, func() { published.Add(1) })
			begun := time.Now()
			r.set([]string{"a.test", "b.test"})
			r.start()
			defer r.close()
			time.Sleep(time.Minute)
			if _, issued := o.times(); len(issued) != 2 || issued[0].Sub(begun) < usual.settle+o.takes {
				t.Fatalf("%d were issued at first:\n%s", len(issued), log)
			}
			o.set(&trouble{unreached, errors.New("the directory is away")}, nil)
			time.Sleep(2*24*time.Hour + outage)
			if _, issued := o.times(); len(issued) != 2 || len(r.certificates()) != 2 {
				t.Fatal("a directory that was away has issued, or what was there is gone")
			}
			for _, s := range r.status() {
				if s.Error == "" || s.Missing || time.Since(s.ErrorAt) > time.Minute {
					t.Errorf("status %+v", s)
				}
			}
			o.set(nil, nil)
			back := time.Now()
			time.Sleep(2 * time.Minute)
			if _, issued := o.times(); len(issued) != 4 || issued[3].Sub(back) > time.Minute {
				t.Errorf("after %v away: back at %v, issued at %v", outage, back, issued)
			}
			if n, most := log.lines("no certificate can be obtained"), 1+int((outage+time.Minute)/remind); n < 1 || n > most {
				t.Errorf("%d lines for %v away, want at most %d", n, outage, most)
			}
			if log.lines("answers again") != 1 || published.Load() != 4 {
				t.Errorf("%d publications, and the log\n%s", published.Load(), log)
			}
		})
	}
}

// TestRefused lets challenges fail: the directory is asked seldom, what there is is served, and a reload asks once more.
func TestRefused(t *testing.T) {
	leaf := today(t, "a.test")
	synctest.Test(t, func(t *testing.T) {
		log := new(logged)
		o := &office{lives: 3 * 24 * time.Hour, kept: make(map[string]*held), leaf: leaf,
			says: &trouble{unproved, errors.New("port 80 must reach this Gatehouse")}}
		r := newRenewer(slog.New(slog.NewTextHandler(log, nil)), usual, o, func() {})
		r.set([]string{"a.test"})
		r.start()
		defer r.close()
		time.Sleep(59 * time.Minute)
		if asked, _ := o.times(); len(asked) != 2 {
			t.Errorf("asked %d times in the first hour", len(asked))
		}
		time.Sleep(48 * time.Hour)
		before, _ := o.times()
		if n := len(before); n < 8 || n > 16 {
			t.Errorf("asked %d times in two days", n)
		}
		time.Sleep(time.Until(before[len(before)-1].Add(45 * time.Minute)))
		for range 10 {
			r.set([]string{"a.test"})
			time.Sleep(time.Minute)
		}
		if asked, _ := o.times(); len(asked)-len(before) != 1 {
			t.Errorf("ten reloads made it ask %d times", len(asked)-len(before))
		}
		if s := r.status()[0]; !s.Missing || !strings.Contains(s.Error, "port 80") || s.Next.IsZero() {
			t.Errorf("status %+v", s)
		}
		o.set(nil, nil)
		time.Sleep(8 * time.Hour)
		if s := r.status()[0]; s.Missing || s.Error != "" {
			t.Errorf("status after all %+v", s)
		}
	})
}
