package proxy

import (
	"errors"
	"time"

	"gatehouse/proxy/h1"
	"gatehouse/proxy/record"
	"gatehouse/proxy/upstream"
	"gatehouse/shed"
	"gatehouse/shed/page"
	"gatehouse/shed/quota"
	"gatehouse/shed/session"
)

// lineUp lets sign-ins in at the pace of a strained store, and at that of the ramp while one runs. Who was let in goes on with his
// sign-in, however many requests that takes.
func (x *exchange) lineUp() error {
	if !x.route.SignIn || !x.asks || x.verdict.State.Impaired() || x.goesOn() {
		return nil // of an impaired store it needs nothing, or it would not have come here
	}
	if err := x.spare(); err != nil {
		return err
	}
	place := x.place()
	for {
		x.store.Line.Follow(x.monitor, x.verdict)
		turn := x.store.Line.Enter(time.Now(), place)
		if turn.Enter {
			x.took = x.took || turn.Counted
			x.goes = x.took || turn.Admit
			return nil
		}
		if x.goOver() { // others may come back by the ramp
			return x.lineUp()
		}
		full := &Error{Outcome: record.LinedUp, Reason: reasonRamp, Turn: &turn}
		if time.Now().Add(turn.Wait).After(x.hopeUntil()) || !x.rt.Waits.enter() {
			return full
		}
		err := x.sleep(turn.Wait)
		x.rt.Waits.leave()
		if err != nil {
			return err
		}
		place = turn.Place
	}
}

// spare bounds how many sign-ins a strained store is given. It comes before the line, whose places are used up.
func (x *exchange) spare() error {
	if x.rt.Strained == nil || x.verdict.State != shed.Strained {
		return nil
	}
	charge, wait := x.rt.Strained.Take(&x.life, quota.TextKey("strained"))
	if wait > 0 {
		return &Error{Outcome: record.LinedUp, Reason: reasonStrained, Wait: wait}
	}
	x.took, x.goes = true, true
	x.charges = append(x.charges, charge)
	return nil
}

// sleep waits for a place in the line, and looks at the store again without waiting for it.
func (x *exchange) sleep(d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return x.obey(x.monitor.Current())
	case <-x.life.Done():
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
		if ok && !at.Before(x.verdict.Opened.Add(-skew)) && x.store.Line.Goes(now, id) {
			x.admission = id
			return true
		}
	}
	return false
}

// skew is how far the clocks of two Gatehouses, and what they know of the store, may lie apart.
const skew = 5 * time.Second

// useAdmission counts a request that is about to be sent for an admission. Those that came at the same time may be too many.
func (x *exchange) useAdmission() error {
	if x.admission == 0 || x.store.Line.Use(time.Now(), x.admission) {
		return nil
	}
	turn := x.store.Line.TurnedAway(time.Now(), x.place())
	return &Error{Outcome: record.LinedUp, Reason: reasonRamp, Turn: &turn}
}

// journey tells the visitor's browser how far he has come with signing in. It is called with an answer that will be delivered.
// What looks like the end may be the way to a second factor or to an identity provider and back, so whoever took a place may go on;
// and so may one who needed none here, while another Gatehouse may still have a line.
func (x *exchange) journey(head *h1.Head) {
	if x.goes {
		x.admit(head)
	}
	if x.signIn == signInGiven {
		for range x.owned(session.PlaceCookie) {
			x.lay(head, session.PlaceCookie, "", 0)
			break
		}
	}
}

// admit gives the visitor what lets him go on without lining up again. An answer with it is his alone.
func (x *exchange) admit(head *h1.Head) {
	now := time.Now()
	x.lay(head, session.AdmissionCookie, x.rt.Seal.Admission(x.request.Client, now), session.AdmissionLife)
	head.Set("Cache-Control", "private, no-store")
}

// standInLine gives a sign-in that a closed store turns away its place in the line. One who had been let in stands where he stood.
func (x *exchange) standInLine(e *Error) {
	if e.Kind != page.Degraded || e.Turn != nil || x.route == nil || !x.route.SignIn || !x.asks {
		return
	}
	v := x.monitor.Current()
	if !v.State.Impaired() {
		return
	}
	x.store.Line.Follow(x.monitor, v)
	place := x.place()
	if x.took {
		place = x.store.Line.Return(place)
	}
	turn := x.store.Line.TurnedAwayUntil(time.Now(), place, x.monitor.HeldUntil())
	e.Turn = &turn
}

// tellTurn sends along what the visitor needs so that he does not have to begin again: his place in the line, or that he has left
// it already, where the pool then had no room.
func (x *exchange) tellTurn(head *h1.Head, e *Error) {
	switch {
	case e.Turn != nil:
		if p := e.Turn.Place; p != x.place() {
			x.lay(head, session.PlaceCookie, x.rt.Seal.Place(p.Seen, p.ID, x.request.Client), placeLife)
		}
	case x.took:
		x.admit(head)
	}
}

// placeLife is how long a browser keeps a place: longer than people wait.
const placeLife = 4 * time.Hour

// boundPlace keeps one network from taking the line for itself: it is given so many new places a second, and who comes beyond that
// is told when to come again and no more. He has his place when he does.
func (x *exchange) boundPlace(e *Error) {
	if e.Turn == nil || e.Turn.Kept || x.rt.NewPlaces == nil || !x.request.Client.IsValid() {
		return
	}
	if _, wait := x.rt.NewPlaces.Take(&x.life, quota.AddrKey(x.request.Client)); wait > 0 {
		e.Wait, e.Turn = e.Turn.Wait, nil
	}
}

// report tells the line how a sign-in went, so that the ramp gives way where they go badly. A form that is only looked at takes
// another time than a password that is checked, and says nothing.
func (x *exchange) report(answer *upstream.Answer, err error, took time.Duration, whole bool) {
	if x.store == nil || !x.route.SignIn || !x.asks {
		return
	}
	failed := whole && errors.Is(err, upstream.ErrLate) || errors.Is(err, upstream.ErrBroken) || errors.Is(err, upstream.ErrConnect)
	switch {
	case failed, err == nil && x.attempts():
		x.tellCuts(x.store.Line.Report(time.Now(), failed || answer.Status >= 500, took))
	case err == nil, !whole:
		x.store.Line.Heard(time.Now(), 0)
	default:
		x.store.Line.Heard(time.Now(), took)
	}
}

// tellCuts notes that the ramp gave way.
func (x *exchange) tellCuts(cuts int) {
	if cuts > 0 {
		now := time.Now()
		x.handler.Record.RampCut(now, x.store.Name, x.store.Line.Load(now).Rate)
	}
}
