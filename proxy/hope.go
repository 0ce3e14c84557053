package proxy

import (
	"context"
	"errors"
	"time"

	"gatehouse/proxy/upstream"
	"gatehouse/shed"
)

// try lets a read go on although the store is said to be down, if a trial is due: the fault may be the prober's own. Signing in
// and out are no trials, since they leave something behind.
func (x *exchange) try() bool {
	if x.triable() {
		x.trial, x.trying = x.monitor.Trial()
	}
	return x.trying
}

// sample has a read that goes on anyway say whether trials were right, where they have decided.
func (x *exchange) sample() {
	if x.verdict.State == shed.Unknown && x.triable() {
		x.trial, _ = x.monitor.Trial()
	}
}

func (x *exchange) triable() bool {
	return x.route.Need == shed.NeedRead && !x.route.SignIn && !x.route.SignOut && x.safe()
}

// tried ends the trial by what the app answered. Who is told to sign in while the prober says down may have no session at all;
// once trials have decided it counts, since nothing else would show an app that turns everybody away. What never reached an app
// says nothing.
func (x *exchange) tried(h shed.Head, err error) {
	switch denied := h.Denies || h.Deletes || h.Changes; {
	case errors.Is(err, upstream.ErrConnect), errors.Is(err, upstream.ErrNoBackend), denied && x.trying && h.Status < 500:
		x.trial.Forget()
	default:
		x.trial.End(err == nil && h.Status < 500 && !denied)
	}
}

// hope holds a request that err would turn away, for as long as its route says, in case the store can be written again before: a
// one-time code is good only once.
func (x *exchange) hope(err error) error {
	if x.route.Wait <= 0 || !x.rt.Waits.enter() {
		return err
	}
	defer x.rt.Waits.leave()
	ctx, cancel := context.WithDeadline(&x.life, x.hopeUntil())
	defer cancel()
	for err != nil && !errors.Is(err, errGone) && ctx.Err() == nil {
		x.await(ctx)
		if x.goOver() {
			return nil
		}
		err = x.obey(x.permission(ctx))
	}
	return err
}

// await waits for a store that can give what the request needs; where the overflow pool has one of its own, no longer than that one may be
// left out of sight.
func (x *exchange) await(ctx context.Context) {
	if x.apart() {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, glance)
		defer cancel()
	}
	x.monitor.Await(ctx, func(v shed.Verdict) bool {
		return shed.Decide(x.route.Need, x.carries, x.concern(v)).Action == shed.Pass
	})
}

// glance is how often somebody who is held looks at the other store.
const glance = 100 * time.Millisecond

// hopeUntil is how long the request may be held before it is turned away.
func (x *exchange) hopeUntil() time.Time { return x.entry.Arrived.Add(x.route.Wait) }
