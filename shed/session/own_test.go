package session

import (
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestSetCookieLines(t *testing.T) {
	for _, c := range []struct {
		life              time.Duration
		secure, crossSite bool
		want              string
	}{
		{24 * time.Hour, true, false, "gatehouse_proof=v; Path=/; Max-Age=86400; HttpOnly; Secure; SameSite=Lax"},
		{10 * time.Minute, true, true, "gatehouse_proof=v; Path=/; Max-Age=600; HttpOnly; Secure; SameSite=None"},
		{time.Second, false, false, "gatehouse_proof=v; Path=/; Max-Age=1; HttpOnly; SameSite=Lax"},
		{1, false, true, "gatehouse_proof=v; Path=/; Max-Age=1; HttpOnly; SameSite=Lax"},
		{time.Second + 1, false, true, "gatehouse_proof=v; Path=/; Max-Age=2; HttpOnly; SameSite=Lax"},
		{0, true, true, "gatehouse_proof=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=None"},
		{-time.Hour, false, false, "gatehouse_proof=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax"},
		{math.MaxInt64, false, false, "gatehouse_proof=v; Path=/; Max-Age=9223372037; HttpOnly; SameSite=Lax"},
	} {
		got := SetCookie(ProofCookie, "v", c.life, c.secure, c.crossSite)
		if got != c.want {
			t.Errorf("%v: %q, want %q", c.life, got, c.want)
		}
		read, err := http.ParseSetCookie(got)
		if err != nil || read.Domain != "" || read.Path != "/" || !read.HttpOnly || read.Secure != c.secure || (read.MaxAge < 0) != (c.life <= 0) {
			t.Errorf("%q is read as %+v: %v", got, read, err)
		}
		if ours, ok := readSetCookie(got, now); !ok || ours.gone != (c.life <= 0) {
			t.Errorf("%q: gone %v", got, ours.gone)
		}
	}
	// What goes out comes back.
	s := NewSeal()
	each(s, func(kind, value string, believes func(*Seal, string) bool) {
		read, err := http.ParseSetCookie(SetCookie("gatehouse_"+kind, value, time.Hour, true, false))
		if err != nil || read.Value != value {
			t.Fatalf("%s: %+v, %v", kind, read, err)
		}
		for v := range Cookies(fields{"Cookie": {"a=1; " + read.Name + "=" + read.Value}}, "gatehouse_"+kind) {
			if !believes(s, v) {
				t.Errorf("%s: %q came back", kind, v)
			}
		}
	})
}

func TestCookies(t *testing.T) {
	f := fields{"Cookie": {"p=1; a=x;p=2 ; p=; P=5; xp=6", "", `p="3"; p`, "p=4=4"}}
	want := []string{"1", "2", `"3"`, "4=4"}
	if got := slices.Collect(Cookies(f, "p")); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	for i := range want {
		var got []string
		for v := range Cookies(f, "p") {
			if got = append(got, v); len(got) > i {
				break
			}
		}
		if !slices.Equal(got, want[:i+1]) {
			t.Errorf("%q, want %q", got, want[:i+1])
		}
	}
	if got := slices.Collect(Cookies(fields{"Cookie": {strings.Repeat("p=1; q=2; ", 100)}}, "p")); len(got) != 8 {
		t.Errorf("%d are tried; want 8", len(got))
	}
}

// A site next door tosses its own cookies in front of ours.
func TestTossedCookiesHideNothing(t *testing.T) {
	s := NewSeal()
	value := s.Proof(sid, now)
	var line strings.Builder
	for i := range 7 {
		line.WriteString("gatehouse_proof=tossed" + strconv.Itoa(i) + "; ")
	}
	line.WriteString("gatehouse_proof=" + value)
	proved := 0
	for v := range Cookies(fields{"Cookie": {line.String()}}, ProofCookie) {
		if good, _ := s.Proves(v, sid, now); good {
			proved++
		}
	}
	if proved != 1 {
		t.Errorf("proved %d times among the tossed; want 1", proved)
	}
}

func TestOwn(t *testing.T) {
	for name, want := range map[string]bool{
		"gatehouse_proof": true, "gatehouse_admission": true, "gatehouse_place": true, "GATEHOUSE_Place": true,
		"": false, "gatehouse": false, "gatehouse_": false, "gatehouse_proofs": false, "xgatehouse_proof": false, "gatehouse_theme": false,
	} {
		if Own(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
}

func TestStripOwn(t *testing.T) {
	for in, want := range map[string]string{
		"":                   "",
		"a=1;b=2 ;  d3; c3;": "a=1;b=2 ;  d3; c3;",
		"gatehouse_proof=x":  "",
		"gatehouse_proof":    "",
		"gatehouse_proof=; Gatehouse_Place=1;\tgatehouse_admission = 2": "",
		"gatehouse_proof=x; sid=1; b=2":                                 "sid=1; b=2",
		"sid=1; GateHouse_Proof=x;b=\xff\x00":                           "sid=1;b=\xff\x00",
		"sid=gatehouse_proof=x; gatehouse_x=1":                          "sid=gatehouse_proof=x; gatehouse_x=1",
		`a="x; gatehouse_place=y; z"`:                                   `a="x; z"`,
	} {
		if got := StripOwn(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func FuzzStripOwn(f *testing.F) {
	f.Add("a=1; gatehouse_proof=x; b=2")
	f.Add(";;gatehouse_place;=; sid=\"a;GATEHOUSE_admission=\" gatehouse_proof=")
	f.Fuzz(func(t *testing.T, value string) {
		got := StripOwn(value)
		if again := StripOwn(got); again != got {
			t.Errorf("%q, and again %q", got, again)
		}
		var want, kept []string
		for name, v := range cookies(fields{"Cookie": {value}}) {
			if !Own(name) {
				want = append(want, name+"="+v)
			}
		}
		for name, v := range cookies(fields{"Cookie": {got}}) {
			kept = append(kept, name+"="+v)
		}
		if !slices.Equal(kept, want) {
			t.Errorf("%q: %q are left, want %q", value, kept, want)
		}
		n := 0
		for v := range Cookies(fields{"Cookie": {value}}, PlaceCookie) {
			if n++; n > maxTried || v == "" || !strings.Contains(value, v) {
				t.Errorf("%q yields %q", value, v)
			}
		}
	})
}
