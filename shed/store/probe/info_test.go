package probe

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/shed"
	"gatehouse/shed/store"
)

// due makes it time to ask the server about itself.
func (p *prober) due() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inquiry.next = time.Time{}
}

// asks reports how long the server is to be left alone with questions about itself.
func (p *prober) asks() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Until(p.inquiry.next)
}

// vitals asks until the server has said something of itself.
func (p *prober) vitals(s *server) (v *store.Vitals) {
	p.t.Helper()
	s.eventually("vitals", func() bool {
		p.due()
		v = p.probe(64).Vitals
		return v != nil
	})
	return v
}

func TestAServerSaysWhatItIs(t *testing.T) {
	s := serve(t, "--maxclients", "77")
	p := s.probing()
	e := p.writable()
	if e.Vitals == nil {
		t.Fatal("nothing")
	}
	if v := *e.Vitals; v.MemoryUsed < 500_000 || v.MemoryMax != 0 || !v.Refuses || v.ClientsMax != 77 || v.Clients < 2 ||
		v.Evicted != 0 || v.Rejected != 0 || v.Replicated || v.SaveFailed {
		t.Errorf("%+v", v)
	}
	asked := 0
	for from := time.Now(); time.Since(from) < askGap/2; {
		if p.writable().Vitals != nil {
			asked++
		}
	}
	if asked > 0 {
		t.Errorf("asked %d times more within half a gap", asked)
	}
	s.eventually("asked again", func() bool { return p.writable().Vitals != nil })

	s.do("config", "set", "maxmemory", "100mb", "maxmemory-policy", "volatile-lru", "min-replicas-to-write", "1",
		"min-replicas-max-lag", "5")
	if v := p.vitals(s); v.MemoryMax != 100<<20 || !v.Refuses || !v.Replicated || v.Good != 0 {
		t.Errorf("%+v", v)
	}
	s.do("config", "set", "min-replicas-to-write", "0")
	for i := range 9 {
		s.do("set", i, "x", "ex", "100")
	}
	if v := p.vitals(s); v.Refuses {
		t.Errorf("nine keys that expire: %+v", v)
	}
}

const older = "# Server\r\nredis_version:5.0.7\r\nrun_id:aa\r\n# Memory\r\nused_memory:1000\r\n# Stats\r\nevicted_keys:3\r\n"

// Servers that take one section, or none, or no such question: never is the evidence worse for it.
func TestAForeignServerIsAskedAsItCan(t *testing.T) {
	const sectioned = "info server" // and more
	for name, row := range map[string]struct {
		several, bare string
		vitals        bool
		wait          time.Duration // at least, to the next question
		hears         [2]int        // of several sections, of the bare question; after two questions
		whole         bool          // the connection outlives it
	}{
		"several sections":     {bulk(older), "", true, 0, [2]int{2, 0}, true},
		"one at most":          {"-ERR syntax error\r\n", bulk(older), true, 0, [2]int{1, 2}, true},
		"none":                 {"-ERR wrong number of arguments for 'info' command\r\n", bulk(older), true, 0, [2]int{1, 2}, true},
		"a text of its own":    {bulk("hello\r\n"), "", false, 0, [2]int{2, 0}, true},
		"not allowed":          {"-NOPERM this user has no permissions\r\n", "", false, askGap * 2, [2]int{1, 0}, true},
		"unknown":              {"-ERR unknown command 'info'\r\n", "", false, askGap * 2, [2]int{1, 0}, true},
		"unknown in any shape": {"-ERR syntax error\r\n", "-ERR unknown command 'info'\r\n", false, askGap * 2, [2]int{1, 1}, true},
		"busy":                 {"-BUSY a script\r\n", "", false, askGap * 2, [2]int{1, 0}, true},
		"it hangs up":          {"close", "", false, askGap * 2, [2]int{1, 0}, false},
	} {
		t.Run(name, func(t *testing.T) {
			f, addr := serveFake(t, func(words []string) string {
				switch {
				case strings.ToLower(words[0]) != "info":
					return ""
				case len(words) > 1:
					return row.several
				default:
					return row.bare
				}
			})
			p := probing(t, Settings{Address: addr})
			if e := p.writable(); (e.Vitals != nil) != row.vitals {
				t.Errorf("%+v", e.Vitals)
			}
			if wait := p.asks(); wait < row.wait || row.wait == 0 && wait > askGap {
				t.Errorf("asks again in %v", wait)
			}
			if (p.at() != "") != row.whole {
				t.Errorf("at %q", p.at())
			}
			if row.wait == 0 {
				p.due()
			}
			p.writable()
			p.writable()
			if got := [2]int{f.count(sectioned), f.count("info")}; got != row.hears {
				t.Errorf("heard %v, want %v", got, row.hears)
			}
		})
	}
}

// A question that is not answered costs the canary's evidence nothing: it stands at the deadline, in time and with its own
// latency, and says nothing of slowness.
func TestAQuestionThatHangs(t *testing.T) {
	var hangs atomic.Bool
	hangs.Store(true)
	f, addr := serveFake(t, func(words []string) string {
		switch {
		case strings.ToLower(words[0]) != "info":
			return ""
		case hangs.Load():
			return "hang"
		}
		return bulk(older)
	})
	p := probing(t, Settings{Address: addr})
	p.timeout = 150 * time.Millisecond
	e := p.writable()
	if e.Latency >= p.timeout || e.Vitals != nil {
		t.Errorf("%+v", e)
	}
	for range 20 {
		if e := p.writable(); e.Lost || e.Vitals != nil {
			t.Errorf("%+v", e)
		}
	}
	ended := func() bool { p.mu.Lock(); defer p.mu.Unlock(); return p.late == nil }
	(&server{t: t}).eventually("the question is given up", func() bool { p.writable(); return ended() })
	if p.asks() < askGap*2 || f.count("info server") != 1 {
		t.Errorf("asks again in %v, and was heard %d times", p.asks(), f.count("info server"))
	}
	p.mu.Lock()
	slow := p.slow
	p.mu.Unlock()
	if slow {
		t.Error("a question made the store slow")
	}
	hangs.Store(false)
	p.due()
	if e := p.writable(); e.Vitals == nil {
		t.Error("and never asked again")
	}
}

// Nobody waits for what the server says of itself.
func TestAQuestionThatHangsHoldsNobodyUp(t *testing.T) {
	_, addr := serveFake(t, func(words []string) string {
		if strings.ToLower(words[0]) == "info" {
			return "hang"
		}
		return ""
	})
	p := probing(t, Settings{Address: addr})
	p.timeout = time.Minute
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		p.writable()
	}()
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		t.Error("the probe waits for the answer")
		<-ended
	}
}

// What no library can read is no answer, and ends nobody.
func TestAnAnswerThatIsLongerThanMemory(t *testing.T) {
	for _, name := range []string{"get", "info"} {
		_, addr := serveFake(t, func(words []string) string {
			if strings.ToLower(words[0]) == name {
				return "$9223372036854775807\r\nx"
			}
			return ""
		})
		p := probing(t, Settings{Address: addr})
		for range 3 {
			if e := p.probe(64); name == "info" && e.State != shed.Writable || name == "get" && (e.State != shed.Down || e.Err == nil) {
				t.Errorf("%s: %+v", name, e)
			}
		}
	}
}

// Over a long way the question goes beside the probes: two round trips would not end in time, nor would a new link.
func TestALongWayIsAskedBesideTheProbes(t *testing.T) {
	s := serve(t)
	addr, delay := delayed(t, s.addr())
	p := probing(t, Settings{Address: addr})
	p.timeout = 5 * time.Second
	p.writable()
	delay.Store(int64(60 * time.Millisecond))
	p.writable()
	before := p.at()
	for range 2 {
		p.due()
		if e := p.writable(); e.Vitals != nil {
			t.Error("in one round trip?")
		}
		if p.at() != before {
			t.Error("the link was not free for the next probe")
		}
		s.eventually("the answer comes with a later probe", func() bool { return p.writable().Vitals != nil })
		if got := p.asks(); got > askGap {
			t.Errorf("asks again in %v", got)
		}
	}
}

func TestAMissingCanaryIsJudgedAtTheDeadline(t *testing.T) {
	var hangs atomic.Bool
	f, addr := serveFake(t, func(words []string) string {
		switch {
		case strings.ToLower(words[0]) != "info":
			return ""
		case hangs.Load():
			return "hang"
		}
		return bulk(older)
	})
	p := probing(t, Settings{Address: addr})
	p.timeout = 150 * time.Millisecond
	p.writable()
	hangs.Store(true)
	f.mu.Lock()
	clear(f.keys)
	f.mu.Unlock()
	if e := p.writable(); !e.Lost {
		t.Error("not lost without a word of the server")
	}
	for range 10 {
		if e := p.writable(); e.Lost {
			t.Error("lost twice")
		}
	}
}

// full makes s evict: maxmemory is a little more than is used, and what is written expires.
func (s *server) full(policy string, headroom int) {
	s.t.Helper()
	s.do("config", "set", "maxmemory", s.used()+headroom, "maxmemory-policy", policy)
}

// press writes keys of 10 kB until the store has evicted n more, or refuses; it returns the refusal.
func (s *server) press(n int, args ...any) error {
	s.t.Helper()
	before := s.evicted()
	for i := 0; s.evicted() < before+n; i++ {
		if err := s.try(append([]any{"set", i + int(time.Now().UnixNano()), strings.Repeat("x", 10_000)}, args...)...); err != nil {
			return err
		}
	}
	return nil
}

// An evicted canary is planted again, and no loss; a flush and a restart are one, in a store that evicts, too.
func TestAnEvictedCanaryIsNoLoss(t *testing.T) {
	s := serve(t)
	for i := range 200 {
		s.do("set", "app:"+string(rune('a'+i)), "x", "ex", "1000")
	}
	p := s.probing()
	p.vitals(s)
	s.full("allkeys-random", 300_000)
	if err := s.press(5, "ex", "1000"); err != nil {
		t.Fatal(err)
	}
	s.do("del", p.canaryKey()) // as if it had been among them
	for range 5 {
		if e := p.writable(); e.Lost {
			t.Error("evicted, and reported lost")
		}
	}
	if s.do("exists", p.canaryKey()).(int64) != 1 {
		t.Error("it was not planted again")
	}

	s.do("config", "set", "maxmemory", "0")
	planted := func() bool {
		p.writable()
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.canary.planted && s.do("exists", p.canaryKey()).(int64) == 1
	}
	s.eventually("the prober knows of everything that was evicted, and has a canary", func() bool {
		p.due()
		there := planted()
		p.mu.Lock()
		defer p.mu.Unlock()
		return there && p.inquiry.last != nil && p.inquiry.last.vitals.Evicted == uint64(s.evicted())
	})
	s.do("del", p.canaryKey()) // nothing was evicted since
	if e := p.writable(); !e.Lost {
		t.Error("deleted, and not noticed")
	}
	for i := range 500 { // what is left by now is too little to tell most of it from all
		s.do("set", i, "x", "ex", "1000")
	}
	p.writable()
	s.eventually("the prober knows how many there are", func() bool {
		p.due()
		p.writable()
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.inquiry.last != nil && p.inquiry.last.keys > 500
	})
	s.full("volatile-lru", 300_000)
	if err := s.press(5, "ex", "1000"); err != nil {
		t.Fatal(err)
	}
	s.eventually("there is a canary", planted) // it may have been among them
	s.do("flushall")
	if e := p.writable(); !e.Lost {
		t.Error("flushed while it evicted, and not noticed")
	}
	p.writable()
	s.kill()
	p.probe(64)
	s.start()
	if e := p.writable(); !e.Lost {
		t.Error("restarted, and not noticed")
	}
}
