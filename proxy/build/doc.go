// Package build puts the operator's words into the domain's.
//
//	config.Config ── Living.Plan ──> Plan ── Commit ──> a new Runtime is live, what it dropped retires
//	                  may fail           └── Discard ─> as if nothing had been
//	                  touches nothing that lives
//
// Config and state are two things. Living is the state: pools, quotas, the store's monitor, listeners. It goes by identity: a
// pool and a backend by name and URL, a quota by name and kind of key, the store by endpoint, database and user, a listener by
// address. What keeps its identity keeps its state and only gets new settings; permits are never revoked. What is new is made
// by Plan, so that all that can go wrong goes wrong there, and what is gone is closed when the last exchange that could use it
// has ended.
package build
