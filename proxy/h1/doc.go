// Package h1 is the HTTP/1 wire (RFC 9110, RFC 9112): heads, the framing of bodies, chunks, and how they are written. Both sides
// of the proxy use it.
//
// It knows no sockets and no policy beyond the standard made strict: what can be read in two ways is refused, each with a
// Refusal of its own. What it accepts it hands out as views of the caller's bytes, and it allocates nothing for a message that
// fits in the room it had before.
//
//	RequestHead.Parse, AnswerHead.Parse   a head, as soon as it is whole
//	Chunks.Next                           a chunked body, as it comes
//	AppendRequest, AppendAnswer           a head, in one go
//	AppendChunkHead, AppendLastChunk      a chunked body
//
// The loop over interim answers, what CONNECT and TRACE mean, whether Host agrees with the target, unknown expectations, and
// which lines may be passed on are the caller's.
package h1
