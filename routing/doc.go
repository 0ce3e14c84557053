// Package routing says which route a request takes, and why.
//
// A Table holds rules in the operator's order; the first that matches wins. It is built once and then only read.
//
// # The canonical reading
//
// Rules match on the canonical reading of a path (Canonical): every percent escape is decoded once, except %2F and %25,
// which stay, in upper case; then runs of slashes become one; then dot segments go (RFC 3986 section 5.2.4). Keeping %2F
// and %25 makes it reversible enough to be its own canonical reading, and keeps /projects/group%2Fname apart from
// /projects/group/name. Slashes are merged before dots are resolved because that is what nginx and path.Clean do, and they
// are what most apps stand behind.
//
// # Other readings
//
// A backend may read the same bytes in another way, and then Gatehouse would guard one route while the backend serves
// another. So Match also asks which route the other plausible readings take. They are all combinations, in the order in
// which real servers do them, of: decoding not at all, once or twice; before or after any of these, ;parameters dropped,
// backslashes taken for slashes, trailing dots and spaces of a segment dropped, slashes merged, dot segments resolved; and
// in the end letter case ignored. Combinations and not a list of products, because products stand in a row. Patterns are
// read the same way: ignoring case, /Login also matches /login.
//
// If one of these takes a different route, the request is ambiguous. It is so, too, where another reading takes no route
// at all: what the operator did not put on show must not be reachable by a spelling. The reverse is not: where the
// canonical reading takes no route, nothing is sent anywhere, and there is nothing to be wrong about.
//
// The reading that does not decode at all still takes escapes of spaces, of bytes outside ASCII and of punctuation for what
// they stand for, since software differs about writing those (~ ! @ : and so on); letters, digits and - _ . are escaped
// by nobody who means well.
//
// After a second decoding the path may also end at a control character. A trailing slash makes no difference to a path
// pattern in any reading; an expression says for itself whether it takes one. Suffixes such as .json are not modelled.
//
// A path whose readings are too many to follow is ambiguous in any table that looks at paths. What honest clients send
// stays far below that bound; it is there so that a stranger cannot buy much work with few bytes. Paths of letters,
// digits and plain punctuation are known to have one reading, but for case, and cost nothing extra.
//
// # What a match costs
//
// A table has an index by host and path, so that a request asks only the rules that its host and path, read in that way, may
// take, in the operator's order, and none behind the one that matches. What a request costs depends on its own length and
// on:
//
//   - rules with the same host and the same path, which only a method, a header, a cookie or the query tells apart: they are
//     asked one after the other;
//   - expressions: one runs where the path begins as all that it takes do, letter case ignored. "/item-7/[0-9]+" is found like
//     a prefix, and so are up to eight alternatives; "/[a-z]+/item-7" runs for every path that gets to it. In a table of
//     thousands of these each request runs them, once for each reading;
//   - rules whose paths lie within each other, each of which is looked at to find the first: at most one for each segment;
//   - lists of more than four hosts that differ and contain the request's: each such list is looked at.
//
// The index grows with the entries of the table, a list of up to four hosts counting for that many.
package routing
