// Package edge owns the sockets that visitors reach: listeners, front ends, drain. A front end turns what it reads into a
// Visitor and hands it to a Handler.
//
// HTTP/1 is read by a front end of our own on package h1, which refuses whatever can be read in two ways:
//
//	conn.serve   one goroutine for each connection, and all that an idle one costs
//	await        waits for the first bytes of a request without a buffer to put them in
//	readHead     reads the head, in bounded time and memory; what h1 refuses gets a small answer, and the connection ends
//	exchange     hands the visit to the Handler, ends the message, and says whether the connection goes on
//
// What a request needs, buffers and all, is a visit, which connections share: an idle connection has none. The strings of a head
// are views of bytes that are never written again, so that whoever keeps one too long keeps memory, and not another visitor's
// words.
//
// Nothing is waited for without a bound: heads have a time as a whole, bodies and answers a pace, the rest of a body that nobody
// wanted a size and a time.
//
// A Unix socket knows no reset: there an aborted answer to HTTP/1.0 without a length looks whole.
package edge
