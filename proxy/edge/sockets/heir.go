package sockets

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/coreos/go-systemd/v22/activation"
)

// before is the process that this one takes over from, as this one sees it.
type before struct {
	down, up *os.File
	lines    *json.Decoder // of down
	state    []byte
}

// inherit takes what the process before hands over; nil where there is none.
func inherit() (*before, []*handed, error) {
	if os.Getenv(variable) == "" {
		return nil, nil, nil
	}
	_ = os.Unsetenv(variable)
	b := &before{down: inherited(fromBefore, "from the process before"), up: inherited(toBefore, "to the process before")}
	b.lines = json.NewDecoder(b.down)
	var w will
	if err := b.lines.Decode(&w); err != nil {
		return b, nil, fmt.Errorf("what the process before hands over cannot be read: %w", err)
	}
	b.state = w.State
	var all []*handed
	for i, s := range w.Sockets {
		f := inherited(firstSocket+i, s.Asked+s.Name)
		all = append(all, &handed{file: f, bound: bound(f), asked: s.Asked, name: s.Name, index: i, manager: s.Manager})
	}
	return b, all, nil
}

func inherited(fd int, name string) *os.File {
	syscall.CloseOnExec(fd)
	return os.NewFile(uintptr(fd), name)
}

// activated takes what the service manager handed down (sd_listen_fds(3)).
func activated() ([]*handed, error) {
	files := activation.Files(true)
	all := make([]*handed, len(files))
	for i, f := range files {
		all[i] = &handed{file: f, bound: bound(f), name: f.Name(), manager: true, index: -1}
	}
	return all, nil
}

// bound returns where a socket listens; an address that nobody asks for where it is none that listens.
func bound(f *os.File) net.Addr {
	l, err := net.FileListener(f)
	if err != nil {
		return nothing(f.Name())
	}
	defer l.Close()
	return l.Addr()
}

// nothing is the address of what is no listening socket.
type nothing string

func (nothing) Network() string { return "no" }
func (nothing) String() string  { return "listening socket" }

// State returns what the process before gave to Takeover, and whether there is one.
func (s *Sockets) State() ([]byte, bool) {
	if s.before == nil {
		return nil, false
	}
	return s.before.state, true
}

// mostLetGo is how long the process before may take to let go.
const mostLetGo = 20 * time.Second

// Ready says that this process serves everything: the file with its id is written, and the process before accepts nobody any
// more when Ready returns. Sockets of that one that nobody asked for are closed.
func (s *Sockets) Ready() error {
	if err := s.pidFile.publish(); err != nil {
		return err
	}
	b := s.before
	if b == nil {
		return nil
	}
	var w word
	s.mu.Lock()
	kept := s.handed[:0]
	for _, h := range s.handed {
		if h.used {
			w.Taken = append(w.Taken, h.index)
		}
		if h.manager {
			kept = append(kept, h)
		} else if !h.used {
			_ = h.file.Close()
		}
	}
	s.handed = kept
	for _, l := range s.open {
		if l.from != nil && !l.from.manager {
			l.unlink(true) // until now the file was the process before's
		}
	}
	s.mu.Unlock()
	b.say(w)
	_ = b.down.SetReadDeadline(time.Now().Add(mostLetGo))
	_, _ = io.Copy(io.Discard, b.down) // until it has let go, or has gone
	_, _ = b.down.Close(), b.up.Close()
	return nil
}

// Failed tells the process before why this one cannot serve, and reports whether there is one. That one goes on, and tells.
func (s *Sockets) Failed(err error) bool {
	if s.before == nil {
		return false
	}
	s.before.fail(err)
	return true
}

func (b *before) fail(err error) { b.say(word{Problem: err.Error()}) }

func (b *before) say(w word) {
	_ = b.up.SetWriteDeadline(time.Now().Add(time.Second))
	_ = json.NewEncoder(b.up).Encode(w) // where it has gone, there is nobody to tell
}

// pidFile is where the id of the process that serves stands. nil stands for none.
type pidFile struct{ path, draft string }

// newPIDFile makes a draft beside path, so that a folder that cannot be written is known before anything is served.
func newPIDFile(path string) (*pidFile, error) {
	id := strconv.Itoa(os.Getpid())
	p := &pidFile{path: path, draft: path + "." + id}
	if err := os.WriteFile(p.draft, []byte(id+"\n"), 0o644); err != nil {
		return nil, fmt.Errorf("pid file: %w", err)
	}
	return p, nil
}

// publish puts the draft in place.
func (p *pidFile) publish() error {
	if p == nil {
		return nil
	}
	if err := os.Rename(p.draft, p.path); err != nil {
		return fmt.Errorf("pid file: %w", err)
	}
	return nil
}

// remove removes what this process wrote.
func (p *pidFile) remove() error {
	if p == nil {
		return nil
	}
	_ = os.Remove(p.draft)
	if b, err := os.ReadFile(p.path); err != nil || string(b) != strconv.Itoa(os.Getpid())+"\n" {
		return nil
	}
	return os.Remove(p.path)
}
