package page

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
)

// asked are Asks in every kind, form and language, HEAD and gRPC among them.
func asked() (all []Ask) {
	everyAnswer(func(a Ask, _ form, _ *words) {
		all = append(all, a)
		a.Head = true
		all = append(all, a)
	})
	for _, k := range Kinds {
		all = append(all, Ask{Kind: k, ContentType: "application/grpc", Wait: time.Second})
	}
	return all
}

// whole is an answer without the room that it was made in.
func whole(a Answer) string {
	return fmt.Sprintf("%d %q %q %t %d", a.Status, a.Lines, a.Body, a.Body == nil, a.Length)
}

// Nothing of an answer shows in the one that is made in its place, and whatever a Maker remembers changes none.
func TestAnswerMadeAgainIsLikeTheFirst(t *testing.T) {
	for _, set := range []Settings{{}, {Template: `<title>{{.Title}}</title><p>{{.Lead}} {{.Restart}} {{.RequestID}}`}} {
		used := maker(t, set)
		var made Answer
		for _, a := range asked() {
			used.MakeInto(&made, a)
			first := whole(made)
			if again := whole(used.Make(a)); again != first {
				t.Fatalf("%+v:\nfirst %s\nagain %s", a, first, again)
			}
		}
	}
	fresh, used := maker(t, Settings{}), maker(t, Settings{})
	for i, a := range asked() {
		if i%40 == 0 {
			fresh = maker(t, Settings{})
		}
		if want, got := whole(fresh.Make(a)), whole(used.Make(a)); want != got {
			t.Fatalf("%+v:\nfresh %s\nused  %s", a, want, got)
		}
	}
}

func TestManyMakeAtOnce(t *testing.T) {
	m, one, all := maker(t, Settings{}), maker(t, Settings{}), asked()
	want := make([]string, len(all))
	for i, a := range all {
		want[i] = whole(one.Make(a))
	}
	var crowd sync.WaitGroup
	for n := range 4 {
		crowd.Go(func() {
			var made Answer
			for i := range all {
				i = (i + n*len(all)/4) % len(all)
				if m.MakeInto(&made, all[i]); whole(made) != want[i] {
					t.Errorf("%+v: %s, want %s", all[i], whole(made), want[i])
					return
				}
			}
		})
	}
	crowd.Wait()
}

// A page that is made where another was costs nothing but its bytes.
func TestMakeAgainAllocatesNothing(t *testing.T) {
	m := maker(t, Settings{})
	for f := range forms {
		var made Answer
		a := incident(f)
		for range 3 { // a field is remembered when it comes again
			m.MakeInto(&made, a)
		}
		if n := testing.AllocsPerRun(200, func() { m.MakeInto(&made, a) }); n != 0 {
			t.Errorf("%s: %v allocations, want 0", contentTypes[f], n)
		}
	}
}

func TestMemo(t *testing.T) {
	read := 0
	m := newMemo(func(s string) int { read++; return len(s) })
	buffer := []byte("abcdefgh")
	for range 5 {
		if n := m.of(string(buffer)); n != len(buffer) {
			t.Fatalf("%d, want %d", n, len(buffer))
		}
	}
	if read != 2 {
		t.Errorf("what came five times was read %d times, want 2", read)
	}
	read = 0
	for range 3 {
		m.of(strings.Repeat("x", maxMemo+1))
		m.of("")
	}
	if read != 6 {
		t.Errorf("what is too long, or nothing, was read %d times of 6", read)
	}
	for i := range 10 * memoCells { // a stranger who never repeats himself is not remembered
		m.of(fmt.Sprintf("%0*d", 1+i%9, i))
	}
	for i := range m.cells {
		if k := m.cells[i].known.Load(); k != nil && k.field != "abcdefgh" {
			t.Errorf("%q is remembered", k.field)
		}
	}
	if n := m.of("abcdefgh"); n != 8 {
		t.Errorf("%d, want 8", n)
	}
}

func TestSayingsAreBounded(t *testing.T) {
	var s sayings
	for i := range 10 * maxSayings {
		o, r := fmt.Sprintf("o%d", i), fmt.Sprintf("r%d", i)
		if got := s.of(o, r, "x"); got.line != o+"; reason="+r {
			t.Fatalf("%q", got.line)
		}
		if got := s.of(o+"\n", "", "x"); got.line != "x" {
			t.Fatalf("%q", got.line)
		}
	}
	known := *s.known.Load()
	if len(known) != maxSayings {
		t.Errorf("%d are remembered, want %d", len(known), maxSayings)
	}
	for _, k := range known {
		if strings.Contains(k.asked, "\n") {
			t.Errorf("%q is remembered", k.asked)
		}
	}
	if got := s.of("o1", "r1", "x"); !reflect.DeepEqual(got, known[1]) {
		t.Errorf("%+v, want %+v", got, known[1])
	}
}
