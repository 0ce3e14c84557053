package page

import "strings"

// words are what a visitor reads, in one language. "{n}" stands for a number of seconds or minutes with its unit, and in
// ahead for a number of people.
type words struct {
	tag     string    // RFC 5646
	seconds [3]string // one, few, many
	minutes [3]string // likewise
	stop    string    // after a title that becomes a sentence
	gap     string    // between sentences

	title [kinds]string
	lead  [kinds]string

	kept      string // the visitor's place in the line
	next      string // nobody is before him
	one       string // about one is
	ahead     string // about "{n}" are
	thousands string // between groups of three digits

	signedIn  string // the visitor's session stands
	unsure    string // what was sent may not have arrived
	itself    string // the page will try again
	yourself  string // the visitor should
	again     string // the link
	start     string // the link where trying again is no use
	onward    string // the link where there is nothing to try
	reference string // before the request's id, with the colon that the language writes
}

// inSeconds returns the word for n seconds.
func (w *words) inSeconds(n int) string { return w.seconds[w.form(n)] }

// told returns a time in seconds as people say it, a number and its unit: from two minutes on in minutes, rounded up, so that
// nobody comes early.
func (w *words) told(seconds int) (int, string) {
	if seconds < 120 {
		return seconds, w.inSeconds(seconds)
	}
	n := (seconds + 59) / 60
	return n, w.minutes[w.form(n)]
}

// form returns which of a unit's words goes with n.
func (w *words) form(n int) int {
	one, few := n == 1, false
	switch w.tag {
	case "fr", "pt":
		one = n <= 1
	case "pl":
		few = n%10 >= 2 && n%10 <= 4 && (n%100 < 12 || n%100 > 14)
	}
	switch {
	case one:
		return 0
	case few:
		return 1
	default:
		return 2
	}
}

// before returns the sentence for n who stand before the visitor, with its number.
func (w *words) before(n int) string {
	switch n {
	case 0:
		return w.next
	case 1:
		return w.one
	}
	return strings.Replace(w.ahead, "{n}", w.grouped(n), 1)
}

// label returns the words of the link.
func (w *words) label(k Kind) string {
	switch t := k.traits(); {
	case t.again:
		return w.again
	case t.onward:
		return w.onward
	default:
		return w.start
	}
}

const languages = 10

// catalogue holds every language that the page speaks, English first. The sentences say what happened without naming parts that
// a visitor has never heard of, and promise nothing that Gatehouse does not know.
var catalogue = [languages]*words{&wordsEN, &wordsDE, &wordsFR, &wordsES, &wordsPT, &wordsIT, &wordsNL, &wordsPL, &wordsJA, &wordsZH}
