package store

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse/shed"
)

// peers are members that copy heartbeats to each other, with a delay, as long as their links are up.
type peers struct {
	t *testing.T

	mu    sync.Mutex
	beats map[string][]time.Time // by member, when
	delay time.Duration
	cut   map[[2]string]time.Time // of what (first) is not copied any more to where (second), since when
	away  map[string]error        // who cannot be asked
	hangs map[string]bool
	never bool // nothing is copied at all
}

// member is a Prober of one of them.
type member struct {
	*script
	peers *peers
	busy  bool
}

func (m *member) Beat(ctx context.Context, own string, others []string) ([]time.Time, error) {
	p := m.peers
	p.mu.Lock()
	if _, ok := ctx.Deadline(); !ok || m.busy || slices.Contains(others, own) || m.closed > 0 {
		p.t.Errorf("asked %s for %v: deadline %v, one is under way %v, closed %d times", own, others, ok, m.busy, m.closed)
	}
	m.busy = true
	hangs := p.hangs[own]
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		m.busy = false
		p.mu.Unlock()
	}()
	if hangs {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.away[own]; err != nil {
		return nil, err
	}
	now := time.Now()
	p.beats[own] = append(p.beats[own], now)
	seen := make([]time.Time, len(others))
	for i, of := range others {
		for _, at := range p.beats[of] {
			cut, is := p.cut[[2]string{of, own}]
			if arrives := at.Add(p.delay); !p.never && !arrives.After(now) && (!is || arrives.Before(cut)) {
				seen[i] = at
			}
		}
	}
	return seen, nil
}

func (m *member) Close() error {
	m.peers.mu.Lock()
	defer m.peers.mu.Unlock()
	if m.busy {
		m.peers.t.Error("closed while a heartbeat is under way")
	}
	return m.script.Close()
}

func (p *peers) change(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
}

// copying is how members that copy to each other are watched: a beat a second, five seconds are too much.
func copying() GroupSettings {
	s := together(1)
	s.Beat = BeatSettings{Interval: time.Second, Lag: 5 * time.Second}
	return s
}

func inPeers(t *testing.T, set GroupSettings, f func(t *testing.T, tr *troupe, p *peers)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := &peers{t: t, beats: map[string][]time.Time{}, delay: 20 * time.Millisecond, cut: map[[2]string]time.Time{},
			away: map[string]error{}, hangs: map[string]bool{}}
		tr := &troupe{f: &stage{t: t, changed: make(chan struct{})}, p: map[string]*script{}}
		for _, name := range []string{"eu", "us"} {
			part := tr.part(t, name, good)
			part.Prober = &member{script: tr.p[name], peers: p}
			tr.f.parts = append(tr.f.parts, part)
		}
		tr.Group = NewGroup(tr.f, set, tr.note)
		tr.Start()
		defer tr.Close()
		time.Sleep(10 * time.Second)
		f(t, tr, p)
	})
}

func (tr *troupe) lag(at, of string) Lag {
	for _, p := range tr.Parts() {
		for _, l := range p.Lags {
			if p.Name == at && l.Of == of {
				return l
			}
		}
	}
	return Lag{}
}

func TestMembersThatCopyInTimeAreTogether(t *testing.T) {
	inPeers(t, copying(), func(t *testing.T, tr *troupe, p *peers) {
		for _, pair := range [][2]string{{"eu", "us"}, {"us", "eu"}} {
			if l := tr.lag(pair[0], pair[1]); l.Seen.IsZero() || l.Lag > 1100*time.Millisecond {
				t.Errorf("%s shows %+v", pair[0], l)
			}
		}
		p.mu.Lock()
		n := len(p.beats["eu"])
		p.mu.Unlock()
		if n < 10 || n > 12 || tr.Diverged() || tr.Status().Diverged != nil || !tr.LastImpaired().IsZero() {
			t.Errorf("%d beats in ten seconds; %+v", n, tr.Status().Diverged)
		}
	})
}

func TestALinkThatIsCutHasEveryAnswerLookedAtAndClosesNothing(t *testing.T) {
	inPeers(t, copying(), func(t *testing.T, tr *troupe, p *peers) {
		told := len(tr.of(""))
		p.change(func() { p.cut[[2]string{"eu", "us"}] = time.Now() })
		d := until(t, 20*time.Second, "diverged", tr.Diverged)
		if d < 4*time.Second || d > 7100*time.Millisecond {
			t.Errorf("found after %v, want the bound and up to two intervals", d)
		}
		v := tr.Status().Diverged
		if v.At != "us" || v.From != "eu" || v.Lag <= 5*time.Second || !v.Since.Equal(time.Now()) || !tr.LastImpaired().IsZero() {
			t.Errorf("%+v", v)
		}
		tr.want(t, shed.Writable, shed.OK)
		if v := tr.Current(); v.Impaired() || tr.Part("us").Current().Impaired() {
			t.Error("a peer's failure marks no one down")
		}
		since := v.Since
		time.Sleep(10 * time.Second)
		if v := tr.Status().Diverged; v.Lag < 14*time.Second || !v.Since.Equal(since) {
			t.Errorf("%+v", v)
		}
		p.change(func() { p.cut = map[[2]string]time.Time{} })
		until(t, 5*time.Second, "together again", func() bool { return !tr.Diverged() })
		if got := tr.of(""); len(got) != told {
			t.Errorf("told %+v", got[told:])
		}
	})
}

func TestALagAboutTheBoundDoesNotComeAndGo(t *testing.T) {
	inPeers(t, copying(), func(t *testing.T, tr *troupe, p *peers) {
		p.change(func() { p.delay = 5200 * time.Millisecond })
		until(t, 20*time.Second, "diverged", tr.Diverged)
		for i := range 60 {
			p.change(func() { p.delay = time.Duration(3+i%3) * time.Second })
			time.Sleep(time.Second)
			if !tr.Diverged() {
				t.Fatalf("together with %+v", tr.lag("us", "eu"))
			}
		}
		p.change(func() { p.delay = time.Second })
		until(t, 10*time.Second, "together again", func() bool { return !tr.Diverged() })
	})
}

func TestMembersThatNeverCopiedTurnNothingOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &peers{t: t, beats: map[string][]time.Time{}, away: map[string]error{"b": errors.New("NOPERM")}, never: true}
		g := NewGroup(Fixed(Part{"a", &member{script: &script{t: t, rest: good}, peers: p}}, Part{"b", &member{script: &script{t: t, rest: good}, peers: p}},
			Part{"c", &script{t: t, rest: good}}), copying(), nil)
		g.Start()
		defer g.Close()
		time.Sleep(time.Minute)
		parts := g.Parts()
		if g.Diverged() || len(parts[0].Lags) != 1 || !parts[0].Lags[0].Seen.IsZero() || parts[0].BeatErr != "" {
			t.Errorf("%+v", parts[0])
		}
		if parts[1].BeatErr != "NOPERM" || parts[2].Lags != nil {
			t.Errorf("%q, %+v", parts[1].BeatErr, parts[2].Lags)
		}
	})
}

func TestAMemberThatCannotBeAskedAnyMoreIsDoubted(t *testing.T) {
	inPeers(t, copying(), func(t *testing.T, tr *troupe, p *peers) {
		p.change(func() { p.away["eu"], p.away["us"] = errors.New("NOPERM"), errors.New("NOPERM") })
		if d := until(t, 20*time.Second, "diverged", tr.Diverged); d < 4*time.Second || d > 6100*time.Millisecond {
			t.Errorf("found after %v", d)
		}
		if v := tr.Status().Diverged; v.From != "" || v.Lag <= 5*time.Second {
			t.Errorf("%+v", v)
		}
		tr.want(t, shed.Writable, shed.OK)
	})
}

func TestAMemberThatHangsDelaysNobody(t *testing.T) {
	set := copying()
	set.Timeout = 3 * time.Second
	inPeers(t, set, func(t *testing.T, tr *troupe, p *peers) {
		p.mu.Lock()
		n := len(p.beats["us"])
		p.mu.Unlock()
		p.change(func() { p.hangs["eu"] = true })
		d := until(t, 20*time.Second, "diverged", tr.Diverged)
		if d < 4*time.Second || d > 7*time.Second {
			t.Errorf("found after %v", d)
		}
		p.mu.Lock()
		more := len(p.beats["us"]) - n
		p.mu.Unlock()
		if want := int(d / time.Second); more < want-1 {
			t.Errorf("%d beats of the other in %v", more, d)
		}
		if at := tr.Status().Diverged; at.At != "eu" && at.From != "eu" {
			t.Errorf("%+v", at)
		}
		tr.want(t, shed.Writable, shed.OK)
		p.change(func() { p.hangs["eu"] = false })
		until(t, 10*time.Second, "together again", func() bool { return !tr.Diverged() })
		tr.Set(together(1)) // no heartbeats any more
		time.Sleep(time.Second)
		p.change(func() { n = len(p.beats["us"]) })
		time.Sleep(time.Minute)
		p.change(func() {
			if len(p.beats["us"]) != n {
				t.Error("it beats on")
			}
		})
	})
}

func TestAMemberThatGoesTakesItsLagAlong(t *testing.T) {
	inPeers(t, copying(), func(t *testing.T, tr *troupe, p *peers) {
		p.change(func() { p.hangs["eu"] = true })
		until(t, 20*time.Second, "diverged", tr.Diverged)
		tr.f.play(Part{Name: "us"})
		until(t, 2*time.Second, "together again", func() bool { return !tr.Diverged() })
		if tr.p["eu"].closed != 1 {
			t.Error("eu was not closed")
		}
	})
}

func TestDiverge(t *testing.T) {
	s := BeatSettings{Interval: time.Second, Lag: 4 * time.Second}
	shows := func(name string, asked int, lags ...Lag) beating {
		return beating{name: name, asked: at(asked), lags: lags}
	}
	behind := func(of string, lag time.Duration) Lag { return Lag{Of: of, Seen: at(1), Lag: lag} }
	was := &Divergence{Since: at(5), At: "a", From: "b", Lag: time.Minute}
	for _, row := range []struct {
		name  string
		was   *Divergence
		parts []beating
		off   bool
		want  *Divergence
	}{
		{"nothing", nil, nil, false, nil},
		{"within the bound", nil, []beating{shows("a", 10, behind("b", s.Lag))}, false, nil},
		{"beyond it", nil, []beating{shows("a", 10, behind("b", s.Lag+1))}, false, &Divergence{at(10), "a", "b", s.Lag + 1}},
		{"the worst", nil, []beating{shows("a", 10, behind("b", s.Lag+1)), shows("b", 10, behind("a", s.Lag+2))}, false,
			&Divergence{at(10), "b", "a", s.Lag + 2}},
		{"never seen", nil, []beating{shows("a", 10, Lag{Of: "b"})}, false, nil},
		{"not asked for long", nil, []beating{shows("a", 5)}, false, &Divergence{at(10), "a", "", 5 * time.Second}},
		{"never could be asked", nil, []beating{{name: "a"}}, false, nil},
		{"above half the bound", was, []beating{shows("a", 10, behind("b", s.Lag/2+1))}, false, &Divergence{at(5), "a", "b", s.Lag/2 + 1}},
		{"within half the bound", was, []beating{shows("a", 10, behind("b", s.Lag/2))}, false, nil},
		{"off", was, []beating{shows("a", 10, behind("b", time.Hour))}, true, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			set := s
			if row.off {
				set = BeatSettings{}
			}
			got := diverge(row.was, row.parts, at(10), set)
			if (got == nil) != (row.want == nil) || got != nil && *got != *row.want {
				t.Errorf("%+v, want %+v", got, row.want)
			}
		})
	}
}
