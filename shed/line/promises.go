package line

import "time"

const (
	shelves = 1 << 14
	spaces  = 8
	tick    = time.Second / 16 // how exactly a promise is remembered
)

// promises remembers when visitors were told to come, by the ids of their places, in a bounded space: of about 130,000 of them.
// Where it is full, the one told first is forgotten of those that fall together, and those who never came back before the others:
// a flood of visitors who throw their places away does not push out those who keep theirs. Who is forgotten is taken for somebody
// who comes when he was told to.
type promises [shelves][spaces]promise

// promise is when somebody is to come.
type promise struct {
	key uint32 // 32 bits of his mixed id; zero: free
	due uint32 // ticks since the zero of the closure, and in the lowest bit whether he was turned away for the first time
}

func (p promise) at() time.Duration { return time.Duration(p.due>>1) * tick }
func (p promise) fresh() bool       { return p.due&1 != 0 }

// early says whether somebody who was promised that comes before it.
func (p *promise) early(at time.Duration) bool { return p != nil && p.at() > at+tick }

func (p *promise) set(at time.Duration, fresh bool) {
	p.due = uint32(min(max(at, 0)/tick, 1<<31-1)) << 1
	if fresh {
		p.due |= 1
	}
}

// find returns what the one with this id was told; nil: nothing is known.
func (b *promises) find(id uint64) *promise {
	shelf, key := b.shelf(id)
	for i := range shelf {
		if shelf[i].key == key {
			return &shelf[i]
		}
	}
	return nil
}

// put notes that the one with this id, of whom nothing is known, is to come then.
func (b *promises) put(id uint64, at time.Duration, fresh bool) {
	shelf, key := b.shelf(id)
	from := 0
	if fresh {
		from = spaces / 2
		for i := range from {
			if shelf[i].key == 0 {
				from = i
				break
			}
		}
	}
	copy(shelf[from+1:], shelf[from:spaces-1])
	shelf[from] = promise{key: key}
	shelf[from].set(at, fresh)
}

func (b *promises) shelf(id uint64) (shelf *[spaces]promise, key uint32) {
	id = mix(id)
	return &b[id%shelves], uint32(id>>32) | 1
}
