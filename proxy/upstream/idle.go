package upstream

import (
	"strconv"
	"strings"
	"sync"
	"time"

	"gatehouse/proxy/h1"
)

const (
	maxIdle     = 256 // idle connections kept to one backend
	idleTimeout = 30 * time.Second
	idleSweep   = 5 * time.Second
)

// idleTime is how long a connection may be idle after an answer with that head. A backend that says when it will close is
// believed, and not put to the test: three quarters of that (RFC 2068 section 19.7.1.1, Node and Apache).
func idleTime(h h1.Head) time.Duration {
	list, ok := h.Field("Keep-Alive", 0)
	for ok && list != "" {
		var word string
		word, list, _ = strings.Cut(list, ",")
		name, value, _ := strings.Cut(strings.Trim(word, " \t"), "=")
		if n, err := strconv.ParseUint(value, 10, 16); err == nil && strings.EqualFold(name, "timeout") {
			return min(idleTimeout, time.Duration(n)*time.Second*3/4)
		}
	}
	return idleTimeout
}

// idle is the connections to one backend that wait for their next use. The one that was used last is the next one, so that those
// that are too many grow old. It owns what it holds: from time to time it closes those that waited too long, and those that the
// backend has closed. The zero value is empty. It is safe for concurrent use.
type idle struct {
	mu    sync.Mutex
	conns []*conn // the one used last at the end
	sweep *time.Timer
	due   bool // sweep is set
	shut  bool
}

// take returns the connection used last, or nil. It is the caller's now. Whether it is in order was not looked at.
func (i *idle) take() *conn {
	i.mu.Lock()
	defer i.mu.Unlock()
	n := len(i.conns)
	if n == 0 {
		return nil
	}
	c := i.conns[n-1]
	i.conns[n-1] = nil
	i.conns = i.conns[:n-1]
	return c
}

// put gives a connection back after an exchange that has ended in order, to be idle until then, by clock. What is too much is
// closed.
func (i *idle) put(c *conn, until time.Duration) {
	c.until = until
	i.mu.Lock()
	full := i.shut || len(i.conns) == maxIdle
	if !full {
		i.conns = append(i.conns, c)
		i.schedule()
	}
	i.mu.Unlock()
	if full {
		_ = c.Close()
	}
}

// schedule is called under the lock.
func (i *idle) schedule() {
	switch {
	case i.due:
		return
	case i.sweep == nil:
		i.sweep = time.AfterFunc(idleSweep, i.tidy)
	default:
		i.sweep.Reset(idleSweep)
	}
	i.due = true
}

// tidy is the sweep.
func (i *idle) tidy() {
	i.mu.Lock()
	i.due = false
	var gone []*conn
	kept, now := i.conns[:0], clock()
	for _, c := range i.conns {
		if !c.fit(now) {
			gone = append(gone, c)
		} else {
			kept = append(kept, c)
		}
	}
	clear(i.conns[len(kept):])
	i.conns = kept
	if len(kept) > 0 {
		i.schedule()
	}
	i.mu.Unlock()
	closeAll(gone)
}

// close closes all, and whatever is put from now on.
func (i *idle) close() {
	i.mu.Lock()
	gone := i.conns
	i.conns, i.shut = nil, true
	if i.sweep != nil {
		i.sweep.Stop()
	}
	i.mu.Unlock()
	closeAll(gone)
}

func closeAll(conns []*conn) {
	for _, c := range conns {
		_ = c.Close()
	}
}
