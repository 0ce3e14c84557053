package record

import (
	"net/netip"
	"time"

	"gatehouse/shed"
)

// Entry is one exchange, complete. Strings may hold whatever a stranger sent: the encoder makes them harmless and short.
// An Entry is only read, and not kept after Exchange returns, so its strings may be views of a buffer that is used again.
type Entry struct {
	Arrived   time.Time // when the request's head had been read
	RequestID string

	Method string
	Scheme string
	Proto  string
	TLS    *TLS // nil: the visitor's connection is plain
	Host   string
	Target string // the request target; its query is not logged, since queries hold secrets, only how long it is

	Client netip.Addr     // the visitor; invalid when unknown
	Peer   netip.AddrPort // the other end of the connection; invalid for a Unix socket

	// Class is how much the request mattered to its pool; Classed tells that it was put into one, and Class is left out of the
	// line where it is not.
	Class   shed.Class
	Classed bool

	Backend  string // who answered, or was asked last; "" when nobody was asked
	Attempts int    // how many backends were tried

	Outcome Outcome
	Reason  string // from a closed set; "" for none
	Status  int    // what the visitor got; 0 when no answer was committed
	Err     string // what went wrong, for the log only

	BytesIn, BytesOut  int64 // bodies
	UserAgent, Referer string

	// State and Cause are the verdict that was decided on. Both are left out of the line when both are zero: nobody asked.
	State shed.State
	Cause shed.Cause
	// Observed is what the store was seen to be, where that is not what was decided on. The zero value is left out of the line,
	// unless Cause is that of a person who set the state: nothing was known of the store then.
	Observed shed.State
	Guard    string // what the session guard did, as a Guard's word; "" for nothing

	At Stages
}

// TLS is what is told of a visitor's TLS connection.
type TLS struct {
	Version    string // as "1.3"
	Cipher     string // the suite's name
	ServerName string // that was asked for
	Client     string // whose certificate the visitor showed; "" for none
}

// Stages are the moments of an exchange as durations since it arrived; 0 for a stage that was never reached.
type Stages struct {
	Decided time.Duration // let through the door, or not
	Queued  time.Duration // a permit was had, after waiting or at once
	Claimed time.Duration // a backend was claimed and the request goes out
	Head    time.Duration // the head of the backend's final answer was there
	Done    time.Duration // the last byte was handed over, or the exchange broke
}

// backend returns how long the backend that was asked took to its head, or to fail, and false when none was asked.
func (s Stages) backend() (time.Duration, bool) {
	switch {
	case s.Claimed <= 0:
		return 0, false
	case s.Head >= s.Claimed:
		return s.Head - s.Claimed, true
	default:
		return max(s.Done-s.Claimed, 0), true
	}
}

// total returns what counts as the exchange's duration. An upgraded connection may stay for hours, which says nothing of
// how long anybody waited, so there it ends with the head.
func (e *Entry) total() time.Duration {
	if e.Status == 101 && e.At.Head > 0 {
		return e.At.Head
	}
	return max(e.At.Done, 0)
}
