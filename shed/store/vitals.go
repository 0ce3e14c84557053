package store

import "time"

// Vitals are what a server says of itself (INFO). A number that it does not say is zero, and so is what is not known: a
// managed store may say nothing at all.
type Vitals struct {
	MemoryUsed, MemoryMax uint64 // bytes; Used without what does not count for eviction. Max 0: no limit is known.
	// Refuses says that a full store refuses writes: its policy is noeviction, or it evicts only keys that expire and has none.
	Refuses bool
	Evicted uint64 // keys, since the server started

	Clients, ClientsMax uint64
	Rejected            uint64 // connections that found no slot, since the server started

	// Replicated says that the server takes writes only with enough good replicas (min-replicas-to-write); Good is how many
	// there are, Lag the worst of those that are online.
	Replicated bool
	Good       int
	Lag        time.Duration

	SaveFailed bool   // the last dump to disk, rewrite or write of the append-only file failed
	Delayed    uint64 // fsyncs of the append-only file that were late, since the server started
}
