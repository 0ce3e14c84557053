package store

import (
	"testing"
	"testing/synctest"
	"time"

	"gatehouse/shed"
)

func TestPartsComeAndGo(t *testing.T) {
	inGroup(t, together(0), []string{"a", "b"}, func(t *testing.T, tr *troupe) {
		a, told := tr.Part("a"), len(tr.of(""))
		fresh := tr.part(t, "c", good)
		tr.p["c"].takes(150 * time.Millisecond)
		b := Part{Name: "b"}
		tr.f.play(Part{Name: "a"}, b, fresh)
		synctest.Wait()
		if tr.Part("a") != a || tr.Part("c") == nil || len(tr.Parts()) != 3 {
			t.Fatalf("%d parts; a stays: %v", len(tr.Parts()), tr.Part("a") == a)
		}
		asked := time.Now()
		if v := tr.Verdict(t.Context(), 0); v.Late || v.State != shed.Writable || time.Since(asked) > 20*time.Millisecond {
			t.Errorf("%+v after %v: a new part does not count yet", v, time.Since(asked))
		}
		time.Sleep(time.Second)
		if tr.Part("c").Current().Recovering() {
			t.Error("a new part begins with a ramp")
		}
		if got := tr.of(""); len(got) != told {
			t.Errorf("told %+v", got[told:])
		}

		// One that has failed goes: the store opens, and by the ramp.
		tr.p["c"].say(refused)
		tr.become(t, shed.Down, 2*time.Second)
		tr.f.play(Part{Name: "a"}, b)
		synctest.Wait()
		tr.want(t, shed.Writable, shed.OK)
		if v := tr.Current(); !v.Opened.Equal(time.Now()) || !tr.LastImpaired().Equal(time.Now()) {
			t.Errorf("%+v", v)
		}
		if tr.p["c"].closed != 1 || tr.Part("c") != nil || tr.Of("c/1") != nil {
			t.Errorf("c has gone, and was closed %d times", tr.p["c"].closed)
		}

		// And comes back, as another.
		tr.f.play(Part{Name: "a"}, b, tr.part(t, "c", readOnly))
		tr.become(t, shed.ReadOnly, time.Second)
	})
}

func TestAPartThatIsNewAndFailedIsSeen(t *testing.T) {
	inGroup(t, together(0), []string{"a"}, func(t *testing.T, tr *troupe) {
		tr.f.play(Part{Name: "a"}, tr.part(t, "b", hung))
		synctest.Wait()
		from := time.Now()
		for time.Since(from) < 500*time.Millisecond {
			if v := tr.Verdict(t.Context(), 0); v.Late || v.State != shed.Writable {
				t.Fatalf("%+v after %v: it has no verdict yet", v, time.Since(from))
			}
		}
		tr.become(t, shed.Down, time.Second)
	})
}

// Whoever waits while parts come and go waits no longer than two timeouts, and nobody is told of a state that no part was in.
func TestNobodyWaitsForEverWhilePartsChange(t *testing.T) {
	inGroup(t, together(0), abc, func(t *testing.T, tr *troupe) {
		onClose(tr, func(v shed.Verdict) { t.Errorf("called back with %+v", v) })
		done := make(chan struct{})
		go func() {
			defer close(done)
			for i := range 40 {
				name := string(rune('d' + i%3))
				tr.f.play(Part{Name: "a"}, Part{Name: "b"}, Part{Name: "c"}, tr.part(t, name, good))
				time.Sleep(33 * time.Millisecond)
			}
		}()
		for {
			from := time.Now()
			if v := tr.Verdict(t.Context(), 0); v.State != shed.Writable || v.Late || time.Since(from) > 2*usual.Timeout {
				t.Fatalf("%+v after %v", v, time.Since(from))
			}
			if v := tr.Look(t.Context()); v.Impaired() || time.Since(from) > 4*usual.Timeout {
				t.Fatalf("%+v after %v", v, time.Since(from))
			}
			select {
			case <-done:
				if got := tr.of(""); len(got) != 1 {
					t.Errorf("told %+v", got)
				}
				return
			case <-time.After(time.Millisecond):
			}
		}
	})
}

func TestANewStoreBeginsWithItsRamp(t *testing.T) {
	set := together(0)
	set.StartRamp = true
	inGroup(t, set, abc, func(t *testing.T, tr *troupe) {
		if v := tr.Current(); v.State != shed.Writable || !v.Recovering() {
			t.Errorf("%+v", v)
		}
		time.Sleep(usual.RampOver)
		tr.f.play(Part{Name: "a"}, Part{Name: "b"}, Part{Name: "c"}, tr.part(t, "d", good))
		time.Sleep(time.Second)
		if v := tr.Current(); v.Recovering() || tr.Part("d").Current().Recovering() {
			t.Errorf("%+v: the store is not new any more", v)
		}
	})
}

func TestFixedPartsStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &script{t: t, rest: good, took: time.Millisecond}
		g := NewGroup(Fixed(Part{Name: "a", Prober: p}), together(0), nil)
		g.Start()
		if v := g.First(t.Context()); v.State != shed.Writable || g.Of("a") != nil || g.Part("a") == nil {
			t.Errorf("%+v", v)
		}
		g.Close()
		if p.closed != 1 {
			t.Errorf("closed %d times", p.closed)
		}
	})
}

func TestSettingsReachEveryPart(t *testing.T) {
	set := together(0)
	set.Interval = time.Hour
	inGroup(t, set, abc, func(t *testing.T, tr *troupe) {
		time.Sleep(time.Minute)
		seen := make(chan string, 1000)
		next := together(0)
		next.ObservePart = func(part string, took time.Duration, e Evidence) { seen <- part }
		tr.Set(next)
		time.Sleep(time.Second)
		tr.Close()
		close(seen)
		count := map[string]int{}
		for name := range seen {
			count[name]++
		}
		for _, name := range abc {
			if count[name] < 9 {
				t.Errorf("%d probes of %s", count[name], name)
			}
		}
	})
}
