// Package upstream speaks with the backends: pools of them, which one is next, and one exchange with the one chosen.
//
// A Pool is a named set of backends. Claim chooses one that this exchange has not tried, the less loaded of two that chance
// picks, and counts it as busy until Claim.End. Claim.Send carries one request to it and returns as soon as the head of the
// final answer is there; the body follows as it is read.
//
//	Claim          under the pool's lock: choose, count
//	  Send         outside it: connect or reuse, write the request, relay interim answers, read the head
//	  Answer       body, trailers, or the tunnel after an upgrade
//	End            under the lock: give back, note what went wrong
//
// What is sent is what came: the request target byte for byte, Host as given, no field added. Connections are net/http's
// Transport, one for each backend, so that a backend that was dropped takes its idle connections along.
//
// What goes wrong is one of few sentinel errors, told apart by what may be done about it: ErrConnect is the only one after
// which another backend may be tried, since nothing was sent.
package upstream
