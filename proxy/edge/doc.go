// Package edge owns the sockets that visitors reach: listeners, front ends, drain. A front end turns what it reads into a
// Visitor and hands it to a Handler.
//
// HTTP/1.1 is read by net/http's server. What that costs is known: it forgives bare line feeds, folded lines and a length beside
// chunks without a word, forgets the order of names, and answers what it cannot read by itself, in plain text.
package edge
