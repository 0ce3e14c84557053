package shed

import "testing"

func TestWhoGivesWay(t *testing.T) {
	s := Shares{Member: 0.4, SignIn: 0.2, Unproved: 0.1, Anonymous: 0.1}
	full := func(c Class) (held [NumClasses]int) {
		held[c] = 20
		return held
	}
	for _, tt := range []struct {
		what      string
		holder, c Class
		held      [NumClasses]int
		limit     int
		want      bool
	}{
		{"to one who matters more", Anonymous, Member, full(Anonymous), 20, true},
		{"to a sign-in", Unproved, SignIn, full(Unproved), 20, true},
		{"not to an equal", Anonymous, Anonymous, full(Anonymous), 20, false},
		{"not to one who matters less and has no share", Member, Background, full(Member), 20, false},
		{"to one who has less than his share", Unproved, Anonymous, full(Unproved), 20, true},
		{"not if he has it", Unproved, Anonymous, [NumClasses]int{Unproved: 18, Anonymous: 2}, 20, false},
		{"not if the holder has no more than his own", Unproved, Anonymous, [NumClasses]int{Member: 18, Unproved: 2}, 20, false},
		{"not where there is no limit", Anonymous, Member, full(Anonymous), 0, false},
	} {
		if got := GivesWay(tt.holder, tt.c, tt.held, tt.limit, s); got != tt.want {
			t.Errorf("%s: %v", tt.what, got)
		}
	}
}
