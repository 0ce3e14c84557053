package upstream

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// named returns settings of backends that nobody connects to.
func named(names ...string) Settings {
	s := Settings{Name: "app"}
	for _, n := range names {
		s.Backends = append(s.Backends, BackendSettings{URL: "http://" + n, Address: n})
	}
	return s
}

func mustClaim(t *testing.T, p *Pool, tried *Tried) Claim {
	t.Helper()
	c, err := p.Claim(tried)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestTheLessLoadedOfTwoIsTaken(t *testing.T) {
	p := NewPool(named("a", "b"), nil)
	defer p.Close()
	count := map[string]int{}
	var open []Claim
	for i := range 40 {
		c := mustClaim(t, p, nil)
		count[c.Backend()]++
		open = append(open, c)
		if a, b := count["http://a"], count["http://b"]; max(a, b) > i/2+1 {
			t.Fatalf("claims %v", count)
		}
	}
	if p.InFlight() != 40 {
		t.Errorf("in flight %d", p.InFlight())
	}
	for _, c := range open {
		c.End(Result{})
		c.End(Result{}) // only the first counts
	}
	for _, b := range p.Status() {
		if b.InFlight != 0 || b.Claims != 20 || b.Failures != 0 || !b.Up || b.Pool != "app" {
			t.Errorf("got %+v", b)
		}
	}
	if p.InFlight() != 0 || p.Name() != "app" {
		t.Errorf("%s: in flight %d", p.Name(), p.InFlight())
	}
}

func TestChanceReachesEveryBackend(t *testing.T) {
	p := NewPool(named("a", "b", "c", "d"), nil)
	defer p.Close()
	count := map[string]int{}
	for range 400 {
		c := mustClaim(t, p, nil)
		count[c.Backend()]++
		c.End(Result{})
	}
	for _, b := range p.Status() {
		if count[b.URL] < 40 {
			t.Errorf("%s was taken %d times of 400", b.URL, count[b.URL])
		}
	}
}

func TestNoBackendIsTriedTwice(t *testing.T) {
	var names []string
	for i := range 7 {
		names = append(names, fmt.Sprint("b", i))
	}
	p := NewPool(named(names...), nil)
	defer p.Close()
	var tried Tried
	seen := map[string]bool{}
	for range names {
		c := mustClaim(t, p, &tried)
		if seen[c.Backend()] {
			t.Errorf("%s again", c.Backend())
		}
		seen[c.Backend()] = true
		c.End(Result{})
	}
	if _, err := p.Claim(&tried); !errors.Is(err, ErrNoBackend) {
		t.Errorf("got %v, want ErrNoBackend", err)
	}
	mustClaim(t, p, &Tried{}).End(Result{})
	empty := NewPool(Settings{}, nil)
	defer empty.Close()
	if _, err := empty.Claim(nil); !errors.Is(err, ErrNoBackend) {
		t.Errorf("got %v, want ErrNoBackend", err)
	}
}

func TestTheZeroClaimClaimsNothing(t *testing.T) {
	var c Claim
	if _, err := c.Send(t.Context(), get("/")); !errors.Is(err, ErrNoBackend) || c.Backend() != "" {
		t.Errorf("got %q, %v", c.Backend(), err)
	}
	c.End(Result{})
}

func TestABackendThatCannotBeReachedRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPool(named("a", "b"), nil)
		defer p.Close()
		refused := fmt.Errorf("%w: refused", ErrConnect)
		c := mustClaim(t, p, nil)
		bad := c.Backend()
		c.End(Result{Err: refused})
		for range 20 {
			c := mustClaim(t, p, nil)
			if c.Backend() == bad { // although the other is busier
				t.Fatal("the one that rests was taken")
			}
		}
		var tried Tried
		mustClaim(t, p, &tried)
		if c := mustClaim(t, p, &tried); c.Backend() != bad {
			t.Error("nothing better is left, and it is not taken")
		} else {
			c.End(Result{})
		}
		time.Sleep(restDuration)
		if c := mustClaim(t, p, nil); c.Backend() != bad {
			t.Error("it rests for longer than it should")
		}
		for _, b := range p.Status() {
			if b.URL == bad && (b.Failures != 1 || b.LastError != refused.Error() || b.LastFail.IsZero()) {
				t.Errorf("got %+v", b)
			}
		}
	})
}

func TestWhatCountsAsABackendsFailure(t *testing.T) {
	p := NewPool(named("a"), nil)
	defer p.Close()
	for _, err := range []error{nil, ErrCancelled, ErrVisitor, ErrRequest, ErrNoBackend} {
		mustClaim(t, p, nil).End(Result{Err: err})
	}
	if b := p.Status()[0]; b.Failures != 0 || b.LastError != "" {
		t.Errorf("got %+v", b)
	}
	for _, err := range []error{ErrConnect, ErrBroken, ErrLate} {
		mustClaim(t, p, nil).End(Result{Err: err})
	}
	if b := p.Status()[0]; b.Failures != 3 || b.LastError != ErrLate.Error() {
		t.Errorf("got %+v", b)
	}
}

// counted is a backend that answers, and tells when a connection begins and ends.
func counted(t *testing.T) (BackendSettings, chan string) {
	events := make(chan string, 16)
	return raw(t, func(c net.Conn, br *bufio.Reader) {
		events <- "open"
		defer func() { events <- "end" }()
		for {
			if _, err := readHead(br); err != nil {
				return
			}
			io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		}
	}), events
}

func event(t *testing.T, events <-chan string, want string) {
	t.Helper()
	select {
	case got := <-events:
		if got != want {
			t.Fatalf("%s, want %s", got, want)
		}
	case <-time.After(patience):
		t.Fatalf("did not happen: %s", want)
	}
}

func TestSetKeepsWhatStaysAndRetiresWhatGoes(t *testing.T) {
	a, ofA := counted(t)
	b, ofB := counted(t)
	p := pool(t, a)
	use := func(c Claim) {
		t.Helper()
		res, err := c.Send(deadline(t), get("/"))
		if err != nil {
			t.Fatal(err)
		}
		all(t, res.Body)
		res.Body.Close()
	}
	one := mustClaim(t, p, nil)
	use(one)
	event(t, ofA, "open")
	p.Set(Settings{Name: "other", Backends: []BackendSettings{b, a, a}})
	if s := p.Status(); len(s) != 2 || s[0].URL != b.URL || s[1].InFlight != 1 || s[1].Claims != 1 || p.Name() != "other" {
		t.Errorf("got %+v", s)
	}
	two := mustClaim(t, p, nil)
	if two.Backend() != b.URL {
		t.Errorf("the busier one was taken")
	}
	use(two)
	event(t, ofB, "open")
	two.End(Result{})
	p.Set(Settings{Name: "app", Backends: []BackendSettings{b}})
	event(t, ofA, "end") // it was idle
	if p.InFlight() != 1 {
		t.Errorf("in flight %d, want the claim on the dropped one", p.InFlight())
	}
	last := mustClaim(t, p, nil)
	if last.Backend() != b.URL {
		t.Error("a dropped backend was taken")
	}
	use(last) // on the connection that is there
	last.End(Result{})
	use(one) // an exchange that holds a dropped backend may go on
	event(t, ofA, "open")
	one.End(Result{})
	event(t, ofA, "end") // with its last claim
	p.Close()
	event(t, ofB, "end")
	p.Close()
}
