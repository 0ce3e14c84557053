// Package edge owns the sockets that visitors reach: listeners, TLS, front ends, drain. A front end turns what it reads into a
// Visitor and hands it to a Handler.
//
//	conn.serve   one goroutine for each connection, and all that an idle one of HTTP/1 costs
//	begin        a PROXY header where there must be one, and the TLS handshake
//	await        HTTP/1: waits for the first bytes of a request, without a buffer to put them in where there is no TLS
//	readHead     reads the head, in bounded time and memory; what h1 refuses gets a small answer, and the connection ends
//	exchange     hands the visit to the Handler, ends the message, and says whether the connection goes on
//	serveStreams HTTP/2: all of a connection, with a goroutine for each of its streams
//
// HTTP/1 is read by a front end of our own on package h1, which refuses whatever can be read in two ways. What a request needs,
// buffers and all, is a visit, which connections share: an idle connection has none. The strings of a head are views of bytes
// that are never written again, so that whoever keeps one too long keeps memory, and not another visitor's words.
// A connection's context, and that of the exchanges on it, is a Life: there is one for every request, so it must cost little.
//
// HTTP/2 is read by the server of golang.org/x/net/http2, by ALPN or from those who begin with it, and a stream is a Visitor on
// top of it. It is the code that is in net/http, which its authors would rather see used. But net/http's server takes no
// connection from a goroutine that it did not start, looks into no TLS but its own, and cannot be told to end a connection with
// ENHANCE_YOUR_CALM; here whatever passes between the library and the socket goes through streams, which follows the frames
// and says when it is enough. What the library lets through and HTTP/1 would not, stream.read refuses. Of what the library
// refuses by itself (malformed heads are reset, fields of the connection and heads far too large get an answer of its own)
// nobody hears. Announced trailers of a request are kept, others it drops; and an unknown expectation beside 100-continue, too.
//
// Nothing is waited for without a bound: handshakes and heads have a time as a whole, bodies and answers a pace, the rest of a
// body that nobody wanted a size and a time. On HTTP/2 whatever a visitor does that brings neither a request nor a body on its
// way has a budget for each connection (see credit).
//
// A Unix socket knows no reset: there an aborted answer to HTTP/1.0 without a length looks whole.
package edge
