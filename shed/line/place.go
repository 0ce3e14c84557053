package line

import "time"

// Place is what a visitor carries who was turned away: it says where he stands, and nothing is kept about him here. The zero
// value is that of somebody who was never turned away. It is signed and bound to its visitor by whoever hands it out; what
// does not bear that test must come here as the zero value.
type Place struct {
	Seen time.Time // when he was first turned away, by the clock of the Gatehouse that did it
	ID   uint64    // tells places apart; zero: no place
}

// Turn is what becomes of a sign-in.
type Turn struct {
	Enter   bool          // it may go on
	Counted bool          // Enter: it took one of the places of a ramp; outside of one nobody does
	Admit   bool          // Enter: he should be given an admission, with which he goes on here or at a neighbour that still lets in by a ramp
	Wait    time.Duration // otherwise: when to come again, in whole seconds, spread over the herd already: tell him exactly this
	Ahead   int           // otherwise: about how many stand before him; -1 where nobody can tell
	Place   Place         // otherwise: what the visitor is to carry from now on, which may differ from the place he came with
	Kept    bool          // the place he came with was good, and his turn is reckoned from it
}

// Settings is the shape of a ramp and the bounds of a wait. With Over zero or less there is no ramp, and everybody enters once
// the store is open.
type Settings struct {
	From, To         float64       // admissions per second when the ramp begins and ends; the least that counts is one a minute
	Over             time.Duration // how long it climbs
	MinWait, MaxWait time.Duration // how soon (while closed) and how late a visitor is told to come again; zero: 5 s and 60 s
}

// Load says what a line is doing.
type Load struct {
	Active   bool      // the store is closed, or a ramp is in force
	Closed   bool      // the store is closed: nobody enters
	Rate     float64   // admissions per second now; +Inf where there is no ramp, 0 while the store is closed
	Waiting  int       // about how many people stand in line
	Admitted uint64    // how many entered by a ramp, since New
	Halved   int       // how often the rate was halved in this closure
	Since    time.Time // when this closure began, as far as is known here; zero where none is Active
	Ends     time.Time // when the ramp has climbed to its end; zero while closed and where none is Active
}
