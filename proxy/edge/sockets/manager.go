package sockets

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// ErrManager is what goes wrong with telling the service manager. Whatever was to be told has happened all the same.
var ErrManager = errors.New("the service manager was not told")

// Manager is the service manager, as far as it wants to know how this process stands (sd_notify(3)); without one, nobody is told.
// It is safe for concurrent use. nil stands for none.
type Manager struct {
	mu     sync.Mutex
	gone   bool // another process tells from now on
	status string
}

// Ready says that everything is served; and, after Reloading, that the reload is over.
func (m *Manager) Ready(status string) error {
	return m.tell(daemon.SdNotifyReady, m.note(status))
}

// Reloading says that the file is being loaded. Ready follows, whatever came of it.
func (m *Manager) Reloading() error {
	return m.tell(daemon.SdNotifyReloading, daemon.SdNotifyMonotonicUsec())
}

// Stopping says that the process drains.
func (m *Manager) Stopping() error {
	return m.tell(daemon.SdNotifyStopping, m.note("draining"))
}

// Status says how things stand, in one line, if that has changed.
func (m *Manager) Status(line string) error {
	if m == nil || m.last() == line {
		return nil
	}
	return m.tell(m.note(line))
}

// Alive says that the program gets round to it; see Every.
func (m *Manager) Alive() error { return m.tell(daemon.SdNotifyWatchdog) }

// HandOver says that the process pid is the one that the manager supervises from now on. It is the last thing that this process
// tells: with NotifyAccess=main, which is the default, the manager hears no other.
func (m *Manager) HandOver(pid int) error {
	if m == nil {
		return nil
	}
	err := m.tell(fmt.Sprintf("MAINPID=%d", pid), daemon.SdNotifyReady)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.gone = true
	return err
}

// Listens reports whether there is a manager to be told.
func (m *Manager) Listens() bool { return m != nil && os.Getenv("NOTIFY_SOCKET") != "" }

// Every returns how often Alive is to be said; 0: never.
func (m *Manager) Every() time.Duration {
	if !m.Listens() {
		return 0
	}
	d, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		return 0
	}
	return d / 2
}

// note remembers the status that is told, and returns the words for it.
func (m *Manager) note(line string) string {
	if m != nil {
		m.mu.Lock()
		m.status = line
		m.mu.Unlock()
	}
	return "STATUS=" + strings.ReplaceAll(line, "\n", " ")
}

func (m *Manager) last() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.status
}

func (m *Manager) tell(words ...string) error {
	if !m.Listens() {
		return nil
	}
	m.mu.Lock()
	gone := m.gone
	m.mu.Unlock()
	if gone {
		return nil
	}
	_, err := daemon.SdNotify(false, strings.TrimRight(strings.Join(words, "\n"), "\n"))
	return err
}
