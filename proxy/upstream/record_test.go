package upstream

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

// ejecting is a pool that ejects by the defaults.
func ejecting(names ...string) *Pool {
	s := named(names...)
	s.Eject = &EjectSettings{}
	return NewPool(s, nil)
}

// ends claims until the named backend comes up, ends that claim with r, and the others without a word.
func ends(t *testing.T, p *Pool, name string, r Result) {
	t.Helper()
	on(t, p, name).End(r)
}

// on returns a claim on the named backend.
func on(t *testing.T, p *Pool, name string) Claim {
	t.Helper()
	var others []Claim
	defer func() {
		for _, c := range others {
			c.End(Result{})
		}
	}()
	for range 10000 {
		c := mustClaim(t, p, nil)
		if c.Backend() == "http://"+name {
			return c
		}
		others = append(others, c) // busier now
	}
	t.Fatalf("%s is never taken", name)
	return Claim{}
}

func row(t *testing.T, p *Pool, name string, n int, r Result) {
	t.Helper()
	for range n {
		ends(t, p, name, r)
	}
}

// out names the ejected.
func out(p *Pool) string {
	s := ""
	for _, b := range p.Status() {
		if b.Ejected {
			s += b.URL[len("http://"):]
		}
	}
	return s
}

func wantOut(t *testing.T, p *Pool, want string) {
	t.Helper()
	if got := out(p); got != want {
		t.Fatalf("ejected: %q, want %q", got, want)
	}
}

var (
	ok     = Result{Status: 200}
	failed = Result{Status: 500}
)

// sick lets one backend fail once, the others do well, and it fail on.
func sick(t *testing.T, p *Pool, name string, well ...string) {
	t.Helper()
	ends(t, p, name, failed)
	for _, w := range well {
		ends(t, p, w, ok)
	}
	row(t, p, name, 4, failed)
}

func TestFiveInARowAreOutForAWhile(t *testing.T) {
	for _, bad := range []Result{{Err: ErrConnect}, {Err: ErrBroken}, {Err: ErrBroken, Status: 200}, {Err: ErrLate}, failed, {Status: 503}} {
		synctest.Test(t, func(t *testing.T) {
			p := ejecting("a", "b")
			defer p.Close()
			bad1 := func() {
				time.Sleep(restDuration) // so that it is chosen again
				ends(t, p, "a", bad)
			}
			ends(t, p, "a", ok)
			bad1()
			ends(t, p, "b", ok)
			for range 3 {
				bad1()
			}
			wantOut(t, p, "")
			bad1()
			wantOut(t, p, "a")
			if s := p.Status()[0]; !s.EjectedUntil.Equal(time.Now().Add(10*time.Second)) || !s.Up || s.Change != 0 {
				t.Errorf("%+v: got %+v", bad, s)
			}
			for range 50 {
				if c := mustClaim(t, p, nil); c.Backend() == "http://a" {
					t.Fatal("an ejected backend was taken")
				}
			}
			time.Sleep(10*time.Second - 1)
			wantOut(t, p, "a")
			time.Sleep(time.Nanosecond)
			on(t, p, "a").End(Result{})
			wantOut(t, p, "")
		})
	}
}

func TestAGoodResultEndsTheRow(t *testing.T) {
	p := ejecting("a", "b")
	defer p.Close()
	for range 10 {
		row(t, p, "a", 4, failed)
		ends(t, p, "a", ok)
		ends(t, p, "b", ok)
	}
	wantOut(t, p, "")
}

func TestExcusedResultsCountNeitherForNorAgainst(t *testing.T) {
	excused := func(r Result) Result { r.Excused = true; return r }
	p := ejecting("a", "b")
	defer p.Close()
	ends(t, p, "b", ok)
	row(t, p, "a", 100, excused(failed))
	row(t, p, "a", 100, excused(Result{Err: ErrBroken}))
	wantOut(t, p, "")
	ends(t, p, "a", failed)
	ends(t, p, "b", ok)
	row(t, p, "a", 3, failed)
	row(t, p, "a", 10, excused(ok)) // does not save it
	row(t, p, "a", 10, Result{})
	row(t, p, "a", 10, Result{Err: ErrCancelled})
	row(t, p, "a", 10, Result{Status: 503, RetryAfter: true})
	ends(t, p, "a", failed)
	wantOut(t, p, "a")
}

func TestOneBackendIsNeverEjected(t *testing.T) {
	s := named("a")
	s.Eject = &EjectSettings{Most: 1}
	p := NewPool(s, nil)
	defer p.Close()
	row(t, p, "a", 100, failed)
	wantOut(t, p, "")
}

func TestNoMoreAreOutThanMayBe(t *testing.T) {
	for _, tt := range []struct {
		most float64
		want string
	}{{0.1, ""}, {0.25, "a"}, {0.5, "ab"}, {0.74, "ab"}, {1, "abc"}} {
		s := named("a", "b", "c", "d")
		s.Eject = &EjectSettings{Most: tt.most}
		p := NewPool(s, nil)
		for _, name := range []string{"a", "b", "c"} {
			sick(t, p, name, "d")
		}
		if got := out(p); got != tt.want {
			t.Errorf("most %v: %q are out, want %q", tt.most, got, tt.want)
		}
		p.Close()
	}
}

// The shared store fails: every answer of every backend is bad, in any order.
func TestNobodyIsEjectedForWhatAllShare(t *testing.T) {
	for _, n := range []int{2, 3, 10} {
		for range 20 {
			p := NewPool(busy(n), nil)
			for range 30 * n {
				mustClaim(t, p, nil).End(ok)
			}
			for i := range 100 * n {
				mustClaim(t, p, nil).End(failed)
				if o := out(p); o != "" {
					t.Fatalf("%d backends: after %d failures of all of them, %s is out", n, i+1, o)
				}
			}
			p.Close()
		}
	}
}

// Most answers are bad, wherever they come from, and some are not: rows of five are chance.
func TestNobodyIsLongOutForWhatNearlyAllShare(t *testing.T) {
	p := NewPool(busy(4), nil)
	defer p.Close()
	var isOut int
	for i := range 4000 {
		r := failed
		if i%5 == 0 {
			r = ok
		}
		mustClaim(t, p, nil).End(r)
		if out(p) != "" {
			isOut++
		}
	}
	if isOut > 400 {
		t.Errorf("somebody is out during %d of 4000 results; four of five are bad everywhere", isOut)
	}
}

func TestTheEjectedReturnWhenTheRestFailsToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := ejecting("a", "b", "c", "d")
		defer p.Close()
		sick(t, p, "a", "b", "c", "d")
		sick(t, p, "b", "c", "d")
		wantOut(t, p, "ab")
		row(t, p, "c", 20, failed) // d was well when it was last heard of
		wantOut(t, p, "ab")
		row(t, p, "d", 2, failed)
		ends(t, p, "c", failed)
		wantOut(t, p, "ab")
		row(t, p, "d", 3, failed)
		wantOut(t, p, "")
		for _, b := range p.Status() {
			if b.Warming {
				t.Errorf("%s was not ejected for its own fault, and is spared", b.URL)
			}
		}
		row(t, p, "c", 200, ok) // well for so long that they are the measure again
		row(t, p, "d", 200, ok)
		// That ejection is not held against it.
		sick(t, p, "a", "c", "d")
		if s := p.Status()[0]; time.Until(s.EjectedUntil) != 10*time.Second {
			t.Errorf("ejected for %v, want 10s", time.Until(s.EjectedUntil))
		}
	})
}

func TestTheLastInUseCallsTheOthersBack(t *testing.T) {
	p := ejecting("a", "b")
	defer p.Close()
	sick(t, p, "a", "b")
	wantOut(t, p, "a")
	row(t, p, "b", 4, failed)
	wantOut(t, p, "a")
	ends(t, p, "b", failed)
	wantOut(t, p, "")
}

// While nothing is heard of the others they may be no better, and may be worse.
func TestWithoutNewsOfTheOthersNobodyIsEjected(t *testing.T) {
	p := ejecting("a", "b")
	defer p.Close()
	ends(t, p, "b", ok)
	row(t, p, "a", 10, failed)
	wantOut(t, p, "")
	ends(t, p, "b", ok)
	wantOut(t, p, "") // only a failure ejects
	ends(t, p, "a", failed)
	wantOut(t, p, "a")
}

func TestEachEjectionIsLongerAndIsForgiven(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := named("a", "b")
		s.Eject = &EjectSettings{Failures: 1, For: 20 * time.Second}
		p := NewPool(s, nil)
		defer p.Close()
		eject := func(want time.Duration) {
			t.Helper()
			ends(t, p, "a", failed)
			ends(t, p, "b", ok)
			ends(t, p, "a", failed)
			until := p.Status()[0].EjectedUntil
			if got := time.Until(until); got != want {
				t.Errorf("out for %v, want %v", got, want)
			}
			time.Sleep(time.Until(until))
			wantOut(t, p, "")
		}
		for i := 1; i < 15; i++ {
			eject(time.Duration(i) * 20 * time.Second)
		}
		eject(maxEjection)
		eject(maxEjection) // the 16th
		time.Sleep(14 * ejectionForgiven)
		eject(60 * time.Second) // two were left, and this one
		time.Sleep(3 * ejectionForgiven)
		eject(20 * time.Second)
	})
}

// What was under way as a backend was ejected fails later, and says nothing of how it is then.
func TestOldClaimsAreOldNews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := ejecting("a", "b")
		defer p.Close()
		var open []Claim
		for range 20 {
			open = append(open, on(t, p, "a"))
		}
		sick(t, p, "a", "b")
		wantOut(t, p, "a")
		time.Sleep(10 * time.Second)
		wantOut(t, p, "")
		for _, c := range open {
			ends(t, p, "b", ok)
			c.End(Result{Err: ErrLate})
		}
		wantOut(t, p, "")
		if s := p.Status()[0]; s.Failures != 20 {
			t.Errorf("%d failures counted; want 20", s.Failures)
		}
	})
}

func TestReloadsAndEjections(t *testing.T) {
	s := named("a", "b", "c", "d")
	s.Eject = &EjectSettings{}
	for _, tt := range []struct {
		name string
		set  func(*Settings)
		want string
	}{
		{"the same again", func(*Settings) {}, "ab"},
		{"nobody is ejected any more", func(s *Settings) { s.Eject = nil }, ""},
		{"fewer may be out", func(s *Settings) { s.Eject = &EjectSettings{Most: 0.25} }, "b"},
		{"fewer backends", func(s *Settings) { s.Backends = s.Backends[:3] }, "b"},
		{"only ejected ones are left", func(s *Settings) { s.Backends = s.Backends[:2] }, "b"},
		{"the ejected are dropped", func(s *Settings) { s.Backends = s.Backends[2:] }, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			p := NewPool(s, nil)
			defer p.Close()
			sick(t, p, "a", "b", "c", "d")
			time.Sleep(time.Second)
			sick(t, p, "b", "c", "d")
			wantOut(t, p, "ab")
			changed := s
			tt.set(&changed)
			p.Set(changed)
			if got := out(p); got != tt.want {
				t.Errorf("%s: %q are out, want %q", tt.name, got, tt.want)
			}
			p.Set(s)
			for range 20 {
				mustClaim(t, p, nil).End(Result{Err: fmt.Errorf("%w: x", ErrVisitor)})
			}
		})
	}
}

func TestWithoutSettingsNobodyIsEjected(t *testing.T) {
	p := NewPool(named("a", "b"), nil)
	defer p.Close()
	sick(t, p, "a", "b")
	row(t, p, "a", 100, failed)
	wantOut(t, p, "")
}
