package session

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestSignedOut(t *testing.T) {
	s := NewSignedOut()
	const a, b = "aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb"
	if s.Has("sid", a, now) || s.Len() != 0 || new(SignedOut).Has("sid", a, now) || new(SignedOut).Len() != 0 {
		t.Fatal("an empty set has something")
	}
	s.Add("sid", a, now.Add(time.Hour))
	s.Add("sid", b, now.Add(time.Minute))
	for _, c := range []struct {
		id    string
		after time.Duration
		want  bool
	}{
		{a, 0, true}, {a, time.Hour - 1, true}, {a, time.Hour, false}, {b, 0, true}, {b, time.Minute, false},
		{"c", 0, false}, {"", 0, false}, {strings.ToUpper(a), 0, false}, {a + "a", 0, false}, {`"` + a + `"`, 0, true},
		{"%61" + a[1:], 0, true}, {`"%61` + a[1:] + `"`, 0, true}, {"%2561" + a[1:], 0, false},
	} {
		if got := s.Has("sid", c.id, now.Add(c.after)); got != c.want {
			t.Errorf("%q after %v: %v", c.id, c.after, got)
		}
	}
	if s.Has("remember", a, now) {
		t.Error("another cookie of the same value is taken for it")
	}
	s.Add("sid", b, now.Add(time.Hour))
	s.Add("sid", a, now)
	if !s.Has("sid", a, now.Add(time.Minute)) || !s.Has("sid", b, now.Add(time.Minute)) || s.Len() != 2 {
		t.Error("the later time does not count, or an id is kept twice")
	}
	if NewSignedOut().hash("sid", a) == s.hash("sid", a) {
		t.Error("two sets have the same key")
	}
}

// What is too short to be an id is what others carry too: a flag, a number of pieces.
func TestWhatManyCarryIsNotSignedOut(t *testing.T) {
	s := NewSignedOut()
	for _, id := range []string{"", "1", "true", "chunks-2", `"fifteen-letters"`} {
		if s.Add("sid", id, now.Add(time.Hour)); s.Has("sid", id, now) || s.Len() != 0 {
			t.Errorf("%q is refused", id)
		}
	}
}

// Backends decode what a browser sends; whoever writes an id in another way must not get past.
func TestSignedOutReadsEscapes(t *testing.T) {
	s := NewSignedOut()
	s.Add("sid", "s%3Aq1.a%2Fb0123456789%", now.Add(time.Hour))
	for id, want := range map[string]bool{"s:q1.a/b0123456789%": true, "s%3aq1%2Ea%2fb0123456789%": true, "s%3Aq1.a%2Fb0123456789%25": true, "s%3Aq1.a%2Fb0123456789": false, "s%3Gq1.a/b0123456789%": false, "s%253Aq1.a/b0123456789%": false} {
		if got := s.Has("sid", id, now); got != want {
			t.Errorf("%q: %v", id, got)
		}
	}
	for _, id := range []string{"0123456789abcdef%", "0123456789abcdef%4", "0123456789abcdef%zz", "0123456789abcdefa%", strings.Repeat("%41", 1000)} {
		s.Add("sid", id, now.Add(time.Hour))
		if !s.Has("sid", id, now) {
			t.Errorf("%q is not found again", id)
		}
	}
}

func TestSignedOutIsBounded(t *testing.T) {
	s := NewSignedOut()
	until := now.Add(time.Hour)
	id := func(i int) string { return fmt.Sprint("an-id-long-enough-", i) }
	const more = 1000
	for i := range maxSignedOut + more {
		s.Add("sid", id(i), until)
		s.Add("sid", id(i), until)
	}
	if s.Len() != maxSignedOut || len(s.until) != maxSignedOut || len(s.ring) != maxSignedOut {
		t.Errorf("%d, %d, %d ids are kept; want %d", s.Len(), len(s.until), len(s.ring), maxSignedOut)
	}
	for i := range maxSignedOut + more {
		if got := s.Has("sid", id(i), now); got != (i >= more) {
			t.Fatalf("id %d of %d: %v", i, maxSignedOut+more, got)
		}
	}
}

func TestSignedOutAllocatesNothing(t *testing.T) {
	s := NewSignedOut()
	ask := func() {
		s.Has("sid", short, now)
		s.Has("sid", `"s%3A`+long+`"`, now)
	}
	if n := testing.AllocsPerRun(100, ask); n != 0 {
		t.Errorf("%v allocations where nobody is signed out; want 0", n)
	}
	s.Add("sid", short, now.Add(time.Hour))
	if n := testing.AllocsPerRun(100, ask); n != 0 {
		t.Errorf("%v allocations; want 0", n)
	}
}

const short, long = "8x5ufuv5mqv1c7wv3fjz9k2h", "%41bcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0123456789"

func TestSignedOutBySeveral(t *testing.T) {
	s := NewSignedOut()
	var all sync.WaitGroup
	for g := range 4 {
		all.Go(func() {
			for i := range 500 {
				id := fmt.Sprint("an-id-long-enough-", g, "-", i)
				s.Add("sid", id, now.Add(time.Hour))
				if !s.Has("sid", id, now) || s.Has("sid", id+"x", now) {
					t.Errorf("%s is not kept, or more than it", id)
				}
			}
		})
	}
	all.Wait()
	if s.Len() != 2000 {
		t.Errorf("%d ids, want 2000", s.Len())
	}
}

func BenchmarkSignedOutHas(b *testing.B) {
	full := NewSignedOut()
	for i := range maxSignedOut {
		full.Add("sid", fmt.Sprint("an-id-long-enough-", i), now.Add(time.Hour))
	}
	for name, c := range map[string]struct {
		s  *SignedOut
		id string
	}{"empty": {NewSignedOut(), "abc"}, "full": {full, "8x5ufuv5mqv1c7wv3fjz9k2h"}, "escaped": {full, "s%3A8x5ufuv5mqv1c7wv3fjz9k2h.abc"}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					c.s.Has("sid", c.id, now)
				}
			})
		})
	}
}
