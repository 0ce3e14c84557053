package record

// Guard is what the session guard did with one exchange. The zero value is GuardPassed. Its words are a metric label, and
// what an Entry's Guard holds.
type Guard uint8

const (
	GuardPassed        Guard = iota // an answer that ends a session was let through: the store could be believed; also a Guard out of range
	GuardDeletionHeld               // a cookie's deletion was taken out of an answer
	GuardChangeHeld                 // so was a cookie's other value
	GuardConverted                  // an answer that would have signed somebody out became the page
	GuardSignedOut                  // Gatehouse ended the session on this device, since the app could not
	GuardRefused                    // a request with an id that had been signed out was refused
	GuardSecondOpinion              // an answer that denied the session gave way to that of the overflow pool, which knew it
	guards
)

var guardWords = [guards]string{
	GuardPassed: "passed", GuardDeletionHeld: "deletion_held", GuardChangeHeld: "change_held", GuardConverted: "converted",
	GuardSignedOut: "signed_out", GuardRefused: "refused", GuardSecondOpinion: "second_opinion",
}

// String returns the word of the surface.
func (g Guard) String() string {
	if g < guards {
		return guardWords[g]
	}
	return guardWords[GuardPassed]
}

// Guard counts what the session guard did.
func (r *Recorder) Guard(action Guard) {
	if action >= guards {
		action = GuardPassed
	}
	r.guards.each[action].Inc()
}

func newGuards() tally {
	return newTally("gatehouse_session_guard_total", "What the session guard did with answers and requests.", "action", guardWords[:])
}
