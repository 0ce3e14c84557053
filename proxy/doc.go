// Package proxy is the path of a request through Gatehouse.
//
//	edge               accept, read a head             -> Visitor
//	Handler.Serve      begin an exchange               one log line, one set of metrics at its end
//	  pin              one Runtime for the whole exchange
//	  intake           refuse what cannot be read in one way; an id that was       rejected
//	                   signed out is taken away
//	  match            Table.Match -> Route; and the class, by what is proved      rejected: no route, or two
//	  decide           Monitor.Verdict, fresh enough; shed.Decide; the overflow    degraded
//	                   pool's store, also for a session that it alone keeps; a
//	                   trial, or hold it for as long as the route hopes
//	  charge           quotas, given back unless something was sent                limited
//	  lineUp           sign-ins after a closure, but for those let in before       lined_up
//	  enter            the slow give way; Gate: own, overflow, or queue for both;  shed
//	                   decide again
//	  ask              Pool.Claim, send, and again where that is safe; cancelled   error
//	                   when the store closes
//	  judge            shed.Answer: deliver, look at the store first, or the page; converted
//	                   where a session is denied, a second opinion of the
//	                   overflow pool's app;
//	                   the guard takes out what would sign the visitor out; a proof
//	                   or an admission goes along
//	  deliver          commit the head, then only copy                             proxied
//	  fail             the one place where an error becomes an answer: the page,
//	                   or a sign-out that the app could not carry out
//
// A Runtime is everything that the file says, built whole and only read; what lives longer than a file (pools, the store's
// monitor, quotas) is state that a new Runtime points to again. Handler holds one Runtime and swaps it; each exchange pins the
// one it began with, and what a reload dropped is closed when the last of them has ended.
//
// The Monitor that is asked is that of the pool's store, which may be one of several (see Store): a member's, or that of the shard which
// keeps the session that the request carries.
//
// The rooms of this package know nothing of each other: edge has the visitors' sockets, intake what is believed, upstream the
// backends, record the log and the metrics, admin the operator's door; build puts the words of the file into all of them.
package proxy
