// Package store knows what the session store can do right now.
//
// A Monitor asks one Prober, in checks, and publishes verdicts. What the checks say (course):
//
//	                 one good probe
//	     unknown ───────────────────────► writable ◄──────► strained
//	      ▲  │                              ▲   │   3 of 5 late, or near a limit / Rise in time, or away from it
//	      │  │ confirmed                    │   │ confirmed
//	our   │  ▼                  Rise over   │   ▼
//	fault └─ read-only ─────────────────────┴── read-only
//	          ▲  │                After         ▲  │
//	          │  │ confirmed                    │  │ confirmed
//	     Rise │  ▼                         Rise │  ▼
//	         down ──────────────────────────────── down ──► unknown, by trials
//
// And what is acted on (effect), the first that holds:
//
//	override     a person set the state, for at most four hours
//	hold-down    the store is well, but closed twice or more in ten minutes: read-only for sign-ins, 30 s, doubling to 5 min
//	reports      the store is well or unknown, but enough apps say that it takes no writes: read-only for sign-ins, while they say so
//	the checks   with a ramp after whatever closed it
//
// A check is one probe or, if its evidence is worse than what is believed, its confirmations too, 5 ms apart: a definite
// refusal counts when the next probe is definite as well, anything else when three of five are bad. So closing takes
// milliseconds where the store says no, and a stall shorter than three deadlines costs nobody a page. What was measured
// while this process itself was not scheduled does not count and is measured again.
//
// Requests join checks, never probes, and only checks that begin after they came: permission is never older than the wish.
// While the store is impaired nobody waits to be refused, and a check that closes releases every waiter at once. What an app
// answered is judged by the checks alone (Look, Verdict.Observed), whatever a person said.
//
// Opening is slow on purpose: Rise good probes in a row over at least After, and then, if the store had been impaired, a
// ramp (Verdict.Opened) that is computed when a verdict is read and needs no timer. A store that lost its content
// (Evidence.Lost) stays writable and begins the ramp anew.
//
// The prober may be wrong. Where it says so itself (Evidence.State is Unknown: a credential that is refused, a command the
// server does not have) an open state stands, and an impaired one becomes unknown, with the ramp. Where it finds the store
// down for a reason that may lie on its own way, two reads a second are let through as trials; twenty in a row that worked over
// ten seconds make the state unknown, and three of the latest ten that failed take that back. Our misconfiguration sheds nobody; either
// way the cause says so.
//
// A store may take no new connections (no slot is left, its certificate has ended) and serve those who have one, the prober
// among them. So the check that judges a doubted answer (Look) tries a new connection too, and answers that were doubted for it
// close the store: see newcomer.go.
//
// Strain is seen before failure: in the latency of the canary, and in what the server says of itself (Vitals). The resource with
// the least headroom is named.
//
// Several Monitors may stand for one store, as a Group: the shards of a cluster, the members of an active-active store. Each checks its
// own part by all of the above; what is acted on is made of their verdicts, at each publication of one of them:
//
//	override     a person's word about the whole store, which every part obeys, too
//	the parts    the verdict of the Require-th best: any of them, all of them, or so many; with a ramp after whatever closed it
//	reports      about the whole store, where that leaves it open
//
// A Group has no hold-down of its own: a part that keeps failing is held, and with it what cannot do without it, while parts that fail one
// after the other, once each, are a restart going round. Its parts may come too far apart (Divergence), which has answers looked at.
//
// One goroutine, owned by the Monitor, probes and decides; publish is the one place where a standing changes hands. Everybody
// else reads one atomic pointer.
package store
