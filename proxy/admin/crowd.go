package admin

import "strconv"

// crowds returns the pools that tell classes apart.
func crowds(pools []Pool) (out []Pool) {
	for _, p := range pools {
		if len(p.Classes) > 0 {
			out = append(out, p)
		}
	}
	return out
}

// sheds reports whether any of the pools lately turned away somebody for want of room.
func sheds(pools []Pool) bool {
	for _, p := range pools {
		for _, c := range p.Classes {
			if c.Shed > 0 {
				return true
			}
		}
	}
	return false
}

// taxed returns the pools that lately refused a sign-in while another pool had room.
func taxed(pools []Pool) (out []Pool) {
	for _, p := range pools {
		if p.Tax > 0 {
			out = append(out, p)
		}
	}
	return out
}

// class names a class of requests as a column.
func class(word string) string {
	switch word {
	case "member":
		return "Members"
	case "sign_in":
		return "Signing in"
	case "unproved":
		return "Unproved"
	case "anonymous":
		return "Anonymous"
	case "background":
		return "Background"
	default:
		return word
	}
}

// many is a number of things, of which one has a word of its own.
func many(n uint64, one, more string) string {
	if n == 1 {
		return "1\u00a0" + one
	}
	return count(n) + "\u00a0" + more
}

// often says how many times something happened.
func often(n int) string {
	switch {
	case n <= 0:
		return "never"
	case n == 1:
		return "once"
	case n == 2:
		return "twice"
	default:
		return strconv.Itoa(n) + "\u00a0times"
	}
}
