// # Several Gatehouses before one store
//
// Each Gatehouse has a Monitor of its own and believes its own checks. Nothing needs them to agree, and they tell each other nothing:
// what one saw is in its own Status. This is the model of what they can disagree about, and for how long. The terms: I is
// Settings.Interval, T the Timeout, d how long a probe takes that is answered, g the 5 ms between probes, R and A are Rise and After, w
// the wait before the next check of a store that was impaired (I where it answered, a second at most where it could not be reached), L
// the greatest difference between the times at which two of them see the same change, and H is HoldTo.
//
// Let the store change for the last time, and stay as it is then. A Gatehouse that believes it to be open has begun its next check
// after I, or when the one that was under way has ended:
//
//	closes within  C = max(I, T+g) + max(2d+g, 3T+2g)    two refusals, or three of five where it hangs
//
// One that believes it to be impaired makes its next check after w, or when the probe that hung has ended, and needs R good ones in a
// row over A, which fall into the raster of I:
//
//	opens within   O = T + w + max((R-1)·I, A+I) + d
//
// So all of them treat everything but sign-ins alike from
//
//	B = max(C, O) + L
//
// after the last change on: 1.8 s with the settings of the surface (I 100 ms, T 200 ms, R 3, A 500 ms) where the store could not be
// reached, and 0.9 s where it answered all the time. A store that stays as it is for longer than B
// between two changes has them disagree for at most B each time. One that changes
// faster may have some of them catch it and others not: a Gatehouse that met a refusal of 20 ms keeps closed for O, and its neighbour never
// noticed. They may then disagree for as long as the store goes on so, and B beyond. Both are right by what they saw: whoever is
// let in is so by a check that worked.
//
// About sign-ins they may disagree for H longer, because each counts the closures that it saw by itself, and holds for as long as these say; and
// then for the length of the ramp about how many are let in, since each runs a ramp of its own. N Gatehouses let N times its rates in: the
// rates of the file are those of one.
//
// What a visitor sees whom a balancer sends to one and to the other while they disagree, request by request: from the one that holds the store to
// be open what its app answers, from the other the page, whose Retry-After is longer than B by default. He is never signed out by it: to
// deliver an answer that would do so takes a check that began after the answer, by the Gatehouse that delivers it (Look). His sign-in is
// let in by a check that began after it came, by the Gatehouse that it came to (Verdict), so one that is let in meets a
// store that took a write a moment ago, whatever the others think. A reload of the page costs him nothing but the next page.
//
// And what they cost the store: one that nobody asks begins a check each I, which takes one probe, two where it is refused, and
// at most five where it hangs; where it cannot be reached, one a second. No demand makes any of them begin two probes within g of each
// other. Fifty ask a store that is well 50/I times a second, five hundred with I 100 ms.
//
// The tests of Gatehouses before one store run this in virtual time, two and fifty of them, on stores that change slowly and fast, seen at once and
// at different times, and hold what is seen against these bounds.
package store
