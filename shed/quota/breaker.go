package quota

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"

	"gatehouse/shed"
)

const (
	firstGap = 20 * time.Millisecond
	lastGap  = time.Second
	settled  = time.Second // who answered for so long is taken for one that failed for the first time
)

// patience is how long a store that failed is left alone before it is tried again: not at all if it had been answering for a
// while, so that one that was only late, or was restarted, is back at once, and then twice as long each time, up to a second.
// last is how long it was left alone before; answered is for how long it has answered since.
func patience(last, answered time.Duration) time.Duration {
	switch {
	case answered >= settled:
		return 0
	case last == 0:
		return firstGap
	}
	return min(2*last, lastGap)
}

var (
	errPassword = errors.New("the password cannot be read")
	errSecuring = errors.New("the TLS handshake failed")
)

// words are the first words of Redis's errors, and what they mean. A server before Redis 7 wraps those that a script meets
// into a text of its own.
var words = [...]struct {
	word  string
	cause shed.Cause
}{
	{"READONLY", shed.CauseReadOnly}, {"MASTERDOWN", shed.CauseReadOnly}, {"OOM", shed.CauseFull},
	{"MISCONF", shed.CausePersistenceError}, {"NOREPLICAS", shed.CauseNoReplicas}, {"LOADING", shed.CauseLoading},
	{"BUSY", shed.CauseBusy}, {"CLUSTERDOWN", shed.CauseClusterDown}, {"NOAUTH", shed.CauseProberAuth},
	{"WRONGPASS", shed.CauseProberAuth}, {"NOPERM", shed.CauseProberAuth},
}

// cause says why the store is away, in the words that are used for the session store: shed.OK where it is not.
// shed.CauseProberAuth means here that the store does not take our name and password.
func cause(err error) shed.Cause {
	var answer redis.Error
	var lookup *net.DNSError
	var timeout net.Error
	var broken syscall.Errno
	var alert tls.AlertError
	switch {
	case err == nil:
		return shed.OK
	case errors.Is(err, errPassword):
		return shed.CauseProberAuth
	case errors.As(err, &answer):
		text := answer.Error()
		for _, w := range words {
			if strings.HasPrefix(text, w.word) || strings.Contains(text, "-"+w.word+" ") {
				return w.cause
			}
		}
		return shed.CauseUnknown
	case errors.Is(err, errNoSlot):
		return shed.CauseTooManyClients
	case errors.As(err, &lookup):
		return shed.CauseDNS
	case errors.Is(err, errSecuring), errors.As(err, &alert):
		return shed.CauseTLS
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return shed.CauseHung
	case errors.As(err, &broken), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return shed.CauseRefused
	}
	return shed.CauseUnknown
}
