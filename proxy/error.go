package proxy

import (
	"errors"
	"time"

	"gatehouse/proxy/intake"
	"gatehouse/proxy/record"
	"gatehouse/proxy/upstream"
	"gatehouse/shed"
	"gatehouse/shed/line"
	"gatehouse/shed/page"
)

// Error is an exchange that did not end in a backend's answer: what became of it, and why.
type Error struct {
	Outcome record.Outcome
	Reason  shed.Reason
	Kind    page.Kind     // which page; by default that of the store
	Status  int           // of the answer; 0: the page's own
	Wait    time.Duration // when the visitor may come again, where it is known better than by the backlog
	Turn    *line.Turn    // the visitor's place in the line; nil: he stands in none
	Err     error         // what is behind it, for the log
}

// Error returns the outcome and the reason.
func (e *Error) Error() string {
	s := e.Outcome.String() + ": " + string(e.Reason)
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}

// Unwrap returns what is behind it.
func (e *Error) Unwrap() error { return e.Err }

// The reasons that this package adds to those of the store and of intake.
const (
	reasonQuota     shed.Reason = "quota"
	reasonPageRate  shed.Reason = "page_rate"
	reasonRamp      shed.Reason = "ramp"
	reasonStrained  shed.Reason = "strained"
	reasonFull      shed.Reason = "pool_full"
	reasonQueue     shed.Reason = "queue_timeout"
	reasonDisplaced shed.Reason = "displaced"
	reasonNoRoute   shed.Reason = "no_route"
	reasonAmbiguous shed.Reason = "ambiguous_path"
	reasonBody      shed.Reason = "body_broken"
	reasonRequest   shed.Reason = "request"
	reasonConnect   shed.Reason = "backend_unreachable"
	reasonBroken    shed.Reason = "backend_broken"
	reasonLate      shed.Reason = "backend_late"
	reasonDeadline  shed.Reason = "call_deadline"
	reasonCut       shed.Reason = "backend_cut"
	reasonNone      shed.Reason = "no_backend"
	reasonUpgrade   shed.Reason = "upgrade"
	reasonGone      shed.Reason = "visitor_gone"
	reasonInternal  shed.Reason = "internal"
)

var (
	errGone      = errors.New("the visitor went away")
	errNoRoute   = errors.New("no route matches")
	errPanic     = errors.New("a mistake of our own; the event log has the stack")
	errAmbiguous = errors.New("the path can be read as another route's")
)

// statusGone is what the log and the metrics say of a visitor who left before there was an answer.
const statusGone = 499

// classify is the one table from what went wrong to what is made of it.
func classify(err error) *Error {
	if known, ok := errors.AsType[*Error](err); ok {
		e := *known
		switch e.Outcome {
		case record.LinedUp:
			e.Kind = page.LinedUp
		case record.Limited:
			e.Kind, e.Status = page.Limited, 429
		case record.Error:
			e.Kind, e.Status = page.Failed, 502
		}
		return &e
	}
	if refusal, ok := errors.AsType[*intake.Refusal](err); ok {
		return &Error{Outcome: record.Rejected, Kind: page.Rejected, Status: refusal.Status, Reason: refusal.Reason}
	}
	switch {
	case errors.Is(err, errNoRoute):
		return &Error{Outcome: record.Rejected, Kind: page.NotFound, Status: 404, Reason: reasonNoRoute}
	case errors.Is(err, errAmbiguous):
		return &Error{Outcome: record.Rejected, Kind: page.Rejected, Status: 400, Reason: reasonAmbiguous}
	case errors.Is(err, shed.ErrFull):
		return &Error{Outcome: record.Shed, Kind: page.Shed, Status: 503, Reason: reasonFull}
	case errors.Is(err, shed.ErrLate):
		return &Error{Outcome: record.Shed, Kind: page.Shed, Status: 503, Reason: reasonQueue}
	case errors.Is(err, shed.ErrDisplaced):
		return &Error{Outcome: record.Shed, Kind: page.Shed, Status: 503, Reason: reasonDisplaced}
	case errors.Is(err, upstream.ErrVisitor):
		return &Error{Outcome: record.Rejected, Kind: page.Rejected, Status: 400, Reason: reasonBody, Err: err}
	case errors.Is(err, upstream.ErrRequest):
		return &Error{Outcome: record.Rejected, Kind: page.Rejected, Status: 400, Reason: reasonRequest, Err: err}
	case errors.Is(err, upstream.ErrNoBackend):
		return &Error{Outcome: record.Error, Kind: page.Failed, Status: 503, Reason: reasonNone}
	case errors.Is(err, upstream.ErrConnect):
		return &Error{Outcome: record.Error, Kind: page.Failed, Status: 502, Reason: reasonConnect, Err: err}
	case errors.Is(err, upstream.ErrDeadline):
		return &Error{Outcome: record.Error, Kind: page.Failed, Status: 504, Reason: reasonDeadline, Err: err}
	case errors.Is(err, upstream.ErrLate):
		return &Error{Outcome: record.Error, Kind: page.Failed, Status: 504, Reason: reasonLate, Err: err}
	case errors.Is(err, upstream.ErrBroken):
		return &Error{Outcome: record.Error, Kind: page.Failed, Status: 502, Reason: reasonBroken, Err: err}
	default:
		return &Error{Outcome: record.Error, Kind: page.Internal, Status: 500, Reason: reasonInternal, Err: err}
	}
}
