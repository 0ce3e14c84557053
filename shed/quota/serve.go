package quota

import (
	"time"
)

// server is the one goroutine that speaks with the store, and all that only it knows.
type server struct {
	*Shared
	link     *link         // nil: away
	linked   time.Time     // since when there has been one
	used     bool          // since the last check
	gap      time.Duration // how long the store was left alone before the last try
	dialling bool
	next     *time.Timer // when to connect, or to connect anew
	batch    []*ask
}

// serve runs until the Shared is closed.
func (s *Shared) serve() {
	v := &server{Shared: s, next: time.NewTimer(0), batch: make([]*ask, 0, batch)}
	check := time.NewTicker(checkGap)
	defer check.Stop()
	defer v.next.Stop()
	defer v.end()
	for {
		select {
		case <-s.ctx.Done():
			return
		case a := <-s.asks:
			v.gather(a)
			v.send()
		case <-check.C:
			if !v.used && v.link != nil {
				v.batch = append(v.batch[:0], v.trial())
				v.send()
			}
			v.used = false
		case <-v.next.C:
			v.dial()
		case d := <-s.dialled:
			v.dialling = false
			v.use(d)
		}
	}
}

// gather collects what has come, beginning with a, if anything; it leaves out those for whom nobody waits any more.
func (v *server) gather(a *ask) {
	v.batch = v.batch[:0]
	for {
		if a != nil && !a.left.Load() {
			v.batch = append(v.batch, a)
		}
		if len(v.batch) == batch {
			return
		}
		select {
		case a = <-v.asks:
		default:
			return
		}
	}
}

// send asks the store, if there is one, and tells everybody who waits what came of it.
func (v *server) send() {
	var err error
	if v.link != nil && len(v.batch) > 0 {
		v.used = true
		err = v.link.exchange(v.batch, v.set.Timeout)
	}
	for _, a := range v.batch {
		if a.events < 0 && !a.told {
			v.lost.Add(1)
		}
		a.tell(verdict{})
	}
	clear(v.batch)
	if err != nil {
		v.fail(err)
	}
}

// fail gives the link up and has the store tried again when it is time.
func (v *server) fail(err error) {
	v.turn(false, err)
	v.link.close()
	v.link = nil
	v.gap = patience(v.gap, time.Since(v.linked))
	v.next.Reset(v.gap)
}

// dial connects, in a goroutine of its own: takers must not wait behind it.
func (v *server) dial() {
	if v.dialling {
		return
	}
	v.dialling = true
	v.work.Go(func() {
		l, err := v.connect(v.ctx)
		v.dialled <- dialled{l, err}
	})
}

// use takes a new link, or notes that none is to be had.
func (v *server) use(d dialled) {
	switch {
	case d.err == nil:
		if v.link == nil {
			v.linked = time.Now()
		}
		v.link.close()
		v.link = d.link
		v.turn(true, nil)
		v.next.Reset(time.Until(d.link.dies))
	case v.link != nil: // the old one serves
		v.turn(true, d.err)
		v.next.Reset(lastGap)
	default:
		v.turn(false, d.err)
		v.gap = patience(v.gap, 0)
		v.next.Reset(v.gap)
	}
}

// end sends the refunds that are queued and closes the link.
func (v *server) end() {
	v.turn(false, nil)
	for until := time.Now().Add(v.set.Timeout); ; {
		if v.gather(nil); len(v.batch) == 0 {
			break
		}
		if time.Now().After(until) && v.link != nil {
			v.link.close()
			v.link = nil
		}
		v.send()
	}
	v.link.close()
	if v.dialling {
		d := <-v.dialled
		d.link.close()
	}
}
