package store

import (
	"context"
	"slices"
	"time"
)

// Part is one of the things that a Group watches: a shard of a cluster, a member of an active-active store.
type Part struct {
	Name string // of its own among the parts of a store; never empty
	// Prober follows the part wherever it goes: what a failover within the part moves is its affair. Whoever takes the Part in owns it.
	Prober Prober
}

// Finder finds the parts of a store that change by themselves, such as the shards of a cluster. All its methods may be called
// concurrently.
type Finder interface {
	// Parts returns the parts that there are now, and a channel that is closed when it would return something else; nil where it
	// never will. A part that stays has the same Name, and its Prober is made once: a Part whose Name the caller has already may have
	// a nil Prober. One whose Name is new, or came back after a call that did not list it, has one. Nothing is waited for.
	//
	// A Finder that cannot find out what there is goes on to say what it last knew. One that never knew says nothing, or that there
	// is one part whose Prober says what is wrong: a store of no parts is unknown, and nobody is shed for it.
	Parts() (parts []Part, changed <-chan struct{})
	// Of returns the name of the part that holds a key, as far as it is known; the part need not be among Parts any more, or yet.
	// It neither waits nor allocates: it is asked once for each request.
	Of(key string) (name string, ok bool)
	// Close releases what the Finder holds beside the Probers that it has given away. It is called once, after the last Parts.
	Close() error
}

// Beater is what the Prober of a part may also be, where parts copy what they hold to each other: it makes a heartbeat, from which a
// Group tells how far they have come apart.
type Beater interface {
	// Beat writes, at the part named own, that its heart beats now, and returns what the part shows of others: for each of them, in
	// their order, the moment of the latest heartbeat of it that has come here, by the clock of whoever wrote it; the zero time where
	// none ever has. A part that can be read and not written returns both, what it shows and an error; one that cannot be
	// read returns nil. Under which keys it does so is its own matter; heartbeats must not end by themselves sooner than in an hour.
	//
	// It returns by ctx's deadline, and at once when ctx is cancelled. It is called beside Probe and Greet, but never beside another
	// Beat of the same Beater, and never after Close has been called.
	Beat(ctx context.Context, own string, others []string) (seen []time.Time, err error)
}

// Fixed returns a Finder of parts that never change, such as the members of an active-active store. It knows of no key where it is.
func Fixed(parts ...Part) Finder { return fixed(slices.Clone(parts)) }

type fixed []Part

func (f fixed) Parts() ([]Part, <-chan struct{}) { return slices.Clone(f), nil }

func (f fixed) Of(string) (string, bool) { return "", false }

func (f fixed) Close() error { return nil }
