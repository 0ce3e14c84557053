// Package line lets sign-ins back in after the session store was closed: at a climbing rate instead of all at once, and who
// waited longest first.
//
// A store that comes back is met by everybody who was turned away. Reads it can take; sign-ins are the dear ones, and the herd
// of them knocks it over again. A Line is told when the store closed and when it opened (Close, Open) and is asked about each
// sign-in (Enter, and TurnedAway while the store is closed). It has no clock and no goroutine of its own: every call says what
// time it is.
//
// Three parts do the work, and each can be wrong without harm to the ones before it:
//
//   - ramp bounds how many enter, whatever else is decided. It halves when sign-ins regress (health) and stays at its end
//     until the line has drained, so that there is no stampede of those who are left.
//   - frontier, order and crowd decide whose turn it is, from what does not grow with the crowd: how many were first turned
//     away before a moment, how many of them have been called, and how many of all of them are people who come back.
//   - a visitor is told to come when it will be his turn. While the store is closed nobody knows when that is, so he is told
//     to come when it would be if the store opened at once: whenever it does open, he is back in time. Only those whose turn
//     is sooner than the shortest wait come late, by that wait at most. Where it is known when the store opens, everybody is told
//     his turn after that.
//
// Nothing is kept about a visitor but what he carries (Place), except the ids of those who entered and of those who were told when
// to come, in a bounded space (uses, promises). Whoever comes before he was told to is the same one all the same: he is told the same
// again, and his turn is three seconds later than by his place, so that it does not pay to hammer. At few admissions a second nearly
// a fifth of the ramp lies unused, since people come at whole seconds and credit is not kept; visitors are told to come that much
// later (pace), or most would come too soon and more than once.
//
// A process that was started in the middle of a ramp knows of none. The first place that somebody shows to it within five minutes
// begins one (restart). For a minute after its start and after each closure everybody should have an admission (Turn.Admit), since
// its neighbours may still have a line.
//
// A
// place thrown away is a place at the end; a place forged comes here as none; a place used is used up; a place of an earlier
// closure is none. What this cannot tell is one visitor who was turned away under many addresses from many visitors.
//
// Several Gatehouses side by side each have a Line, each with its own rate. They need not talk: a place says when somebody was
// first turned away, and each Line calls by that, at a pace it reckons from those who come to it. A place that is shown to two
// of them is good once at each.
//
// Two plainer ways were tried and are not here. A share of no-shows measured at the threshold says nothing while more come
// than may enter, and one share for the whole line calls too many at its front when the bots came later: so the crowd is
// counted by when it was told to come and where it stands. And a threshold that only moves forward, called too far once, lets
// a thousand compete for each place in no order for minutes: so it goes back by one for each who came in vain.
package line
