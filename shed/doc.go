// Package shed decides who is let through, in small pure functions over small values.
//
// State, Cause and Verdict say what the session store can do; Need what a route wants of it. Decide judges a request at the
// door, Answer judges what a backend answered and what of it is held, so that an outage signs nobody out. Both return their reason,
// whose word stands in the log, on the admin page and in the visitor's Gatehouse-Outcome field. GivesWay says who has to leave a full
// pool because he himself is slow.
//
// Gate and Permit bound how much of a pool is in use. Class says how much a request matters, Shares what each class is
// guaranteed; the rules are in the comments of turns (whose turn it is), mayGrow and admits (what guests of another pool get),
// queue (calm and overload) and measure (how an adaptive limit is found), each a decision without a clock of its own.
//
// Nothing here does I/O or knows net/http, so that all of it can be tested by table, fuzzed and simulated in virtual time.
package shed
