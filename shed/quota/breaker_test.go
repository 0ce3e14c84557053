package quota

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"gatehouse/shed"
)

// said is an error as a server sends it.
type said string

func (s said) Error() string { return string(s) }
func (said) RedisError()     {}

func TestCause(t *testing.T) {
	for _, row := range []struct {
		err  error
		want shed.Cause
	}{
		{nil, shed.OK},
		{said("READONLY You can't write against a read only replica."), shed.CauseReadOnly},
		{said("ERR Error running script (call to f_1): @user_script:1: -OOM command not allowed"), shed.CauseFull},
		{said("OOM command not allowed when used memory > 'maxmemory'."), shed.CauseFull},
		{said("MISCONF Valkey is configured to save RDB snapshots"), shed.CausePersistenceError},
		{said("NOREPLICAS Not enough good replicas to write."), shed.CauseNoReplicas},
		{said("LOADING Valkey is loading the dataset in memory"), shed.CauseLoading},
		{said("BUSY Redis is busy running a script."), shed.CauseBusy},
		{said("CLUSTERDOWN Hash slot not served"), shed.CauseClusterDown},
		{fmt.Errorf("failed to authenticate: %w", said("WRONGPASS invalid username-password pair")), shed.CauseProberAuth},
		{said("NOAUTH Authentication required."), shed.CauseProberAuth},
		{said("NOPERM this user has no permissions"), shed.CauseProberAuth},
		{said("ERR user_script:3: the word OOM in a text"), shed.CauseUnknown},
		{said("WRONGTYPE Operation against a key holding the wrong kind of value"), shed.CauseUnknown},
		{said(""), shed.CauseUnknown},
		{fmt.Errorf("%w: gone", errPassword), shed.CauseProberAuth},
		{errNoSlot, shed.CauseTooManyClients},
		{errForeign, shed.CauseUnknown},
		{errUnread, shed.CauseUnknown},
		{fmt.Errorf("%w: %w", errSecuring, io.EOF), shed.CauseTLS},
		{tls.AlertError(42), shed.CauseTLS},
		{&net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host"}}, shed.CauseDNS},
		{&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, shed.CauseRefused},
		{&net.OpError{Op: "read", Err: os.ErrDeadlineExceeded}, shed.CauseHung},
		{context.DeadlineExceeded, shed.CauseHung},
		{io.EOF, shed.CauseRefused},
		{errors.New("something else"), shed.CauseUnknown},
	} {
		if got := cause(row.err); got != row.want {
			t.Errorf("%v: %v, want %v", row.err, got, row.want)
		}
	}
}

func TestPatience(t *testing.T) {
	// One that answered for a while is tried again at once, and then more and more rarely.
	gap, tries, all := time.Hour, []time.Duration{}, time.Duration(0)
	for i := range 12 {
		answered := time.Duration(0)
		if i == 0 {
			answered = time.Minute
		}
		gap = patience(gap, answered)
		tries = append(tries, gap)
		all += gap
	}
	if tries[0] != 0 || tries[1] != firstGap || tries[2] != 2*firstGap || tries[11] != lastGap {
		t.Errorf("%v", tries)
	}
	// One that answers for less than a second each time is not tried again at once.
	if got := patience(320*time.Millisecond, 999*time.Millisecond); got != 640*time.Millisecond {
		t.Errorf("%v", got)
	}
	if got := patience(lastGap, settled); got != 0 {
		t.Errorf("%v", got)
	}
}
