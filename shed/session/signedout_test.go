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
	if s.Has("a", now) || s.Len() != 0 || new(SignedOut).Has("a", now) || new(SignedOut).Len() != 0 {
		t.Fatal("an empty set has something")
	}
	s.Add("a", now.Add(time.Hour))
	s.Add("b", now.Add(time.Minute))
	for _, c := range []struct {
		id    string
		after time.Duration
		want  bool
	}{
		{"a", 0, true}, {"a", time.Hour - 1, true}, {"a", time.Hour, false}, {"b", 0, true}, {"b", time.Minute, false},
		{"c", 0, false}, {"", 0, false}, {"A", 0, false}, {"aa", 0, false}, {`"a"`, 0, true}, {"%61", 0, true}, {`"%61"`, 0, true}, {"%2561", 0, false},
	} {
		if got := s.Has(c.id, now.Add(c.after)); got != c.want {
			t.Errorf("%q after %v: %v", c.id, c.after, got)
		}
	}
	s.Add("b", now.Add(time.Hour))
	s.Add("a", now)
	if !s.Has("a", now.Add(time.Minute)) || !s.Has("b", now.Add(time.Minute)) || s.Len() != 2 {
		t.Error("the later time does not count, or an id is kept twice")
	}
	if NewSignedOut().hash("a") == s.hash("a") {
		t.Error("two sets have the same key")
	}
}

// Backends decode what a browser sends; whoever writes an id in another way must not get past.
func TestSignedOutReadsEscapes(t *testing.T) {
	s := NewSignedOut()
	s.Add("s%3Aq1.a%2Fb%", now.Add(time.Hour))
	for id, want := range map[string]bool{"s:q1.a/b%": true, "s%3aq1%2Ea%2fb%": true, "s%3Aq1.a%2Fb%25": true, "s%3Aq1.a%2Fb": false, "s%3Gq1.a/b%": false, "s%253Aq1.a/b%": false} {
		if got := s.Has(id, now); got != want {
			t.Errorf("%q: %v", id, got)
		}
	}
	for _, id := range []string{"%", "%4", "%zz", "a%", strings.Repeat("%41", 1000)} {
		s.Add(id, now.Add(time.Hour))
		if !s.Has(id, now) {
			t.Errorf("%q is not found again", id)
		}
	}
}

func TestSignedOutIsBounded(t *testing.T) {
	s := NewSignedOut()
	until := now.Add(time.Hour)
	id := func(i int) string { return fmt.Sprint("id", i) }
	const more = 1000
	for i := range maxSignedOut + more {
		s.Add(id(i), until)
		s.Add(id(i), until)
	}
	if s.Len() != maxSignedOut || len(s.until) != maxSignedOut || len(s.ring) != maxSignedOut {
		t.Errorf("%d, %d, %d ids are kept; want %d", s.Len(), len(s.until), len(s.ring), maxSignedOut)
	}
	for i := range maxSignedOut + more {
		if got := s.Has(id(i), now); got != (i >= more) {
			t.Fatalf("id %d of %d: %v", i, maxSignedOut+more, got)
		}
	}
}

func TestSignedOutAllocatesNothing(t *testing.T) {
	s := NewSignedOut()
	ask := func() {
		s.Has("abc", now)
		s.Has(`"s%3A`+long+`"`, now)
	}
	if n := testing.AllocsPerRun(100, ask); n != 0 {
		t.Errorf("%v allocations where nobody is signed out; want 0", n)
	}
	s.Add("abc", now.Add(time.Hour))
	if n := testing.AllocsPerRun(100, ask); n != 0 {
		t.Errorf("%v allocations; want 0", n)
	}
}

const long = "%41bcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0123456789"

func TestSignedOutBySeveral(t *testing.T) {
	s := NewSignedOut()
	var all sync.WaitGroup
	for g := range 4 {
		all.Go(func() {
			for i := range 500 {
				id := fmt.Sprint(g, "-", i)
				s.Add(id, now.Add(time.Hour))
				if !s.Has(id, now) || s.Has(id+"x", now) {
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
		full.Add(fmt.Sprint(i), now.Add(time.Hour))
	}
	for name, c := range map[string]struct {
		s  *SignedOut
		id string
	}{"empty": {NewSignedOut(), "abc"}, "full": {full, "8x5ufuv5mqv1c7wv3fjz9k2h"}, "escaped": {full, "s%3A8x5ufuv5mqv1c7wv3fjz9k2h.abc"}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					c.s.Has(c.id, now)
				}
			})
		})
	}
}
