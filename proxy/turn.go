package proxy

import (
	"errors"
	"time"

	"gatehouse/proxy/h1"
	"gatehouse/proxy/record"
	"gatehouse/proxy/upstream"
	"gatehouse/shed"
	"gatehouse/shed/line"
	"gatehouse/shed/page"
	"gatehouse/shed/quota"
	"gatehouse/shed/session"
)

// lineUp lets sign-ins in at the pace of the ramp while one runs, and at the pace of a strained store. Who was let in goes on
// with his sign-in, however many requests that takes.
func (x *exchange) lineUp() error {
	if !x.route.SignIn || !x.asks || x.verdict.State.Impaired() || x.goesOn() {
		return nil // of an impaired store it needs nothing, or it would not have come here
	}
	for {
		x.rt.Line.Follow(x.verdict)
		turn := x.rt.Line.Enter(time.Now(), x.place())
		if turn.Enter {
			x.took = turn.Counted
			break
		}
		if time.Now().Add(turn.Wait).After(x.hopeUntil()) {
			return &Error{Outcome: record.LinedUp, Reason: reasonRamp, Turn: &turn}
		}
		if err := x.sleep(turn.Wait); err != nil {
			return err
		}
	}
	if x.rt.Strained == nil || x.verdict.State != shed.Strained {
		return nil
	}
	charge, wait := x.rt.Strained.Take(x.ctx, quota.TextKey("strained"))
	if wait > 0 {
		return &Error{Outcome: record.LinedUp, Reason: reasonStrained, Wait: wait}
	}
	x.took = true
	x.charges = append(x.charges, charge)
	return nil
}

// sleep waits for a place in the line, and looks at the store again without waiting for it.
func (x *exchange) sleep(d time.Duration) error {
	if !x.rt.Waits.enter() {
		return &Error{Outcome: record.LinedUp, Reason: reasonRamp, Wait: d}
	}
	defer x.rt.Waits.leave()
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return x.obey(x.rt.Store.Current())
	case <-x.ctx.Done():
		return errGone
	}
}

// goesOn reports whether the visitor was let in already and is in the middle of signing in: the form that he sends now was given
// to him for a place in the line. An admission of before this ramp took none of its places.
func (x *exchange) goesOn() bool {
	if len(x.own) == 0 {
		return false
	}
	now := time.Now()
	for value := range x.owned(session.AdmissionCookie) {
		at, id, ok := x.rt.Seal.Admitted(value, x.request.Client, now)
		if ok && !at.Before(x.verdict.Opened.Add(-skew)) && x.rt.Line.Use(now, id) {
			x.admission = true
			return true
		}
	}
	return false
}

// skew is how far the clocks of two Gatehouses, and what they know of the store, may lie apart.
const skew = 5 * time.Second

// journey tells the visitor's browser how far he has come with signing in. It is called with an answer that will be delivered.
func (x *exchange) journey(head *h1.Head) {
	switch {
	case x.signIn == signInGiven:
		for _, name := range [...]string{session.AdmissionCookie, session.PlaceCookie} {
			for range x.owned(name) {
				x.lay(head, name, "", 0)
				break
			}
		}
	case x.took:
		x.admit(head)
	}
}

// admit gives the visitor what lets him go on without lining up again.
func (x *exchange) admit(head *h1.Head) {
	now := time.Now()
	x.lay(head, session.AdmissionCookie, x.rt.Seal.Admission(x.request.Client, now), session.AdmissionLife)
}

// standInLine gives a sign-in that a closed store turns away its place in the line.
func (x *exchange) standInLine(e *Error) {
	if e.Kind != page.Degraded || e.Turn != nil || x.route == nil || !x.route.SignIn || !x.asks {
		return
	}
	v := x.rt.Store.Current()
	if !v.State.Impaired() {
		return
	}
	x.rt.Line.Follow(v)
	turn := x.rt.Line.TurnedAway(time.Now(), x.place())
	e.Turn = &turn
}

// tellTurn sends along what the visitor needs so that he does not have to begin again: his place in the line, or that he has left
// it already, where the pool then had no room.
func (x *exchange) tellTurn(head *h1.Head, e *Error) {
	switch {
	case e.Turn != nil:
		x.layPlace(head, e.Turn)
	case x.took && (e.Outcome == record.Shed || e.Outcome == record.Error):
		x.admit(head)
	}
}

// placeLife is how long a browser keeps a place: longer than people wait.
const placeLife = 4 * time.Hour

// layPlace sends the visitor's place along with the page.
func (x *exchange) layPlace(head *h1.Head, turn *line.Turn) {
	if p := turn.Place; p != x.place() {
		x.lay(head, session.PlaceCookie, x.rt.Seal.Place(p.Seen, p.ID, x.request.Client), placeLife)
	}
}

// report tells the line how a sign-in went, so that the ramp gives way where they go badly. One that was given up, by the visitor or
// because the store closed, took at least that long.
func (x *exchange) report(answer *upstream.Answer, err error) {
	if x.rt.Line == nil || !x.route.SignIn || !x.asks {
		return
	}
	failed := errors.Is(err, upstream.ErrLate) || errors.Is(err, upstream.ErrBroken) || errors.Is(err, upstream.ErrConnect)
	x.tellCuts(x.rt.Line.Report(time.Now(), failed || err == nil && answer.Status >= 500, x.since()-x.entry.At.Claimed))
}

// tellCuts notes that the ramp gave way.
func (x *exchange) tellCuts(cuts int) {
	if cuts > 0 {
		now := time.Now()
		x.handler.Record.RampCut(now, x.rt.StoreName, x.rt.Line.Load(now).Rate)
	}
}
