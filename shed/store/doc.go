// Package store knows what the session store can do right now.
//
// A Monitor asks one Prober, in checks, and publishes verdicts:
//
//	                 one good probe
//	     unknown ───────────────────────► writable ◄──────► strained
//	      ▲  │                              ▲   │   3 of 5 late / Rise in time
//	      │  │ confirmed                    │   │ confirmed
//	our   │  ▼                  Rise over   │   ▼
//	fault └─ read-only ─────────────────────┴── read-only
//	(ramp)   ▲  │                After, then    ▲  │
//	         │  │ confirmed      the ramp       │  │ confirmed
//	    Rise │  ▼                          Rise │  ▼
//	         down ──────────────────────────────── down
//
// A check is one probe or, if its evidence is worse than what is believed, its confirmations too, 5 ms apart: a definite
// refusal counts when the next probe is definite as well, anything else when three of five are bad. So closing takes
// milliseconds where the store says no, and a stall shorter than three deadlines costs nobody a page. What was measured
// while this process itself was not scheduled does not count and is measured again.
//
// Requests join checks, never probes, and only checks that begin after they came: permission is never older than the wish.
// While the store is impaired nobody waits to be refused, and a check that closes releases every waiter at once.
//
// Opening is slow on purpose: Rise good probes in a row over at least After, and then, if the store had been impaired, a
// ramp (Verdict.Opened) that is computed when a verdict is read and needs no timer. A store that lost its content
// (Evidence.Lost) stays writable and begins the ramp anew.
//
// Where the prober itself is at fault (Evidence.State is Unknown: a credential that is refused, a command the server does
// not have) an open state stands, and an impaired one becomes unknown, with the ramp: our misconfiguration sheds nobody.
// Either way the cause says so.
//
// One goroutine, owned by the Monitor, probes, decides and calls back. Everybody else reads one atomic pointer.
package store
