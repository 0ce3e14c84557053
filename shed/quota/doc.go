// Package quota bounds how often each caller may ask, in memory that is bounded however many callers come.
//
// Every key has a bucket (golang.org/x/time/rate): it holds Burst events and fills at Rate. A full bucket says nothing that
// a new one would not, so dropping it loses nothing; only full buckets are ever dropped. Therefore nobody can get rid of his
// own limit, or of anybody else's, by coming under many names: where the table is full of buckets that still hold a debt,
// new keys share a few spill buckets until places fall free, and known keys keep their own.
//
// The table is cut into shards, each with its own lock. The keys of one IPv6 /48 fall into one shard and share one spill
// bucket, so that whoever owns one network can fill a sixteenth of the table and no more.
//
// # Together with others
//
// Where several Gatehouses stand side by side, a quota can be counted in a Redis of its own (Shared). Each event is counted
// here first, and where there is room here it is counted there, in one round trip:
//
//	here refuses                        refused; the store is not asked
//	the store lets through              passes; counted here and there
//	the store refuses                   refused; taken back here, and not asked again for up to 100 ms
//	no answer in time, or known away    Take: passes. TakeStrictly: passes if a second, smaller bucket has room
//
// So the store never decides alone: whatever it loses, nobody gets more out of one process than the quota; and it is never
// needed: whatever it does, nobody waits longer than Timeout, hardly anybody waits at all (while it is away nobody does: a
// goroutine of its own tries it), and nobody is refused for it, except that signing in is limited more strictly meanwhile.
// Without that, as many Gatehouses as there are would let through as many times as many guesses at a password. The smaller
// bucket is counted all along, too, so that an outage is no new burst for it either.
//
// A store that is read-only, full, loading or busy, that does not take our password or has no right to run the script is
// away as well, like one that hangs or is gone; Status says which.
package quota
