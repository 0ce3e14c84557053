package page

import "strings"

// language chooses from the catalogue for an Accept-Language field, and returns its index. The highest quality wins, then the
// earlier; regions and scripts are looked past ("de-AT" is "de"); "*" is English; so is a visitor whose languages we lack.
func language(field string) int {
	if field == "" {
		return english
	}
	// Position breaks ties: browsers list what is preferred first.
	var q, at [languages]int
	n := 0
	members(field, func(value string, quality int, _ bool) {
		n++
		i := english
		if value != "*" {
			primary, _, _ := strings.Cut(value, "-")
			if i = find(primary); i < 0 {
				return
			}
		}
		if quality > q[i] {
			q[i], at[i] = quality, n
		}
	})
	best := -1
	for i := range q {
		if q[i] > 0 && (best < 0 || q[i] > q[best] || q[i] == q[best] && at[i] < at[best]) {
			best = i
		}
	}
	return max(best, english)
}

// english is the first of the catalogue.
const english = 0

func find(primary string) int {
	if len(primary) != 2 {
		return -1
	}
	for i := range catalogue {
		if strings.EqualFold(catalogue[i].tag, primary) {
			return i
		}
	}
	return -1
}
