package proxy

import (
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync/atomic"

	"gatehouse/proxy/edge"
	"gatehouse/proxy/record"
)

// Handler takes visitors through the live Runtime. It is an edge.Handler.
//
// Set its fields before its first use; Swap must have been called before the first visitor comes. It is safe for concurrent
// use.
type Handler struct {
	Record *record.Recorder
	Log    *slog.Logger // events that are not an exchange

	live   atomic.Pointer[Runtime]
	alarms alarms
	told   atomic.Int64 // when an ambiguous path was last reported, in Unix seconds
}

// Live returns the Runtime that the next exchange begins on; nil before the first Swap.
func (h *Handler) Live() *Runtime { return h.live.Load() }

// Swap makes rt live and returns what was live before, nil at first. The caller owes that one Retire.
func (h *Handler) Swap(rt *Runtime) *Runtime { return h.live.Swap(rt) }

// maxStack is how much of a stack is logged.
const maxStack = 4 << 10

// Serve takes one visitor through, and returns when the exchange has ended.
func (h *Handler) Serve(v edge.Visitor) {
	x := exchange{handler: h, rt: h.pin(), v: v}
	defer x.finish()
	defer func() {
		if p := recover(); p != nil {
			stack := debug.Stack()
			h.Log.Error("a panic ended an exchange", "panic", fmt.Sprint(p), "stack", string(stack[:min(len(stack), maxStack)]))
			x.fail(errPanic)
		}
	}()
	x.begin()
	if err := x.run(); err != nil {
		x.fail(err)
	}
}

// Refused writes down a head that was refused before there was an exchange.
func (h *Handler) Refused(r edge.Refused) {
	h.Record.Exchange(nil, &record.Entry{
		Arrived: r.At, RequestID: newID(), Method: r.Method, Target: r.Target, Scheme: scheme(r.Secure), Proto: r.Proto, Peer: r.Peer, Client: r.Peer.Addr(),
		Outcome: record.Rejected, Reason: r.Reason, Status: r.Status, BytesOut: r.BytesOut,
	})
}

func scheme(secure bool) string {
	if secure {
		return "https"
	}
	return "http"
}

// pin returns the live Runtime, held until its release. A Runtime that drained between the load and the pin has been replaced.
func (h *Handler) pin() *Runtime {
	for {
		if rt := h.live.Load(); rt.pin() {
			return rt
		}
	}
}
