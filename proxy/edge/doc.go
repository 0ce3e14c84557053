// Package edge owns the sockets that visitors reach: listeners, front ends, drain. A front end turns what it reads into a
// Visitor and hands it to a Handler.
package edge
