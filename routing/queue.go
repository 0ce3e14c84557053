package routing

import "sort"

// queue is lists of entries, none of them empty and each in the table's order, such that the first entry of the first list
// stands before all others in the table: a heap. Lists are views; those of the index are never changed.
type queue [][]entry

func (q queue) before(i, j int) bool { return q[i][0].at < q[j][0].at }

// join adds a list.
func (q queue) join(l []entry) queue {
	q = append(q, l)
	for i := len(q) - 1; i > 0; {
		above := (i - 1) / 2
		if !q.before(i, above) {
			break
		}
		q[i], q[above] = q[above], q[i]
		i = above
	}
	return q
}

// run returns the entries of the first list that stand before those of all others; at least one.
func (q queue) run() []entry {
	l := q[0]
	n := len(l)
	for _, other := range q[1:min(3, len(q))] {
		if l[n-1].at > other[0].at {
			n = 1 + sort.Search(n-1, func(i int) bool { return l[i+1].at > other[0].at })
		}
	}
	return l[:n]
}

// skip takes the first list's first n entries away.
func (q queue) skip(n int) queue {
	if q[0] = q[0][n:]; len(q[0]) == 0 {
		last := len(q) - 1
		q[0] = q[last]
		q = q[:last]
	}
	for i := 0; ; {
		least := i
		for below := 2*i + 1; below <= 2*i+2 && below < len(q); below++ {
			if q.before(below, least) {
				least = below
			}
		}
		if least == i {
			return q
		}
		q[i], q[least] = q[least], q[i]
		i = least
	}
}
