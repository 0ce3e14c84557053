package serve

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"time"

	"gatehouse/config"
	"gatehouse/proxy/admin"
	"gatehouse/proxy/edge"
	"gatehouse/shed"
	"gatehouse/shed/session"
)

// listen opens what the admin listener needs, as visitors' listeners are opened.
func (p *program) listen(network, address string) (net.Listener, error) {
	if p.options.Sockets == nil {
		return edge.Listen(network, address)
	}
	return p.options.Sockets.Listen(network, address)
}

// vacate has listeners that cfg does not name any more take who is in their backlog, before they are closed.
func (p *program) vacate(cfg *config.Config) {
	if p.options.Sockets == nil {
		return
	}
	p.options.Sockets.Leave(func(network, address string) bool {
		at := config.Address{Network: network, Address: address}
		return at != cfg.Admin.Address && !slices.ContainsFunc(cfg.Listen, func(l config.Listen) bool { return l.Address == at })
	})
}

// unwanted warns of sockets that were handed down for nothing.
func (p *program) unwanted() (warnings []string) {
	if p.options.Sockets == nil {
		return nil
	}
	for _, name := range p.options.Sockets.Unwanted() {
		warnings = append(warnings, fmt.Sprintf("the service manager handed down %s, and the file listens nowhere of the kind: who connects "+
			"there waits in vain; name it under listen, or take it out of the socket unit", name))
	}
	return warnings
}

// outcome is what came of a takeover.
type outcome struct {
	pid int // of the process that took over; 0: none did
	err error
}

// takeover starts a process that is to take over. What comes of it comes over p.taking.
func (p *program) takeover(ctx context.Context) {
	switch {
	case p.options.Sockets == nil:
		return
	case p.taking != nil:
		p.log.Warn("a takeover is under way already")
		return
	}
	p.log.Info("a new process is started to take over")
	taking, left := make(chan outcome, 1), p.heritage()
	p.taking = taking
	go func() { // the loop waits for it, whatever happens
		pid, err := p.options.Sockets.Takeover(ctx, left)
		taking <- outcome{pid, err}
	}()
}

// taken tells what came of a takeover, and reports whether another process serves now.
func (p *program) taken(o outcome) bool {
	p.taking = nil
	if o.pid == 0 {
		for _, line := range lines(o.err) {
			p.log.Error("nobody took over, this process goes on", "file", p.options.Path, "problem", line)
		}
		return false
	}
	p.told(o.err)
	p.log.Info("another process has taken over; this one ends with its visitors", "pid", o.pid, "grace", p.options.Grace.String(),
		"at_most", p.options.Drain.String())
	return true
}

// leave ends what is left here after a takeover. Every answer is its connection's last; a connection that has no request is kept
// for a grace, since a request may be on its way on it: closed under it, that would be lost.
func (p *program) leave(ctx context.Context) {
	p.door.close() // the new process's answers
	p.living.Leave(ctx, p.options.Grace)
	p.watch.close()
	p.drain()
}

// heritage is what a new process is told of this one, beside the sockets and the file.
type heritage struct {
	// Key signs Gatehouse's own cookies where the file names no keys: who waits keeps his place, and who is known stays known.
	Key      string
	Ramp     bool                 // sign-ins come back by the ramp, or will
	Override *admin.OverrideState `json:",omitempty"` // a person's word, if it is in force
}

func (p *program) heritage() []byte {
	h := heritage{Key: p.key}
	if stores := p.state.Status().Stores; len(stores) > 0 {
		whole := stores[0]
		open := whole.State == shed.Writable.String() || whole.State == shed.Strained.String()
		h.Ramp, h.Override = whole.Recovering || !open, whole.Override
	}
	b, err := json.Marshal(h)
	if err != nil {
		p.log.Error("the new process will not be told how things stand", "error", err.Error())
	}
	return b
}

// receive takes what the process before left, before the first file is loaded; without one it begins anew.
func (p *program) receive() (h heritage, err error) {
	if p.options.Sockets != nil {
		if left, ok := p.options.Sockets.State(); ok {
			err = json.Unmarshal(left, &h)
		}
	}
	if h.Key == "" {
		var key [32]byte
		_, _ = rand.Read(key[:])
		h.Key = hex.EncodeToString(key[:])
	}
	seal, bad := session.ParseKeys([]byte(h.Key))
	if err = errors.Join(err, bad); err == nil {
		p.key, p.living.Seal, p.living.StartRamp = h.Key, seal, h.Ramp
	}
	return h, err
}

// inherit takes up a person's word, once there is a store that it can be said of.
func (p *program) inherit(o *admin.OverrideState) {
	if o == nil {
		return
	}
	if err := p.state.Override(admin.Override{State: o.State, By: o.By, For: time.Until(o.Until)}); err != nil {
		p.log.Warn("the override of the process before has ended", "error", err.Error())
	}
}
