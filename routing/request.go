package routing

import "net/netip"

// Request is what a route is chosen by: a view of one request, filled by a front end and valid until its exchange ends.
//
// The zero value matches only routes that demand nothing. A Request is not safe for concurrent use while it is being
// filled; reading it concurrently is fine.
type Request struct {
	Method  string     // as it came, case and all (RFC 9110 section 9.1: methods are case-sensitive)
	Host    string     // lower case, without the port
	RawPath string     // the path as it came, undecoded: what a backend will be sent
	Path    string     // the canonical reading of RawPath, see Canonical; what routes match on
	Query   string     // raw, without the question mark
	Client  netip.Addr // the visitor's own address, after trusted proxies were walked; invalid when unknown
	Fields  Fields     // the header; nil is an empty one
}

// Fields is a header that can be looked at and not changed. Whoever stores headers implements it over what they have, so
// that looking costs no allocation.
type Fields interface {
	// Field returns the i-th value of the field with that canonical name (RFC 9110: "Accept-Language"), counted from 0,
	// and false past the last.
	Field(name string, i int) (string, bool)
}
