package shed

// GivesWay reports whether a request of class holder, which has a permit only because its visitor sends or reads slowly, gives it up for
// one of class c that waits: one that matters more, or one whose class has less than its share while the holder's has more than its own. held are
// the permits that each class has of a pool with that limit. It is pure.
func GivesWay(holder, c Class, held [NumClasses]int, limit int, s Shares) bool {
	holder, c = holder.known(), c.known()
	if limit <= 0 {
		return false
	}
	sure := func(c Class) float64 { return s[c] * float64(limit) }
	switch {
	case c < holder:
		return true
	case c == holder:
		return false
	}
	return float64(held[c]) < sure(c) && float64(held[holder]) > sure(holder)
}
