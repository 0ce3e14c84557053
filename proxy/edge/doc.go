// Package edge owns the sockets that visitors reach: listeners, front ends, drain. A front end turns what it reads into a
// Visitor and hands it to a Handler.
//
// HTTP/1.1 is read by net/http's server. What that costs is known: it forgives bare line feeds, folded lines and a length beside
// chunks without a word, forgets the order of names, forgets the Host field beside a target in absolute form, and answers what
// it cannot read by itself, in plain text. What can be mended from outside is mended here:
//
//	it throws away what a visitor sends while he is answered       full duplex, always
//	it takes a Read that timed out for a visitor who left          visit has a Context of its own
//	it may read on behind a body that broke off                    the connection is spent: nothing on it is a request any more
//	it waits for the rest of a body, and for readers, for ever     every wait has a deadline
//	it ends an aborted answer as it ends one without a length      the connection is reset
//	Shutdown waits five seconds for connections never used         Drain closes them
//
// A Unix socket knows no reset: there an aborted answer to HTTP/1.0 without a length looks whole.
package edge
