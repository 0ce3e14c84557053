package h1

import (
	"slices"
	"strings"
	"testing"
)

func TestHeadLooksUpByNameWithoutCaseAndByNumber(t *testing.T) {
	h := Head{{"Host", "a"}, {"Set-Cookie", "x=1"}, {"set-cookie", "y=2"}, {"SET-COOKIE", ""}, {"Étag", "no"}}
	for _, tt := range []struct {
		name string
		i    int
		want string
		ok   bool
	}{
		{"Host", 0, "a", true},
		{"host", 0, "a", true},
		{"HOST", 1, "", false},
		{"Set-Cookie", 0, "x=1", true},
		{"Set-Cookie", 1, "y=2", true},
		{"Set-Cookie", 2, "", true},
		{"Set-Cookie", 3, "", false},
		{"Set-Cookie", -1, "", false},
		{"Set-Cooki", 0, "", false},
		{"Set-Cookie2", 0, "", false},
		{"", 0, "", false},
		// The Kelvin sign folds to k, but is no token character: a name never has it, and it is longer.
		{"Set-Coo\u212Aie", 0, "", false},
	} {
		got, ok := h.Field(tt.name, tt.i)
		if got != tt.want || ok != tt.ok {
			t.Errorf("Field(%q, %d) = %q, %v; want %q, %v", tt.name, tt.i, got, ok, tt.want, tt.ok)
		}
		if tt.i == 0 {
			if h.Get(tt.name) != tt.want {
				t.Errorf("Get(%q) = %q, want %q", tt.name, h.Get(tt.name), tt.want)
			}
			if h.Has(tt.name) != tt.ok {
				t.Errorf("Has(%q) = %v, want %v", tt.name, h.Has(tt.name), tt.ok)
			}
		}
	}
}

func TestHeadChanges(t *testing.T) {
	begin := Head{{"A", "1"}, {"b", "2"}, {"a", "3"}, {"C", "4"}, {"A", "5"}}
	for _, tt := range []struct {
		name   string
		change func(*Head)
		want   Head
	}{
		{"add keeps what is there", func(h *Head) { h.Add("a", "6") },
			Head{{"A", "1"}, {"b", "2"}, {"a", "3"}, {"C", "4"}, {"A", "5"}, {"a", "6"}}},
		{"set replaces every line of the name, at the end", func(h *Head) { h.Set("a", "6") },
			Head{{"b", "2"}, {"C", "4"}, {"a", "6"}}},
		{"set of a new name adds", func(h *Head) { h.Set("D", "") },
			Head{{"A", "1"}, {"b", "2"}, {"a", "3"}, {"C", "4"}, {"A", "5"}, {"D", ""}}},
		{"del removes every spelling and keeps the order", func(h *Head) { h.Del("a") }, Head{{"b", "2"}, {"C", "4"}}},
		{"del of the only line", func(h *Head) { h.Del("B") }, Head{{"A", "1"}, {"a", "3"}, {"C", "4"}, {"A", "5"}}},
		{"del of nothing", func(h *Head) { h.Del("x") }, begin},
		{"delfunc sees the whole line", func(h *Head) { h.DelFunc(func(l Line) bool { return l.Value > "3" }) },
			Head{{"A", "1"}, {"b", "2"}, {"a", "3"}}},
		{"delfunc of everything", func(h *Head) { h.DelFunc(func(Line) bool { return true }) }, Head{}},
	} {
		h := slices.Clone(begin)
		tt.change(&h)
		if !slices.Equal(h, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, h, tt.want)
		}
	}
}

func TestHeadZeroValueIsEmpty(t *testing.T) {
	var h Head
	h.Del("a")
	if h.Has("a") || h.Get("a") != "" {
		t.Error("an empty head has a line")
	}
	h.Set("a", "1")
	if !slices.Equal(h, Head{{"a", "1"}}) {
		t.Errorf("got %v", h)
	}
}

func TestHeadForgetsWhatItDropped(t *testing.T) {
	h := Head{{"Cookie", "secret"}, {"A", "1"}}
	whole := h[:2]
	h.Del("Cookie")
	if whole[1] != (Line{}) {
		t.Errorf("the dropped place still holds %v", whole[1])
	}
}

func TestHeadLooksUpWithoutAllocating(t *testing.T) {
	h := Head{{"Host", "a"}, {"Cookie", "x=1"}, {"Accept", "*/*"}}
	n := testing.AllocsPerRun(100, func() {
		h.Get("accept")
		h.Field("cookie", 1)
		h.Has("X")
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestNamesCompareAsStringsDo(t *testing.T) {
	for a := range 128 {
		for b := range 128 {
			one, two := "x"+string(rune(a)), "X"+string(rune(b))
			if got, want := sameName(one, two), strings.EqualFold(one, two); got != want {
				t.Errorf("%q and %q are the same: %v, want %v", one, two, got, want)
			}
		}
	}
	if sameName("x", "xx") || !sameName("", "") {
		t.Error("lengths")
	}
}

func TestDelFuncAsksOnceForEachLine(t *testing.T) {
	h := Head{{"A", "1"}, {"b", "2"}, {"A", "3"}, {"C", "4"}}
	var asked string
	h.DelFunc(func(l Line) bool { asked += l.Value; return l.Name == "A" })
	if asked != "1234" || len(h) != 2 || h[0].Value != "2" || h[1].Value != "4" {
		t.Errorf("asked %s, left %v", asked, h)
	}
}
