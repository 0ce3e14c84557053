package line

const (
	sets = 1 << 14
	ways = 8
)

// uses counts how often ids were used, in a bounded space: of about 130,000 ids, the ones that came last. Where it is full the
// oldest of those that fall together is forgotten. An id is known by 42 of its mixed bits, so one in half a billion is taken
// for another.
type uses [sets][ways]uint32 // 28 bits of an id, 4 bits of its count; zero: free

// take counts one use of an id and says whether it was within most, which is at most 15.
func (u *uses) take(id uint64, most uint32) bool {
	set, key := u.find(id)
	for i, c := range set {
		if c>>4 == key && c != 0 {
			if c&15 >= most {
				return false
			}
			set[i]++
			return true
		}
	}
	copy(set[1:], set[:ways-1])
	set[0] = key<<4 | 1
	return true
}

// has says whether an id was used.
func (u *uses) has(id uint64) bool { return u.count(id) > 0 }

// count says how often an id was used.
func (u *uses) count(id uint64) uint32 {
	set, key := u.find(id)
	for _, c := range set {
		if c>>4 == key && c != 0 {
			return c & 15
		}
	}
	return 0
}

func (u *uses) find(id uint64) (set *[ways]uint32, key uint32) {
	id = mix(id)
	return &u[id%sets], uint32(id >> 36)
}

// mix spreads what tells ids apart over all of their bits.
func mix(id uint64) uint64 {
	id = (id ^ id>>30) * 0xbf58476d1ce4e5b9
	id = (id ^ id>>27) * 0x94d049bb133111eb
	return id ^ id>>31
}
