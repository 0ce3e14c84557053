// Package probe tries a Redis-compatible session store with a canary: it writes a value and reads it back, as the apps do.
//
// One probe is one pipeline on one connection: GET of the long-lived canary, SET of a fresh value, GET of it again. What the
// first command meets is what reads meet, what the second meets is what writes meet, so a store that only reads is told
// from one that does neither. Replies are told apart by their first word alone: Valkey and others word the rest differently.
//
// The canary tells a store that came back empty. Each Redis plants its own, under a key with a random part, with a value
// only it knows, once a write is accepted; so several Gatehouses with one prefix, even with one instance name, never see
// each other's. It lives for 30 days, renewed each hour by SET XX, which cannot plant a lost one again. Missing or different,
// it is reported lost once, and a new one is planted by a later probe. What planting meets says nothing of the store's state.
//
// # How go-redis is used
//
// go-redis speaks the protocol, and nothing else. Its pool answers from memory after failed dials, its retries hide
// refusals, its reads do not watch a cancelled context, and it logs each failed dial through a global logger. So every
// connection here is a link: dialled by this package, handed to a client of its own that never dials again, and cut by
// closing the socket. Nothing of a failure survives in the library, and it has nothing to log, so the global logger is
// left as it is. (What it could still log is a server that sends more than it was asked for.)
//
// # Late answers
//
// A probe returns at its deadline, whatever DNS, dial or server do. What had not answered by then goes on in the background,
// one at a time and for at most two seconds. If it does answer, the store is slow and not hung, and the link is kept:
// otherwise a store whose connections take longer to set up than the deadline would never be reached again.
//
// A link is renewed in the background, beside the old one, once a minute, and once a second while the store refuses writes
// as a replica: the name may lead to another server by now.
package probe
