package sockets

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
)

// variable in the environment says that a process is to take over.
const variable = "GATEHOUSE_TAKEOVER"

// The first files of a process that takes over, after the standard three: what comes from the one before, and what goes there.
// Its sockets follow, in the order of the will.
const (
	fromBefore = 3 + iota
	toBefore
	firstSocket
)

// will is what a process says to the one that is to take over. It is one line of JSON; a second line, which is empty, says that
// the old process has let go.
type will struct {
	Sockets []willed
	State   []byte // as Takeover was given it
}

type willed struct {
	Asked   string // an address as Listen was given it; "" for the service manager's
	Name    string `json:",omitempty"`
	Manager bool   `json:",omitempty"`
}

// word is what the new process answers, in one line of JSON: it serves everything, or why it cannot.
type word struct {
	Problem string `json:",omitempty"`
	Taken   []int  // the sockets that it serves, by their place in the will
}

// ErrFirst is why the first process of a container cannot be taken over.
var ErrFirst = errors.New("this is process 1, as in a container, which ends with it: start a new container beside this one instead")

// Takeover starts the program anew, hands it every socket and state, and waits until it serves everything. Then nobody is
// accepted here any more: what is left is the owner's to end, in its own time, and Close. It returns the new process's id.
//
// An error says why the new process does not serve; it has been ended, and nothing has changed here. One Takeover at a time.
func (s *Sockets) Takeover(ctx context.Context, state []byte) (int, error) {
	if os.Getpid() == 1 {
		return 0, ErrFirst
	}
	left := s.collect()
	defer left.drop()
	if left.err != nil {
		return 0, left.err
	}
	left.will.State = state
	heir, err := s.start(left.files)
	if err != nil {
		return 0, err
	}
	answer, err := heir.talk(ctx, s.settings.Timeout, left.will)
	if err != nil {
		if end := heir.end(); end != nil {
			err = fmt.Errorf("%w: %w", err, end)
		}
		return 0, err
	}
	pid := heir.cmd.Process.Pid
	// Before the new process says anything itself, since until then the manager hears this one only.
	err = s.manager.HandOver(pid)
	s.letGo(left, answer.Taken)
	heir.release()
	s.mu.Lock()
	s.pidFile = nil // it names the new process
	s.mu.Unlock()
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrManager, err)
	}
	return pid, err
}

// estate is what a process has to leave.
type estate struct {
	files     []*os.File
	copies    []*os.File  // those of files that are nobody else's
	listeners []*listener // whose they are; nil: nobody's, for the time being
	will      will
	err       error
}

func (e *estate) add(f *os.File, l *listener, w willed) {
	e.files, e.listeners, e.will.Sockets = append(e.files, f), append(e.listeners, l), append(e.will.Sockets, w)
}

func (e *estate) drop() {
	for _, f := range e.copies {
		_ = f.Close()
	}
}

// collect gathers all that can be handed over.
func (s *Sockets) collect() *estate {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := new(estate)
	for _, l := range s.open {
		if l.from != nil && l.from.manager {
			e.add(l.from.file, l, willed{Name: l.from.name, Manager: true})
			continue
		}
		f, err := duplicate(l.socket, l.address)
		if err != nil {
			e.err = errors.Join(e.err, err)
			continue
		}
		e.copies = append(e.copies, f)
		e.add(f, l, willed{Asked: l.address})
	}
	for _, h := range s.handed {
		if h.manager && !h.used { // a later file may want it
			e.add(h.file, nil, willed{Name: h.name, Manager: true})
		}
	}
	return e
}

// duplicate returns a copy of a socket. The socket's own File would do, but for what becomes of it when a process is started with
// it: it is told to block, and so is the socket itself, since that is one thing for all copies. Then neither Accept nor Close of a
// listener that is still in use would return.
func duplicate(from syscall.Conn, name string) (*os.File, error) {
	raw, err := from.SyscallConn()
	if err != nil {
		return nil, err
	}
	var fd int
	var failed error
	err = raw.Control(func(own uintptr) {
		syscall.ForkLock.RLock()
		defer syscall.ForkLock.RUnlock()
		if fd, failed = syscall.Dup(int(own)); failed == nil {
			syscall.CloseOnExec(fd)
		}
	})
	if err = cmp.Or(err, os.NewSyscallError("dup", failed)); err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), name), nil
}

// letGo ends accepting on all sockets that the new process has, and gently on those that it does not want.
func (s *Sockets) letGo(e *estate, taken []int) {
	var dropped []*listener
	for i, l := range e.listeners {
		switch {
		case l == nil:
		case slices.Contains(taken, i):
			l.stop()
		default:
			dropped = append(dropped, l)
		}
	}
	leave(dropped)
}

// heir is a process that is to take over, as the one before sees it. It belongs to Takeover.
type heir struct {
	cmd      *exec.Cmd
	down, up *os.File
}

// start starts the program as this one was started, with those sockets.
func (s *Sockets) start(files []*os.File) (*heir, error) {
	theirDown, down, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	up, theirUp, err := os.Pipe()
	if err != nil {
		_, _ = theirDown.Close(), down.Close()
		return nil, err
	}
	cmd := exec.Command(s.program, os.Args[1:]...)
	cmd.Dir, cmd.Env = s.folder, append(environment(os.Environ()), variable+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.ExtraFiles = append([]*os.File{theirDown, theirUp}, files...)
	err = cmd.Start()
	_, _ = theirDown.Close(), theirUp.Close()
	h := &heir{cmd, down, up}
	if err != nil {
		h.release()
		return nil, err
	}
	return h, nil
}

// environment leaves out what was said to this process only.
func environment(all []string) []string {
	return slices.DeleteFunc(all, func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		switch name {
		case variable, "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID", "WATCHDOG_PID":
			return true
		}
		return false
	})
}

// talk hands over the will and returns what the new process says once it serves everything.
func (h *heir) talk(ctx context.Context, timeout time.Duration, w will) (word, error) {
	until := time.Now().Add(timeout)
	_, _ = h.down.SetWriteDeadline(until), h.up.SetReadDeadline(until)
	stop := context.AfterFunc(ctx, func() { _, _ = h.down.SetWriteDeadline(time.Unix(1, 0)), h.up.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	err := json.NewEncoder(h.down).Encode(w)
	var answer word
	if err == nil {
		err = json.NewDecoder(h.up).Decode(&answer)
	}
	switch {
	case err == nil && answer.Problem != "":
		return word{}, errors.New(answer.Problem)
	case err == nil:
		return answer, nil
	case ctx.Err() != nil:
		return word{}, fmt.Errorf("this process is to end: %w", ctx.Err())
	case errors.Is(err, os.ErrDeadlineExceeded):
		return word{}, fmt.Errorf("the new process did not serve within %v", timeout)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.EPIPE):
		return word{}, errors.New("the new process ended before it served")
	default:
		return word{}, err
	}
}

// mostEnd is how long a process that failed may take to put its things in order.
const mostEnd = 2 * time.Second

// end waits for the end of a process that will not serve, and hastens it. It returns how it ended, where that is news.
func (h *heir) end() error {
	h.release() // whatever it waits for will not come
	kill := time.AfterFunc(mostEnd, func() { _ = h.cmd.Process.Kill() })
	err := h.cmd.Wait()
	var exit *exec.ExitError
	if killed := !kill.Stop(); killed || errors.As(err, &exit) && exit.ExitCode() == 1 { // it has said why
		return nil
	}
	return err
}

// release lets the new process go on: its end of down closes.
func (h *heir) release() { _, _ = h.down.Close(), h.up.Close() }
