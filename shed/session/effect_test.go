package session

import (
	"slices"
	"strings"
	"testing"
)

var few = Marks{Cookies: []string{"sid", "c*"}, Headers: []string{"Authorization"}, Remember: []string{"rem", "keep*"}}

func TestEffect(t *testing.T) {
	const past, ahead = "Wed, 04 Mar 2026 11:59:59 GMT", "Wed, 04 Mar 2026 12:00:01 GMT"
	deletes, changes, gives := Effect{Deletes: true}, Effect{Changes: true, Gives: true}, Effect{Gives: true}
	for _, c := range []struct {
		name, cookies, lines string // lines are parted by a bar
		want                 Effect
	}{
		{"nothing", "sid=a", "", Effect{}},
		{"another cookie", "sid=a", "x=1 | sidx=2 | SID=3; Max-Age=0", Effect{}},
		{"one that is not carried is taken away", "x=1", "sid=; Max-Age=0", Effect{}},
		{"one that is carried empty", "sid=", "sid=; Max-Age=0", Effect{}},
		{"a first value", "x=1", "sid=a", gives},
		{"the same value", "sid=a", "sid=a; Max-Age=60", Effect{}},
		{"the same value with quotes", "sid=a", `sid="a"`, Effect{}},
		{"the same value without", `sid="a"`, "sid=a", Effect{}},
		{"one of two values", "sid=a; sid=b", "sid=b", Effect{}},
		{"another value", "sid=a", "sid=b", changes},
		{"a value that another cookie has", "sid=a; c=b", "sid=b", changes},

		{"no value", "sid=a", "sid=; Path=/", deletes},
		{"quotes around nothing", "sid=a", `sid=""`, deletes},
		{"spaces", "sid=a", "sid=   ; Path=/", deletes},
		{"Max-Age=0", "sid=a", "sid=a; Max-Age=0", deletes},
		{"below 0", "sid=a", "sid=b; max-age = -1", deletes},
		{"Max-Age wins", "sid=a", "sid=a; Max-Age=1; Expires=" + past, Effect{}},
		{"Max-Age wins the other way", "sid=a", "sid=a; Expires=" + ahead + "; Max-Age=0", deletes},
		{"a Max-Age that is none", "sid=a", "sid=a; Max-Age=0s; Expires=" + ahead, Effect{}},
		{"a Max-Age that is none, in the past", "sid=a", "sid=a; Max-Age=+1; EXPIRES=" + past, deletes},
		{"the last Max-Age", "sid=a", "sid=a; Max-Age=0; Max-Age=9", Effect{}},
		{"the last Expires", "sid=a", "sid=a; Expires=" + ahead + "; Expires=" + past, deletes},
		{"Expires now", "sid=a", "sid=a; Expires=Wed, 04 Mar 2026 12:00:00 GMT", deletes},
		{"Expires ahead", "sid=a", "sid=a; Expires=" + ahead, Effect{}},
		{"an Expires that is none", "sid=a", "sid=a; Expires=0", Effect{}},
		{"a line without an equals sign", "sid=a", "sid; Max-Age=0", Effect{}},
		{"a line without a name", "sid=a", "=sid; Max-Age=0", Effect{}},

		{"deleted, then given", "sid=a", "sid=; Max-Age=0 | sid=b", changes},
		{"given, then deleted", "sid=a", "sid=b | sid=; Max-Age=0", deletes},
		{"given, then deleted, without a session", "", "sid=b | sid=; Max-Age=0", Effect{}},
		{"given the same, then deleted", "sid=a", "sid=a; Path=/ | sid=; Path=/; Max-Age=0", deletes},
		{"deleted, then the same", "sid=a", "sid=; Max-Age=0 | sid=a", Effect{}},
		{"changed back", "sid=a", "sid=b | sid=a", Effect{}},
		{"the Domain is written otherwise", "sid=a", "sid=b; Domain=.Example.com | sid=; Max-Age=0; domain=example.com", deletes},
		{"deleted for the Domain, given for the host", "sid=a", "sid=b | sid=; Max-Age=0; Domain=example.com", changes},
		{"deleted below, the same above", "sid=a", "sid=; Max-Age=0; Path=/old | sid=a; Path=/", Effect{}},
		{"deleted in two places", "sid=a", "sid=; Max-Age=0; Path=/ | sid=; Max-Age=0; Path=/a", deletes},

		{"a mark's cookie shrinks", "c1=a; c2=b", "c1=x | c2=; Max-Age=0", changes},
		{"a mark's cookie is renamed", "c1=a", "c1=; Max-Age=0 | c9=x", changes},
		{"a mark's other cookie is the same", "c1=a; c2=b", "c1=a | c2=; Max-Age=0", deletes},
		{"a mark's new cookie", "c1=a", "c2=b", gives},
		{"two marks have nothing in common", "sid=a; c1=b", "sid=; Max-Age=0 | c1=x", Effect{true, true, true}},

		{"remember-me is renewed", "rem=a", "rem=b", Effect{}},
		{"remember-me is given", "", "rem=b", Effect{}},
		{"remember-me is taken away", "rem=a", "rem=; Max-Age=0", deletes},
		{"remember-me that is not carried", "sid=a", "rem=; Max-Age=0", Effect{}},
		{"remember-me moves", "keep1=a", "keep1=; Max-Age=0 | keep2=b", Effect{}},
		{"remember-me moves to another mark", "keep1=a", "keep1=; Max-Age=0 | rem=b", deletes},
	} {
		request, answer := fields{"Cookie": {c.cookies}}, fields{"Set-Cookie": strings.Split(c.lines, " | ")}
		if got := few.Effect(request, answer, now); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestEffectOfClearSiteData(t *testing.T) {
	for _, c := range []struct {
		line string
		want bool
	}{
		{`"cookies"`, true}, {`"*"`, true}, {`"cache", "cookies" , "storage"`, true}, {`cookies`, true}, {`"Cookies"`, true}, {"*", true},
		{`"cache"`, false}, {`"storage", "executionContexts"`, false}, {``, false}, {`,`, false}, {`"cookiesx"`, false}, {`"cook,ies"`, false},
	} {
		answer := fields{"Clear-Site-Data": {`"cache"`, c.line}}
		for _, carried := range []string{"sid=a", "rem=a"} {
			request := fields{"Cookie": {carried}}
			if got := few.Effect(request, answer, now); got != (Effect{Deletes: c.want}) {
				t.Errorf("%s with %s: %+v", c.line, carried, got)
			}
			if got := few.Held(request, answer, now, Hold{Deletions: true})("clear-site-data", c.line); got != c.want {
				t.Errorf("%s with %s: held: %v", c.line, carried, got)
			}
			if few.Held(request, answer, now, Hold{Changes: true})("Clear-Site-Data", c.line) {
				t.Errorf("%s with %s: a deletion is held as a change", c.line, carried)
			}
		}
		for _, request := range []fields{{"Cookie": {"x=a; sid="}}, {"Authorization": {"Bearer a"}}} {
			if got := few.Effect(request, answer, now); got != (Effect{}) {
				t.Errorf("%s with %v: %+v", c.line, request, got)
			}
		}
	}
}

func TestHeld(t *testing.T) {
	lines := []string{"lang=de; Path=/", "sid=; Max-Age=0", "c1=x", "c2=; Max-Age=0", "c3=new", "rem=; Max-Age=0", "keep1=y", "sidx=1"}
	request := fields{"Cookie": {"sid=a; c1=b; c2=d; rem=e; keep1=f"}}
	answer := fields{"Set-Cookie": lines, "Clear-Site-Data": {`"cookies"`}}
	for _, c := range []struct {
		hold Hold
		want []int
	}{
		{Hold{}, nil},
		{Hold{Deletions: true}, []int{1, 5, 8}},
		{Hold{Changes: true}, []int{2, 3, 4}},
		{Hold{true, true}, []int{1, 2, 3, 4, 5, 8}},
	} {
		drop := few.Held(request, answer, now, c.hold)
		var held []int
		for i, line := range lines {
			if drop("Set-Cookie", line) {
				held = append(held, i)
			}
		}
		if drop("Clear-Site-Data", `"cookies"`) {
			held = append(held, len(lines))
		}
		if !slices.Equal(held, c.want) {
			t.Errorf("%+v: %v, want %v", c.hold, held, c.want)
		}
		if drop("Set-Cookie2", "sid=; Max-Age=0") || drop("Location", "sid=") || drop("Cookie", "sid=b") {
			t.Errorf("%+v: another field is held", c.hold)
		}
	}
	// Remember-me that moves from one cookie to another is renewed.
	moves := fields{"Set-Cookie": {"keep1=; Max-Age=0", "keep2=x"}}
	if few.Held(request, moves, now, Hold{true, true})("Set-Cookie", "keep1=; Max-Age=0") {
		t.Error("a part of a renewal is held")
	}
	var none Marks
	if none.Held(request, answer, now, Hold{true, true})("Set-Cookie", "sid=b") || none.Effect(request, answer, now) != (Effect{}) {
		t.Error("the zero value sees a session")
	}
}

// A line that a held one made void must not come into force.
func TestHeldLeavesNothingBehind(t *testing.T) {
	for _, lines := range [][]string{{"sid=b", "sid=; Max-Age=0"}, {"rem=b", "rem=; Max-Age=0"}, {"sid=b", "sid=c"}} {
		drop := few.Held(fields{"Cookie": {"sid=a; rem=a"}}, fields{"Set-Cookie": lines}, now, Hold{true, true})
		for _, line := range lines {
			if !drop("Set-Cookie", line) {
				t.Errorf("%q: %s is left", lines, line)
			}
		}
	}
}

func FuzzHeld(f *testing.F) {
	for _, c := range frameworks {
		f.Add(c.cookies, strings.Join(c.answer, "\n"), "")
	}
	f.Add("sid=a; c1=b; c2=c; rem=d; keep=e", "c1=x\nc2=; Max-Age=0\nsid=b\nsid=; Expires=Thu, 01-Jan-70 0:0:0\nrem=", `"cookies"`)
	f.Add(`sid="a"; sid=b`, "sid=b;Path=/;Domain=.x\nsid=c;domain=X;path=/\nkeep1=;\nkeep2=x", "*")
	f.Fuzz(func(t *testing.T, cookie, lines, clear string) {
		for _, m := range []*Marks{&few, &everything, {Cookies: []string{"*"}}, {Remember: []string{"*"}}} {
			request := fields{"Cookie": {cookie}}
			answer := fields{"Set-Cookie": strings.Split(lines, "\n"), "Clear-Site-Data": {clear}}
			before := m.Effect(request, answer, now)
			if before.Changes && !before.Gives {
				t.Errorf("a change without a value: %q", lines)
			}
			for _, h := range []Hold{{}, {Deletions: true}, {Changes: true}, {true, true}} {
				drop := m.Held(request, answer, now, h)
				left, dropped := fields{}, false
				for name, values := range answer {
					for _, v := range values {
						if drop(name, v) {
							dropped = true
						} else {
							left[name] = append(left[name], v)
						}
					}
				}
				if dropped && !(before.Deletes && h.Deletions) && !(before.Changes && h.Changes) {
					t.Errorf("%+v of %q and %q for %q: more is held than the effect: %q is left", h, lines, clear, cookie, left)
				}
				after := m.Effect(request, left, now)
				if after.Deletes != (before.Deletes && !h.Deletions) || after.Changes != (before.Changes && !h.Changes) {
					t.Errorf("%+v of %q and %q for %q: %+v before, %+v after %q", h, lines, clear, cookie, before, after, left)
				}
			}
		}
	})
}

func TestEffectAllocatesNothing(t *testing.T) {
	var request, answer Fields = fields{"Cookie": {"a=1; b=2; sid=abc"}}, fields{"Content-Type": {"text/html"}}
	if n := testing.AllocsPerRun(100, func() { few.Effect(request, answer, now) }); n != 0 {
		t.Errorf("%v allocations; want 0", n)
	}
	answer = fields{"Set-Cookie": {"lang=de; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT"}}
	if n := testing.AllocsPerRun(100, func() { few.Effect(request, answer, now) }); n != 0 {
		t.Errorf("%v allocations for a cookie that is nobody's session; want 0", n)
	}
}

func BenchmarkEffect(b *testing.B) {
	var request Fields = fields{"Cookie": {"a=1; b=2; sid=abc"}}
	for name, lines := range map[string][]string{"none": nil, "other": {"lang=de; Path=/"}, "rolling": {"sid=abc; Path=/; Expires=Wed, 04 Mar 2026 12:30:00 GMT"}} {
		b.Run(name, func(b *testing.B) {
			var answer Fields = fields{"Set-Cookie": lines}
			b.ReportAllocs()
			for b.Loop() {
				few.Effect(request, answer, now)
			}
		})
	}
}
