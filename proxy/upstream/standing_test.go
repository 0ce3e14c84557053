package upstream

import (
	"errors"
	"testing"
)

// checkedBy is a pool with health checks that are made by hand.
func checkedBy(names ...string) *Pool {
	s := named(names...)
	s.Eject, s.Health = &EjectSettings{}, &HealthSettings{}
	return NewPool(s, nil)
}

func (p *Pool) down(i int) {
	for range healthFall {
		p.note(checked{p.backends[i], errors.New("status 503")})
	}
}

func (p *Pool) up(i int) { p.note(checked{p.backends[i], nil}) }

func TestAnEjectedBackendReturnsWhenTheLastOtherGoesDown(t *testing.T) {
	p := checkedBy("a", "b", "c")
	defer p.Close()
	sick(t, p, "a", "b", "c")
	p.down(1)
	wantOut(t, p, "a")
	p.down(2)
	wantOut(t, p, "")
	for range 10 {
		if c := mustClaim(t, p, nil); c.Backend() != "http://a" {
			t.Errorf("%s was taken, which is down", c.Backend())
		}
	}
	if last := p.news[len(p.news)-1]; last.Change != Returned || last.Why != WhyNeeded {
		t.Errorf("told %+v", last)
	}
}

// Those that are down count as out: ejecting more would leave too few.
func TestWhoIsDownIsOutAsWell(t *testing.T) {
	p := checkedBy("a", "b", "c", "d")
	defer p.Close()
	p.down(3)
	sick(t, p, "a", "b", "c")
	wantOut(t, p, "a")
	sick(t, p, "b", "c")
	wantOut(t, p, "a")
	p.up(3)
	ends(t, p, "b", failed)
	wantOut(t, p, "ab")
}

func TestWhoComesUpBeginsAnew(t *testing.T) {
	p := checkedBy("a", "b")
	defer p.Close()
	var open []Claim
	for range 10 {
		open = append(open, on(t, p, "a"))
	}
	ends(t, p, "a", failed)
	ends(t, p, "b", ok)
	row(t, p, "a", 3, failed)
	p.down(0)
	p.up(0)
	ends(t, p, "a", failed)
	ends(t, p, "b", ok)
	wantOut(t, p, "")
	for _, c := range open { // began before it was down
		c.End(failed)
	}
	row(t, p, "a", 3, failed)
	wantOut(t, p, "")
	ends(t, p, "a", failed)
	wantOut(t, p, "a")
}

func TestARowDoesNotOutlastItsSettings(t *testing.T) {
	p := ejecting("a", "b")
	defer p.Close()
	s := p.settings
	ends(t, p, "a", failed)
	ends(t, p, "b", ok)
	row(t, p, "a", 3, failed)
	p.Set(named("a", "b"))
	p.Set(s)
	ends(t, p, "a", failed)
	ends(t, p, "b", ok)
	ends(t, p, "a", failed)
	wantOut(t, p, "")
}

func TestADroppedBackendsFailuresConcernNobody(t *testing.T) {
	p := ejecting("a", "b", "d")
	defer p.Close()
	var open []Claim
	for range 10 {
		open = append(open, on(t, p, "d"))
	}
	sick(t, p, "a", "b", "d")
	s := named("a", "b")
	s.Eject = &EjectSettings{}
	p.Set(s)
	for _, c := range open {
		c.End(failed)
	}
	wantOut(t, p, "a")
}
