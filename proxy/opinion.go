package proxy

import (
	"gatehouse/proxy/record"
	"gatehouse/proxy/upstream"
	"gatehouse/shed"
)

// secondOpinion asks the overflow pool's app what it says of a session that the app of the route's own pool denies, where the store of
// that one is in trouble: whoever signed in over there meanwhile has his session there alone. It returns the answer that he gets, or nil
// where he gets what he would have got without it: nobody over there can be asked, or they know him no better, or they failed.
//
// denial is closed where somebody else is asked; nothing of it has been delivered. What is asked twice only looks. The second time costs a
// retry of the route's pool, so that many who have no session anywhere cannot double what the other pool has to do, and a place that it
// lends; and it takes no longer than a request may take while a store is impaired, since somebody waits for his page.
func (x *exchange) secondOpinion(denial *upstream.Answer) *upstream.Answer {
	if !x.mayAskOver() || !x.mayLend() {
		return nil
	}
	home, verdict, first := x.pool, x.verdict, x.entry
	claim, ok := x.borrow(new(upstream.Tried))
	if !ok {
		return nil
	}
	if x.retry(home) {
		x.claim.End(x.outcome)
		_ = denial.Body.Close()
		x.entry.At.Head = 0
		if answer := x.askOver(claim); answer != nil {
			if fine(answer.Status) { // who is sent somewhere else need not be known there
				x.keepElsewhere()
			}
			x.tellAs(record.GuardSecondOpinion)
			return answer
		}
	} else {
		claim.End(unused)
	}
	// What is told of the exchange is what the page is about: the route's own pool, and its store.
	x.moveBack()
	x.verdict = verdict
	x.entry.Backend, x.entry.At = first.Backend, first.At
	return nil
}

// mayAskOver reports whether a request may be asked of the overflow pool although it was answered, and what is asked there would meet
// another store. While a trial runs that one was asked first.
func (x *exchange) mayAskOver() bool {
	return x.carries && x.safe() && x.v.Length() == 0 && !x.trying && x.pool != x.route.Overflow && x.apart() && x.route.OverflowStore != nil
}

// askOver sends the request to that backend of the overflow pool, if its store can give what the request needs, and returns the answer;
// nil where there is none, or none that may be delivered for that of the route's own pool: one that shows that he is not known there, or
// does not show that he is.
func (x *exchange) askOver(claim upstream.Claim) *upstream.Answer {
	if err := x.again(true); err != nil {
		claim.End(unused)
		return nil
	}
	request := x.outgoing()
	watch := x.beginWatch(new(watch)) // the first may be told still of what its store does
	defer watch.stop()
	watch.hurry()
	request.Sending = watch.sending
	answer, err := x.send(request, watch, claim)
	x.learn(answer, err)
	if err != nil {
		return nil
	}
	h, j, _ := x.judgement(answer, nil)
	failed := h.Suspect() || h.Status >= 400 || x.life.Err() != nil
	if failed || j.Fate == shed.Page || h.Denies || h.Deletes || h.Changes {
		_ = answer.Body.Close()
		return nil
	}
	x.hold(&answer.Head, j.Hold)
	return answer
}

// hurry bounds what is left of the watch's time as if the store were impaired.
func (w *watch) hurry() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.shorten()
}
