package proxy

import (
	"errors"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"time"

	"gatehouse/proxy/h1"
	"gatehouse/proxy/intake"
	"gatehouse/proxy/record"
	"gatehouse/routing"
	"gatehouse/shed/page"
	"gatehouse/shed/quota"
)

// fail is the one place where an error becomes an answer.
func (x *exchange) fail(err error) {
	if errors.Is(err, errGone) || x.v.Context().Err() != nil {
		x.gone()
		return
	}
	e := x.endInstead(classify(err))
	x.noteTurned(e)
	x.entry.Outcome, x.entry.Reason = e.Outcome, string(e.Reason)
	if e.Err != nil {
		x.entry.Err = e.Err.Error()
	}
	if x.committed {
		x.v.Abort()
		return
	}
	if refusal, ok := errors.AsType[*intake.Refusal](err); ok && refusal.Close {
		x.v.CloseAfter()
	}
	x.standInLine(e)
	x.boundPlace(e)
	e = x.pace(e)
	// Whoever reads the page slowly holds nobody else's place.
	x.claim.End(x.outcome)
	x.leavePool()
	x.answer(e)
}

func (x *exchange) gone() {
	if !x.committed && x.sent && x.wish() {
		x.refuseFromHere() // nobody will see how the app took it
	}
	x.entry.Outcome, x.entry.Reason = record.Error, string(reasonGone)
	if !x.committed {
		x.entry.Status = statusGone
	}
	x.v.Abort()
}

// pace bounds how many pages are made for whom: beyond the rate the answer is a 429 of a few bytes. A refusal, a missing
// route and a wish to sign out are answered as they are: nothing brings those back in a herd.
func (x *exchange) pace(e *Error) *Error {
	if e.Kind == page.Limited || e.Kind == page.SignedOut || e.Outcome == record.Rejected {
		return e
	}
	charge, wait := x.rt.PerAddress.Take(&x.life, quota.AddrKey(x.request.Client))
	if wait == 0 {
		if _, wait = x.rt.PerClient.Take(&x.life, x.who()); wait > 0 {
			charge.Refund()
		}
	}
	if wait == 0 {
		return e
	}
	x.entry.Outcome, x.entry.Reason = record.Limited, string(reasonPageRate)
	return &Error{Outcome: record.Limited, Reason: reasonPageRate, Kind: page.Limited, Status: 429, Wait: wait, Turn: e.Turn}
}

// who tells visitors behind one address apart as well as may be: by their place in the line, by the session they carry, else by
// their browser. Whoever makes such marks up meets the limit of his address.
func (x *exchange) who() quota.Key {
	var room [192]byte
	mark := append(x.request.Client.AppendTo(room[:0]), 0)
	if p := x.place(); p.ID != 0 {
		mark = strconv.AppendUint(append(mark, "place\x00"...), p.ID, 36)
	} else if x.carries {
		mark = append(mark, x.session...)
	} else {
		mark = append(append(append(mark, x.head.Get("User-Agent")...), 0), x.head.Get("Accept-Language")...)
	}
	return quota.TextKey(string(mark))
}

// answer makes the page and sends it.
func (x *exchange) answer(e *Error) {
	ask := page.Ask{
		Head: x.v.Method() == "HEAD", Accept: list(*x.head, "Accept"), Language: list(*x.head, "Accept-Language"),
		ContentType: x.head.Get("Content-Type"), Kind: e.Kind, Status: e.Status, Outcome: e.Outcome.String(),
		Reason: string(e.Reason), Wait: x.wait(e), Restart: x.restart(e), Refresh: x.safe() || !x.sent, RequestID: x.id,
		Carries: x.carries && !x.lost(),
	}
	if e.Turn != nil && e.Kind != page.Limited {
		ask.InLine, ask.Ahead, ask.Waited = true, e.Turn.Ahead, time.Since(e.Turn.Place.Seen)
	}
	if ask.Status == 0 {
		ask.Status = x.rt.Status
	}
	made := pages.Get().(*pageAnswer)
	x.rt.Page.MakeInto(&made.Answer, ask)
	head := &made.head
	for _, l := range made.Lines {
		*head = append(*head, h1.Line(l))
	}
	head.Add("X-Request-Id", x.id)
	if e.Kind == page.SignedOut {
		x.expire(head)
	}
	x.tellTurn(head, e)
	if e.Kind == page.Limited && e.Turn != nil && x.safe() { // his few bytes have no refresh of their own
		head.Add("Refresh", strconv.FormatInt(int64((ask.Wait+time.Second-1)/time.Second), 10))
	}
	x.committed, x.entry.Status = true, made.Status
	if err := x.v.Answer(made.Status, *head, int64(made.Length), false); err != nil {
		x.v.Abort()
		return
	}
	if ask.Head {
		made.done()
		return
	}
	n, err := x.v.Write(made.Body)
	x.entry.BytesOut = int64(n)
	if err != nil {
		x.v.Abort()
		return
	}
	made.done()
}

// pageAnswer is a page with its head, in memory that is used again. A Visitor's Answer and Write keep nothing of what they are given
// once they returned without an error. A Write that failed is different: on a stream of HTTP/2 that was reset the server may still be
// reading what it was given.
type pageAnswer struct {
	page.Answer
	head h1.Head
}

var pages = sync.Pool{New: func() any { return new(pageAnswer) }}

// done gives it to the next page; not to be called after an error. Nothing of this one's visitor stays in its head.
func (a *pageAnswer) done() {
	clear(a.head)
	a.head = a.head[:0]
	pages.Put(a)
}

// lost reports whether the store came back without what it held, so that nobody can be told that he was not signed out.
func (x *exchange) lost() bool { return x.monitor != nil && x.monitor.Current().Lost }

// wait is when the visitor is told to come again: never where coming again cannot help, and never sooner than what is
// waiting can be served. A quota knows its own time, and those it turned away in one moment do not come back in one.
func (x *exchange) wait(e *Error) time.Duration {
	switch {
	case e.Kind == page.Rejected, e.Kind == page.NotFound, e.Kind == page.SignedOut:
		return 0
	case e.Turn != nil:
		return e.Turn.Wait // spread already, and it is his turn then
	case e.Reason == reasonQuota:
		return e.Wait + rand.N(min(max(e.Wait/2, time.Second), 30*time.Second))
	}
	return max(e.Wait, x.rt.Page.Wait(time.Now(), x.rt.WaitRate))
}

// restart is where the page leads back to. Nobody signs out twice.
func (x *exchange) restart(e *Error) string {
	switch {
	case x.route != nil && x.route.Restart != "":
		return x.route.Restart
	case e.Kind == page.SignedOut:
		return "/"
	case x.safe() && x.target.RawPath != "":
		return x.target.RawPath
	default:
		return "/"
	}
}

// reportAmbiguous names both routes in the log, so that the operator can decide which one is meant.
// Any stranger can cause such a line, so there is one a second at the most.
func (x *exchange) reportAmbiguous(m routing.Match[*Route]) {
	now, last := time.Now().Unix(), x.handler.told.Load()
	if now == last || !x.handler.told.CompareAndSwap(last, now) {
		return
	}
	x.handler.Log.Warn("ambiguous path", "request_id", x.id, "path", x.target.RawPath,
		"route", x.rt.routeName(m.Index), "other_route", x.rt.routeName(m.Other), "reading", m.Reading.String())
}

// list joins the lines of a field into one list (RFC 9110 section 5.3).
func list(head h1.Head, name string) string {
	first, ok := head.Field(name, 0)
	if !ok {
		return ""
	}
	if _, more := head.Field(name, 1); !more {
		return first
	}
	all := []string{first}
	for i := 1; ; i++ {
		v, ok := head.Field(name, i)
		if !ok {
			return strings.Join(all, ", ")
		}
		all = append(all, v)
	}
}
