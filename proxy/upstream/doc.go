// Package upstream speaks with the backends: pools of them, which one is next, and one exchange with the one chosen.
//
// A Pool is a named set of backends. Claim chooses one that this exchange has not tried, the less loaded of two that chance
// picks, and counts it as busy until Claim.End. Claim.Send carries one request to it and returns as soon as the head of the
// final answer is there; the body follows as it is read.
//
//	Claim          under the pool's lock: choose, count
//	  Send         outside it: connect or reuse, write the request, relay interim answers, read the head
//	  Answer       body, trailers, or the tunnel after an upgrade
//	End            under the lock: give back, learn from what became of it
//
// Which backends are in use is decided in two ways. The health checks ask each one and take it down or bring it up. And the
// results of the claims eject who fails several times in a row while the others do well (EjectSettings.decide); what all fail at
// is nobody's own fault, so nobody is ejected for it and those who are return. One that comes back, or is added, starts slowly.
//
//	           Claim.End: it fails, others do not
//	in use  ------------------------------------->  ejected
//	  ^  ^                                             |
//	  |  +---- time is over: starts slowly ------------+
//	  |  +---- all fail, or it is needed: at once -----+
//	  |
//	  v  health checks; back up: starts slowly
//	 down
//
// Again says what may be sent to another backend, and Pool.Retry how often. Send itself writes a request once: it goes on to
// another connection only where nothing of it left on the one before, where the backend said that it did nothing about it, or
// where a kept one ended under a request that does no harm twice.
//
// What is sent is what came: the request target byte for byte, Host as given, no field added, none moved. An answer that can be
// read in two ways is none.
//
// How a backend is spoken with is in its URL (see way), and an answer does not tell:
//
//	http, https, unix   one exchange at a time on a connection; the wire is proxy/h1's, as strict with backends as with visitors
//	h2c, h2             HTTP/2, many at a time; the protocol is net/http's, connection by connection (see streams), and what an
//	                    exchange by HTTP/1 promises is kept around it (see stream)
//
// By HTTP/1 an exchange is driven by the goroutine that called Send and reads the answer. There is a second one only where a
// request's body is large or of unknown length: it is written while the answer is awaited, since that may come early. Connections
// that wait have no goroutine at all (see idle); each is looked at before it is used again. A connection that begins with a PROXY
// header is its visitor's, and carries one request.
//
// By HTTP/2 net/http has a goroutine for each connection and one for each request. What it does not keep or tell: the order of
// fields of different names; a Trailer line, so that a server which wants trailers announced drops a request's; the rest of a
// request's body once an answer above 299 has begun; and which of several equal Content-Length lines came. A connection is used once
// the backend's settings are there: only then is it known to speak HTTP/2, and how many requests it takes at once.
//
// A backend that was dropped takes its idle connections along, and so does one whose way changes: by other settings, or since
// files of TLS say something else.
//
// What goes wrong is one of few sentinel errors, told apart by what may be done about it: after ErrConnect nothing was sent, and
// after ErrRefused nothing was done, so that any request may go to another backend; after ErrBroken one may that does no harm
// twice; after the others none.
package upstream
