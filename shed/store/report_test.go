package store

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"gatehouse/shed"
)

// believing is the usual Monitor where two backends must say so, each for five seconds at most.
func believing() Settings {
	s := holding()
	s.Reports = ReportSettings{Quorum: 2, Max: 5 * time.Second}
	return s
}

func TestAQuorumOfBackendsHoldsSignIns(t *testing.T) {
	in(t, believing(), good, func(t *testing.T, s *scene) {
		called := 0
		onClose(s, func(shed.Verdict) { called++ })
		s.Report(Report{From: "one", For: 2 * time.Second})
		for range 5 {
			s.Report(Report{From: "one", For: 2 * time.Second})
		}
		s.Report(Report{For: 2 * time.Second}) // nobody said that
		s.want(t, shed.Writable, shed.OK)
		from := time.Now()
		s.Report(Report{From: "two", For: time.Hour})
		s.want(t, shed.ReadOnly, shed.CauseReported)
		v := s.Current()
		if u := unheld(v); v.Observed.Impaired() || u.State != shed.Writable || u.Cause != shed.OK || !s.LastImpaired().IsZero() {
			t.Errorf("%+v: it concerns sign-ins alone", v)
		}
		if called != 1 {
			t.Errorf("%d called back", called)
		}
		asked := time.Now()
		if v := s.Verdict(t.Context(), 0); v.Begun.Before(asked) || v.Late {
			t.Errorf("%+v: permission for the others from before the request", v)
		}
		st := s.Status()
		if len(st.Reports) != 2 || st.Reports[0].From != "one" || !st.Reports[1].Until.Equal(from.Add(5*time.Second)) || !st.Held.IsZero() {
			t.Errorf("%+v", st.Reports)
		}
		if d := s.become(t, shed.Writable, 10*time.Second); time.Since(from) < 2*time.Second || time.Since(from) > 2*time.Second+time.Millisecond {
			t.Errorf("held for another %v, want till the first word that is needed ends", d)
		}
		if v := s.Current(); !v.Recovering() || time.Since(v.Opened) > time.Millisecond || v.Cause != shed.OK {
			t.Errorf("%+v: want the ramp", v)
		}
		time.Sleep(5 * time.Second)
		if st := s.Status(); len(st.Reports) != 0 || !st.Held.IsZero() {
			t.Errorf("%+v", st)
		}
		told := s.transitions()
		if last := told[len(told)-2:]; len(told) != 3 || last[0].Cause != shed.CauseReported || last[0].Observed != shed.Writable || last[1].To != shed.Writable {
			t.Errorf("told %+v", told)
		}
	})
}

func TestAWordThatIsRenewedHoldsOn(t *testing.T) {
	in(t, believing(), good, func(t *testing.T, s *scene) {
		for range 60 {
			s.Report(Report{From: "one", For: 2 * time.Second})
			s.Report(Report{From: "two", For: 2 * time.Second})
			time.Sleep(time.Second)
			s.want(t, shed.ReadOnly, shed.CauseReported)
		}
		if told := s.transitions(); len(told) != 2 {
			t.Errorf("told %+v", told)
		}
		s.Report(Report{From: "two"}) // takes it back
		s.want(t, shed.Writable, shed.OK)
		s.Report(Report{From: "two", For: 2 * time.Second})
		s.Report(Report{From: "two", For: time.Millisecond}) // the latest word counts
		s.Report(Report{From: "one", For: 5 * time.Second})
		s.want(t, shed.ReadOnly, shed.CauseReported)
		time.Sleep(2 * time.Millisecond)
		s.want(t, shed.Writable, shed.OK)
		s.Report(Report{From: "two", For: 5 * time.Second})
		s.Report(Report{From: "two", For: time.Second}) // holds on, for less
		if d := s.become(t, shed.Writable, 5*time.Second); d > time.Second+time.Millisecond {
			t.Errorf("held for %v, want a second", d)
		}
	})
}

// A word that is shortened ends in time, even where no check comes by.
func TestAWordThatIsShortenedEndsAtOnce(t *testing.T) {
	set := believing()
	set.Interval = time.Minute
	in(t, set, good, func(t *testing.T, s *scene) {
		s.Report(Report{From: "one", For: 5 * time.Second})
		s.Report(Report{From: "two", For: 5 * time.Second})
		s.Report(Report{From: "two", For: time.Second})
		if d := s.become(t, shed.Writable, 10*time.Second); d > time.Second+time.Millisecond {
			t.Errorf("held for %v, want a second", d)
		}
		s.Report(Report{From: "two", For: time.Second})
		time.Sleep(500 * time.Millisecond)
		s.Report(Report{From: "two", For: 5 * time.Second})
		if d := s.become(t, shed.Writable, 10*time.Second); d < 3*time.Second || d > 4*time.Second+time.Millisecond {
			t.Errorf("held for %v, want as long as the word of one", d)
		}
	})
}

func TestReportsOnlyClose(t *testing.T) {
	report := func(s *scene) {
		s.Report(Report{From: "one", For: 5 * time.Second})
		s.Report(Report{From: "two", For: 5 * time.Second})
	}
	t.Run("what the checks closed stays as it is", func(t *testing.T) {
		in(t, believing(), good, func(t *testing.T, s *scene) {
			report(s)
			s.p.say(refused)
			s.become(t, shed.Down, time.Second)
			s.want(t, shed.Down, shed.CauseRefused)
			report(s)
			s.want(t, shed.Down, shed.CauseRefused)
			s.p.say(good)
			s.become(t, shed.ReadOnly, 3*time.Second) // their words still hold
			s.want(t, shed.ReadOnly, shed.CauseReported)
			if u := unheld(s.Current()); !u.Recovering() {
				t.Errorf("%+v: apps reconnect late", u)
			}
			s.become(t, shed.Writable, 5*time.Second)
		})
	})
	t.Run("nothing against a person's word", func(t *testing.T) {
		in(t, believing(), good, func(t *testing.T, s *scene) {
			for _, state := range []shed.State{shed.Writable, shed.Down} {
				if err := s.Override(Override{State: state, Until: time.Now().Add(time.Minute)}); err != nil {
					t.Fatal(err)
				}
				report(s)
				s.want(t, state, shed.CauseOverride)
			}
			s.EndOverride("ada")
			s.want(t, shed.ReadOnly, shed.CauseReported)
			s.become(t, shed.Writable, 6*time.Second)
		})
	})
	t.Run("where our own prober is at fault they are all we have", func(t *testing.T) {
		in(t, believing(), noAuth, func(t *testing.T, s *scene) {
			report(s)
			s.want(t, shed.ReadOnly, shed.CauseReported)
			if u := unheld(s.Current()); u.State != shed.Unknown {
				t.Errorf("%+v", u)
			}
		})
	})
	t.Run("no closure of the hold-down", func(t *testing.T) {
		in(t, believing(), good, func(t *testing.T, s *scene) {
			for range 4 {
				report(s)
				s.become(t, shed.Writable, 6*time.Second)
			}
			s.flap(t)
			s.want(t, shed.Writable, shed.OK)
			s.flap(t)
			report(s)
			s.want(t, shed.ReadOnly, shed.CauseFlapping)
			if d := s.become(t, shed.Writable, time.Minute); d < 29*time.Second {
				t.Errorf("held for %v", d)
			}
		})
	})
	t.Run("none are taken", func(t *testing.T) {
		in(t, usual, good, func(t *testing.T, s *scene) {
			report(s)
			s.want(t, shed.Writable, shed.OK)
			s.Set(believing())
			report(s)
			s.want(t, shed.ReadOnly, shed.CauseReported)
			shorter := believing()
			shorter.Reports.Max = time.Second
			s.Set(shorter)
			if d := s.become(t, shed.Writable, 5*time.Second); d > time.Second+time.Millisecond {
				t.Errorf("held for %v by settings that allow one second", d)
			}
			report(s)
			s.Set(usual)
			s.want(t, shed.Writable, shed.OK)
		})
	})
}

func TestReportersAreBounded(t *testing.T) {
	in(t, believing(), good, func(t *testing.T, s *scene) {
		for i := range 10 * reporters {
			s.Report(Report{From: fmt.Sprint(i), For: time.Minute})
		}
		if n := len(s.Status().Reports); n != reporters {
			t.Errorf("%d are kept", n)
		}
		time.Sleep(5 * time.Second)
		s.Report(Report{From: "late", For: time.Second})
		if n := len(s.Status().Reports); n != 1 {
			t.Errorf("%d are kept after all others ran out", n)
		}
	})
}

func TestReportsAboutTheWholeStoreAndAboutAPart(t *testing.T) {
	set := GroupSettings{Settings: believing()}
	inGroup(t, set, abc, func(t *testing.T, tr *troupe) {
		called := 0
		onClose(tr, func(shed.Verdict) { called++ })
		for _, from := range []string{"one", "two"} {
			tr.Report(Report{From: from, For: 2 * time.Second})
		}
		tr.want(t, shed.ReadOnly, shed.CauseReported)
		if called != 1 {
			t.Errorf("%d called back", called)
		}
		if u := unheld(tr.Current()); u.State != shed.Writable || tr.Part("a").Current().State != shed.Writable || len(tr.Status().Reports) != 2 {
			t.Errorf("%+v", u)
		}
		if d := tr.become(t, shed.Writable, 5*time.Second); d < 1900*time.Millisecond || d > 2*time.Second+time.Millisecond {
			t.Errorf("held for %v", d)
		}
		synctest.Wait()
		if v := tr.Current(); !v.Recovering() {
			t.Errorf("%+v: want the ramp", v)
		}
		for _, from := range []string{"one", "two"} {
			tr.Part("b").Report(Report{From: from, For: 2 * time.Second})
		}
		tr.want(t, shed.ReadOnly, shed.CauseReported) // all are needed
		if tr.Part("a").Current().State != shed.Writable {
			t.Error("a is held for b")
		}
		tr.Set(GroupSettings{Settings: believing(), Require: 1})
		tr.want(t, shed.Writable, shed.OK)
	})
}

func TestReportsAboutTheWholeOnlyCloseSignIns(t *testing.T) {
	report := func(tr *troupe) {
		tr.Report(Report{From: "one", For: 5 * time.Second})
		tr.Report(Report{From: "two", For: 5 * time.Second})
	}
	inGroup(t, GroupSettings{Settings: believing()}, abc, func(t *testing.T, tr *troupe) {
		tr.p["b"].say(refused)
		tr.become(t, shed.Down, time.Second)
		report(tr)
		tr.want(t, shed.Down, shed.CauseRefused)
	})
	inGroup(t, GroupSettings{Settings: believing(), Require: 1}, abc, func(t *testing.T, tr *troupe) {
		tr.p["b"].say(refused)
		time.Sleep(time.Second)
		report(tr)
		tr.want(t, shed.ReadOnly, shed.CauseReported)
		if u := unheld(tr.Current()); u.State != shed.Writable {
			t.Errorf("%+v: others go by what is left, not by the worst part", u)
		}
		if v := tr.Look(t.Context()); v.Observed != shed.Down || v.ObservedCause != shed.CauseRefused {
			t.Errorf("%+v: an app may live on b", v)
		}
	})
}

func BenchmarkReportThatIsRenewed(b *testing.B) {
	m := New(&script{}, believing(), nil)
	defer m.Close()
	m.Report(Report{From: "one", For: time.Second})
	m.Report(Report{From: "two", For: time.Second})
	b.ReportAllocs()
	for b.Loop() {
		m.Report(Report{From: "two", For: 5 * time.Second})
	}
}
