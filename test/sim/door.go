package sim

import (
	"context"
	"sync/atomic"
	"time"

	"gatehouse/shed"
	"gatehouse/shed/line"
	"gatehouse/shed/page"
)

// Kind is what came of one attempt to sign in.
type Kind uint8

const (
	In     Kind = iota // the visitor is signed in
	Told               // a page that says when to come again
	Failed             // an error
	Late               // the visitor gave up before there was an answer
)

// Answer is what an attempt to sign in got.
type Answer struct {
	Kind  Kind
	Wait  time.Duration // Told: when to come again, as Retry-After and the page's refresh say it
	Place line.Place    // Told: the visitor's place in the line, which he is to carry
}

// Door is the path of a sign-in through Gatehouse, or through what stands there without it, to the login servers.
//
// With a Line and a Gate it asks the real ones as package proxy does: the store, the line, the gate, the servers. Without a
// Gate every sign-in goes to the servers. Without a Line a closed store is met by the page with a constant wait, and with no
// page either it is the app that finds the store closed, after it has done the work. Its fields must not change once used.
type Door struct {
	Server *Server
	Line   *line.Line    // nil: none
	Gate   *shed.Gate    // nil: none
	Page   time.Duration // without a Line: what the page tells everybody; 0: no page
	Serves float64       // how many sign-ins a second the page takes the pool to serve: in Gatehouse, where the ramp ends
	Trace  *Trace

	clock   clock
	closed  atomic.Bool
	opened  atomic.Bool  // again
	backlog page.Backlog // what those hear whom the gate turns away
}

// Close and Open are the moments at which Gatehouse takes the store for closed and for open: in the model it notices at once.
func (d *Door) Close() {
	d.closed.Store(true)
	if d.Line != nil {
		d.Line.Close(time.Now())
	}
}

// Open: see Close.
func (d *Door) Open() {
	d.closed.Store(false)
	d.opened.Store(true)
	if d.Line != nil {
		d.Line.Open(time.Now())
	}
}

// SignIn is one attempt that costs so much work, by a visitor who carries that place and stays until ctx ends.
func (d *Door) SignIn(ctx context.Context, place line.Place, work time.Duration) Answer {
	began := time.Now()
	d.Trace.Asked.Add(d.clock.now())
	switch {
	case d.Line != nil:
		turn := d.turn(began, place)
		if !turn.Enter {
			d.Trace.Told.Add(d.clock.now())
			return Answer{Kind: Told, Wait: turn.Wait, Place: turn.Place}
		}
	case d.Page > 0 && d.closed.Load():
		d.Trace.Told.Add(d.clock.now())
		return Answer{Kind: Told, Wait: d.Page}
	}
	d.Trace.Admitted.Add(d.clock.now())
	if d.Gate == nil {
		return d.sent(ctx, began, work, nil)
	}
	permit, err := d.Gate.Acquire(ctx, shed.SignIn)
	if err != nil {
		if ctx.Err() != nil {
			d.Trace.Late.Add(d.clock.now())
			return Answer{Kind: Late}
		}
		d.Trace.Shed.Add(d.clock.now())
		if d.Line != nil {
			d.Line.Crowded(time.Now()) // the ramp lets in more than the pool has room for
		}
		wait := d.Page
		if wait == 0 {
			wait = d.backlog.Wait(time.Now(), d.Serves)
		}
		return Answer{Kind: Told, Wait: wait, Place: place}
	}
	defer permit.Done()
	return d.sent(ctx, began, work, &permit)
}

// turn asks the line.
func (d *Door) turn(now time.Time, place line.Place) line.Turn {
	if d.closed.Load() {
		return d.Line.TurnedAway(now, place)
	}
	return d.Line.Enter(now, place)
}

// sent is the part of an attempt that the login servers do.
func (d *Door) sent(ctx context.Context, began time.Time, work time.Duration, permit *shed.Permit) Answer {
	sent := time.Now()
	err := d.Server.Do(ctx, work)
	took, now := time.Since(sent), d.clock.now()
	failed := err != nil || d.closed.Load()
	if permit != nil && err == nil {
		permit.Sample(took, false)
	}
	if d.Line != nil && ctx.Err() != nil {
		d.Line.Heard(time.Now(), took)
	} else if d.Line != nil {
		d.Line.Report(time.Now(), failed, took)
	}
	switch {
	case ctx.Err() != nil:
		d.Trace.Late.Add(now)
		return Answer{Kind: Late}
	case failed:
		d.Trace.Failed.Add(now)
		return Answer{Kind: Failed}
	}
	d.Trace.Done.Add(now)
	d.Trace.Took.Add(now, time.Since(began))
	return Answer{Kind: In}
}
