package shed

import (
	"context"
	"errors"
	"math"
	"testing"
	"testing/synctest"
	"time"
)

// full returns a gate of n permits, all of them out, and the permits.
func full(t *testing.T, n int, s GateSettings) (*Gate, []Permit) {
	t.Helper()
	g := &Gate{}
	s.Limit = n
	g.Set(s)
	held := make([]Permit, n)
	for i := range held {
		var err error
		if held[i], err = g.Acquire(t.Context(), SignIn); err != nil {
			t.Fatal(err)
		}
	}
	return g, held
}

func TestAGuestLeavesTheReserve(t *testing.T) {
	for _, c := range []struct {
		limit    int
		reserve  float64
		inFlight int
		want     int
	}{
		{0, 0.5, 0, math.MaxInt},
		{10, 0, 0, 10},
		{10, 0.1, 0, 9},
		{10, 0.1, 9, 0},
		{10, 0.1, 10, 0},
		{4, 0.1, 0, 3},
		{1, 0.1, 0, 0},
		{1, 0, 0, 1},
		{100, 0.29, 0, 71},
		{10, 1, 0, 0},
	} {
		var g Gate
		g.Set(GateSettings{Limit: c.limit, Reserve: c.reserve})
		for range c.inFlight {
			if _, err := g.Acquire(t.Context(), Member); err != nil {
				t.Fatal(err)
			}
		}
		if got := g.Room(); got != c.want {
			t.Errorf("%+v: room for %d", c, got)
		}
		lent := 0
		for range min(c.want, 49) + 1 {
			if p, ok := g.Lend(SignIn); ok {
				lent++
				if p.Of() != &g {
					t.Errorf("%+v: the permit is another's", c)
				}
			}
		}
		if lent != min(c.want, 50) {
			t.Errorf("%+v: %d guests came in", c, lent)
		}
		if l := g.Load(); l.Classes[SignIn].InFlight != lent || l.InFlight != lent+c.inFlight {
			t.Errorf("%+v: %+v", c, l)
		}
	}
}

// While nobody of the pool's own waits, and its reserve is not in use by lesser ones, a guest waits for more than the reserve.
func TestAWaitingGuestLeavesTheReserve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		own, ownHeld := full(t, 1, GateSettings{Length: 9, Timeout: time.Minute})
		app, appHeld := full(t, 2, GateSettings{Length: 9, Timeout: time.Minute, Reserve: 0.5})
		guest := make(chan Permit, 1)
		go func() { p, _ := Enter(t.Context(), own, app, Member); guest <- p }()
		synctest.Wait()
		appHeld[0].Done()
		synctest.Wait()
		if len(guest) != 0 {
			t.Fatal("the guest took the reserve")
		}
		appHeld[1].Done()
		p := <-guest
		if p.Of() != app {
			t.Fatal("the guest has another gate's permit")
		}
		if l := own.Load(); l.Queued != 0 {
			t.Fatalf("he still queues at his own gate: %+v", l)
		}
		p.Done()
		ownHeld[0].Done()
		empty(t, own)
		empty(t, app)
	})
}

// What a gate holds, who waits there, and for whom it has room or lends to lesser classes what a guest could have.
func TestWhatIsLent(t *testing.T) {
	yes := func(classes ...Class) [NumClasses]bool { return waitingFor(classes...) }
	all := yes(Classes[:]...)
	for _, c := range []struct {
		name         string
		held, guests counts
		waiting      []Class
		now          [NumClasses]bool // a guest of the class comes in at once
		lends        [NumClasses]bool
		wanted       int // by members, a while ago
	}{
		{"room", counts{3, 3, 3, 3, 5}, counts{}, nil, all, all, 0},
		{"the reserve, of which members are the cause", counts{18}, counts{}, nil, yes(), yes(), 0},
		{"the reserve, and background is the cause", counts{0, 0, 0, 0, 19}, counts{}, nil, yes(Member, SignIn, Unproved, Anonymous), yes(Member, SignIn, Unproved, Anonymous), 0},
		{"but a class has no more of it than its share", counts{0, 3, 0, 0, 14}, counts{0, 1}, nil, yes(Member, Unproved, Anonymous), yes(Member, SignIn, Unproved, Anonymous), 0},
		{"full of background", counts{0, 0, 0, 0, 20}, counts{}, []Class{Background}, yes(), yes(Member, SignIn, Unproved, Anonymous), 0},
		{"full of strangers", counts{0, 0, 0, 19, 1}, counts{}, nil, yes(), yes(Member, SignIn, Unproved), 0},
		{"full of members", counts{20}, counts{}, nil, yes(), yes(), 0},
		{"lesser ones have no more than their share", counts{17, 0, 0, 2, 1}, counts{}, nil, yes(), yes(), 0},
		{"who matters as much waits", counts{0, 0, 0, 0, 20}, counts{}, []Class{SignIn}, yes(), yes(Member), 0},
		{"guests have all they may have", counts{0, 0, 0, 0, 2}, counts{0, 18}, []Class{Background}, yes(), yes(), 0},
		{"guests have what the shares of others leave", counts{4, 0, 0, 6, 0}, counts{0, 10}, nil, yes(), yes(), 9},
	} {
		var g Gate
		g.Set(GateSettings{Limit: 20, Length: 9, Timeout: time.Minute, Shares: usualShares, Reserve: 0.1})
		g.wants.began = time.Now()
		g.wants.before[Member] = c.wanted
		for i := range Classes {
			for range c.held[i] {
				g.take(Class(i), false)
			}
			for range c.guests[i] {
				g.take(Class(i), true)
			}
		}
		for _, class := range c.waiting {
			if w, _, err := g.line(class); w == nil || err != nil {
				t.Fatalf("%s: %v does not wait: %v", c.name, class, err)
			}
		}
		for _, class := range Classes {
			if got := g.Lends(class); got != c.lends[class] {
				t.Errorf("%s: Lends(%v) is %v", c.name, class, got)
			}
			p, ok := g.Lend(class)
			p.Done()
			if ok != c.now[class] {
				t.Errorf("%s: Lend(%v) is %v", c.name, class, ok)
			}
		}
	}
	if g := (&Gate{}); !g.Lends(200) {
		t.Error("a gate without a limit has room for everybody")
	}
}

// empty checks that nothing was lost at a gate.
func empty(t *testing.T, g *Gate) {
	t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.inFlight != 0 || g.reads != 0 || g.reading != (counts{}) || g.queued != 0 || g.visiting != 0 || g.turns.held != (counts{}) || g.guests != (counts{}) {
		t.Errorf("in flight %d and %d (%v own, %v guests), %d queue, %d would come", g.inFlight, g.reads, g.turns.held, g.guests, g.queued, g.visiting)
	}
	for c := range g.queues {
		if q, v := g.queues[c], g.visitors[c]; q.n != 0 || v.n != 0 || q.first != nil || v.first != nil {
			t.Errorf("%v: %d queue, %d would come", Class(c), q.n, v.n)
		}
	}
}

func TestEnterTakesWhicheverComesFirst(t *testing.T) {
	gone := errors.New("the visitor went away")
	for _, c := range []struct {
		name string
		what func(own, over *Permit, cancel context.CancelCauseFunc)
		own  bool
		err  error
	}{
		{"the own", func(own, _ *Permit, _ context.CancelCauseFunc) { own.Done() }, true, nil},
		{"the other's", func(_, over *Permit, _ context.CancelCauseFunc) { over.Done() }, false, nil},
		{"both at once", func(own, over *Permit, _ context.CancelCauseFunc) { own.Done(); over.Done() }, true, nil},
		{"none", func(*Permit, *Permit, context.CancelCauseFunc) {}, false, ErrLate},
		{"away", func(_, _ *Permit, cancel context.CancelCauseFunc) { cancel(gone) }, false, gone},
		{"away as it comes", func(own, over *Permit, cancel context.CancelCauseFunc) { cancel(gone); own.Done(); over.Done() }, false, gone},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				own, ownHeld := full(t, 1, GateSettings{Length: 1, Timeout: time.Second})
				over, overHeld := full(t, 1, GateSettings{})
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				go func() {
					synctest.Wait()
					c.what(&ownHeld[0], &overHeld[0], cancel)
				}()
				p, err := Enter(ctx, own, over, SignIn)
				switch {
				case errors.Is(err, gone) && c.err == gone: // or he got it just before
				case !errors.Is(err, c.err) && c.name != "away as it comes":
					t.Errorf("got %v; want %v", err, c.err)
				case err == nil && c.err == nil && (p.Of() == own) != c.own:
					t.Error("it is the other's permit")
				}
				p.Done()
				if p.Of() != nil {
					t.Error("a permit that was given back is somebody's")
				}
				synctest.Wait()
				ownHeld[0].Done()
				overHeld[0].Done()
				empty(t, own)
				empty(t, over)
			})
		})
	}
}

// Room that comes between being turned away as a guest and queueing as one is not missed.
func TestAGuestWhoComesToRoomEntersAtOnce(t *testing.T) {
	own, _ := full(t, 1, GateSettings{Length: 1, Timeout: time.Minute})
	var over Gate
	over.Set(GateSettings{Limit: 1})
	w, _, err := own.line(SignIn)
	if err != nil {
		t.Fatal(err)
	}
	over.visit(w)
	if l := over.Load(); l.Classes[SignIn].InFlight != 1 || len(w.result) != 1 {
		t.Errorf("%+v; want him inside", l)
	}
}

func TestEnterPrefersItsOwnAndThenRoomElsewhere(t *testing.T) {
	var own, over Gate
	own.Set(GateSettings{Limit: 1})
	over.Set(GateSettings{Limit: 1})
	for _, want := range []*Gate{&own, &over} {
		if p, err := Enter(t.Context(), &own, &over, Anonymous); err != nil || p.Of() != want {
			t.Errorf("got %v of the wrong gate, or %v", p, err)
		}
	}
	if _, err := Enter(t.Context(), &own, &over, Anonymous); !errors.Is(err, ErrFull) {
		t.Errorf("got %v; want ErrFull", err)
	}
	own.Set(GateSettings{Limit: 1, Length: 1, Timeout: time.Minute})
	over.Set(GateSettings{}) // no limit now
	if p, err := Enter(t.Context(), &own, &over, Class(200)); err != nil || p.Of() != &over || over.Load().Classes[Background].InFlight != 1 {
		t.Errorf("got %v, %v; want a guest's permit, counted as background", p, err)
	}
}
