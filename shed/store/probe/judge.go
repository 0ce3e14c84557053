package probe

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"strconv"
	"strings"
	"syscall"

	"gatehouse/shed"
	"gatehouse/shed/store"
)

var (
	errGone    = errors.New("the value was accepted and is gone")
	errAnother = errors.New("the value that was read is not the one that was written")
	errTLSOnly = errors.New("the store speaks only TLS")
)

// noSlot is how the one refusal begins that has no word of its own.
const noSlot = "-ERR max number of clients"

// judge says what an exchange over l shows.
func (x *exchange) judge(l *link) store.Evidence {
	e := x.judged(l)
	e.Expires = l.expires
	return e
}

func (x *exchange) judged(l *link) store.Evidence {
	if x.broken() {
		return x.dropped(l)
	}
	if !x.ready {
		return refusedRead(word(x.err), x.err)
	}
	if err := x.get.Err(); err != nil && word(err) != "nil" {
		return refusedRead(word(err), err)
	}
	if err := x.set.Err(); err != nil {
		return refusedWrite(word(err), err)
	}
	odd := store.Evidence{State: shed.ReadOnly, Reached: true, Latency: x.took}
	switch err := x.back.Err(); {
	case word(err) == "nil":
		odd.Cause, odd.Err = shed.CauseFull, errGone
		return odd
	case err != nil:
		return refusedRead(word(err), err)
	case x.back.Val() != x.sent:
		odd.Err = errAnother
		return odd
	}
	return store.Evidence{State: shed.Writable, Cause: shed.OK, Reached: true, Latency: x.took}
}

// dropped is the evidence of a connection that was taken and then cut. Often the server said why before it hung up.
func (x *exchange) dropped(l *link) store.Evidence {
	if ours(x.err) {
		return oursRefused(x.err) // from TLS 1.3 on a client's certificate is looked at after the client's handshake
	}
	heard, greeting := l.wire.since()
	for _, said := range []string{greeting, heard} {
		if tlsAlert(said) {
			return store.Evidence{State: shed.Down, Cause: shed.CauseTLS, Definite: true, Reached: true, Err: errTLSOnly}
		}
		line, _, _ := strings.Cut(said, "\r\n")
		if strings.HasPrefix(line, noSlot) {
			// Not reached, so that it is asked once a second: each question is one more that wants a slot.
			return store.Evidence{State: shed.Down, Cause: shed.CauseTooManyClients, Definite: true, Err: x.err}
		}
		if why := strings.TrimPrefix(line, "-"); why != line && firstWord(why) != "ERR" {
			return refusedRead(firstWord(why), answered(why))
		}
	}
	// A balancer with nobody behind it, or a server that is going.
	return store.Evidence{State: shed.Down, Cause: shed.CauseRefused, Err: x.err}
}

// turnedAway is the evidence of a new link that was not taken.
func (l *link) turnedAway(err error) store.Evidence {
	if first := word(err); first != "" {
		return refusedRead(first, err)
	}
	return (&exchange{err: err}).dropped(l)
}

// answered is an error that a server sent, as it was heard on the wire.
type answered string

func (a answered) Error() string { return string(a) }

// refusedRead is the evidence of a read, or a handshake, that was answered with an error.
func refusedRead(first string, err error) store.Evidence {
	e := store.Evidence{State: shed.Down, Definite: true, Reached: true, Err: err}
	switch first {
	case "MASTERDOWN", "READONLY":
		e.Cause = shed.CauseReadOnly
	case "LOADING":
		e.Cause = shed.CauseLoading
	case "BUSY":
		e.Cause = shed.CauseBusy
	case "CLUSTERDOWN", "TRYAGAIN":
		e.Cause = shed.CauseClusterDown
	case "MISCONF":
		e.Cause = shed.CausePersistenceError
	case "OOM":
		e.Cause = shed.CauseFull
	default:
		return unusual(shed.Down, first, err)
	}
	return e
}

// refusedWrite is the evidence of a write that was answered with an error where the read before it was not.
func refusedWrite(first string, err error) store.Evidence {
	e := store.Evidence{State: shed.ReadOnly, Definite: true, Reached: true, Err: err}
	switch first {
	case "READONLY", "MASTERDOWN", "REDIRECT":
		e.Cause = shed.CauseReadOnly
	case "OOM":
		e.Cause = shed.CauseFull
	case "MISCONF":
		e.Cause = shed.CausePersistenceError
	case "NOREPLICAS":
		e.Cause = shed.CauseNoReplicas
	case "CLUSTERDOWN", "TRYAGAIN":
		e.Cause = shed.CauseClusterDown
	case "LOADING":
		e.Cause = shed.CauseLoading
	case "BUSY":
		e.Cause = shed.CauseBusy
	default:
		return unusual(shed.ReadOnly, first, err)
	}
	return e
}

// unusual is the evidence of an error with no cause of its own. Where our credential or our command is refused (ERR is what
// a server says that lacks the command), or another node is named, the prober is at fault and not the store; a word nobody
// knows is still a refusal, if an ambiguous one.
func unusual(state shed.State, first string, err error) store.Evidence {
	e := store.Evidence{Reached: true, Err: err}
	switch first {
	case "NOAUTH", "WRONGPASS", "NOPERM":
		e.Cause, e.Definite = shed.CauseProberAuth, true
	case "ERR", "WRONGTYPE", "MOVED", "ASK", "NOPROTO":
	default:
		e.State = state
	}
	return e
}

// undialled is the evidence of a connection that never came to be. shook is what handshaken wants to know.
func undialled(err error, shook bool) store.Evidence {
	e := store.Evidence{State: shed.Down, Err: err}
	switch {
	case errors.Is(err, errPassword):
		return store.Evidence{Cause: shed.CauseProberAuth, Err: err}
	case errors.Is(err, errSettings):
		return store.Evidence{Cause: shed.CauseTLS, Err: err}
	case errors.Is(err, errHandshake):
		return handshaken(err, shook)
	case errors.Is(err, errName):
		e.Cause = shed.CauseDNS
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, fs.ErrNotExist):
		e.Cause, e.Definite = shed.CauseRefused, true
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH), errors.Is(err, syscall.ECONNRESET):
		e.Cause = shed.CauseRefused
	case errors.Is(err, syscall.EACCES):
		return store.Evidence{Cause: shed.CauseProberAuth, Err: err} // a socket that this process may not open
	default:
		e.Cause = shed.CauseHung
	}
	return e
}

// answers splits the first bytes of a pipeline's answer into its replies, each a line without its end; the body of a bulk
// string is left out. A reply that has not come whole is not among them, unless it is a bulk string's body that is missing:
// then it was begun, and is.
func answers(heard string) (lines []string) {
	for {
		line, rest, whole := strings.Cut(heard, "\r\n")
		if !whole || line == "" {
			return lines
		}
		lines = append(lines, line)
		if n, err := strconv.Atoi(line[1:]); line[0] == '$' && err == nil && n >= 0 {
			if n > len(rest)-2 {
				return lines
			}
			rest = rest[n+2:]
		}
		heard = rest
	}
}

func firstWord(s string) string {
	first, _, _ := strings.Cut(s, " ")
	return first
}

// newValue is what no other canary holds.
func newValue() string { return rand.Text() }
