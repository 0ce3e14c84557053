package admin

import "slices"

// wholes are the stores that are no part of another.
func wholes(all []Store) []Store { return parted(all, false) }

// parts are the shards, or the members, of stores that have some.
func parts(all []Store) []Store { return parted(all, true) }

func parted(all []Store, part bool) []Store {
	return slices.DeleteFunc(slices.Clone(all), func(s Store) bool { return (s.PartOf != "") != part })
}
