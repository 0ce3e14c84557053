package proxy

import (
	"errors"
	"io"
	"math"
	"strings"
	"sync"
	"time"

	"gatehouse/proxy/edge"
	"gatehouse/proxy/h1"
	"gatehouse/proxy/intake"
	"gatehouse/proxy/record"
	"gatehouse/proxy/upstream"
	"gatehouse/shed"
)

// copySize is how much of a body is in our hands at once: enough that a large one costs few calls, little enough that a
// thousand slow visitors cost 32 MiB.
const copySize = 32 << 10

var buffers = sync.Pool{New: func() any { return new([copySize]byte) }}

// deliver commits a backend's head and copies its body.
func (x *exchange) deliver(a *upstream.Answer) error {
	if a.Tunnel != nil {
		return x.tunnel(a)
	}
	defer a.Body.Close()
	x.ended(a)
	intake.CleanAnswer(&a.Head)
	a.Head.Set("X-Request-Id", x.id)
	switch {
	case events(a):
		x.leavePool() // it may stay for hours, and costs the pool next to nothing
	case calls(a): // so may a call that streams, which shows only by going on
		later := time.AfterFunc(slowAfter, x.leavePool)
		defer later.Stop()
	}
	x.commit(a.Status)
	if err := x.v.Answer(a.Status, a.Head, a.Length, true); err != nil {
		return errGone
	}
	if x.v.Method() == "HEAD" {
		return nil
	}
	if err := x.copyBody(a); err != nil {
		return err
	}
	return x.sendTrailer(a.Trailer())
}

// sendTrailer passes a trailer on, cleaned as the head was.
func (x *exchange) sendTrailer(trailer h1.Head) error {
	intake.CleanAnswer(&trailer)
	dropOwn(&trailer)
	x.holdAside(&trailer)
	if len(trailer) > 0 {
		if err := x.v.SendTrailer(trailer); err != nil {
			return errGone
		}
	}
	return nil
}

// events reports whether an answer is a stream of events (HTML Living Standard section 9.2).
func events(a *upstream.Answer) bool {
	kind, _, _ := strings.Cut(a.Head.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(kind), "text/event-stream")
}

// calls reports whether an answer is that of a gRPC call, of which nobody knows how much will come.
func calls(a *upstream.Answer) bool {
	return a.Length < 0 && strings.HasPrefix(a.Head.Get("Content-Type"), "application/grpc")
}

func (x *exchange) commit(status int) {
	x.committed = true
	x.entry.Status = status
	x.entry.Outcome = record.Proxied
}

// copyBody passes bytes on as they come: whenever a backend has no more to say at the moment, what it said is sent. A head whose
// body has no known length may be followed by nothing for a long time, so it is sent at once; any other goes out with the
// first bytes of its body, in one write where that is small.
func (x *exchange) copyBody(a *upstream.Answer) error {
	if a.Length < 0 {
		if err := x.v.Flush(); err != nil {
			return errGone
		}
	}
	buf := buffers.Get().(*[copySize]byte)
	reader := &x.reader
	reader.x = x
	defer reader.stop()
	for {
		n, err := a.Body.Read(buf[:])
		if n > 0 {
			reader.begin()
			if _, err := x.v.Write(buf[:n]); err != nil {
				return errGone
			}
			x.entry.BytesOut += int64(n)
			if n < copySize && x.entry.BytesOut != a.Length && err == nil {
				if err := x.v.Flush(); err != nil {
					return errGone
				}
			}
			reader.end()
		}
		switch {
		case err == io.EOF:
			buffers.Put(buf) // nobody has it: where a write fails HTTP/2 may still be reading it
			return nil
		case errors.Is(x.life.Err(), shed.ErrDisplaced):
			x.shed(shed.ErrDisplaced)
			return shed.ErrDisplaced
		case x.v.Context().Err() != nil:
			return errGone
		case err != nil:
			x.outcome.Err = err
			x.claim.End(x.outcome)
			if errors.Is(err, upstream.ErrVisitor) {
				return &Error{Outcome: record.Error, Reason: reasonBody, Err: err}
			}
			return &Error{Outcome: record.Error, Reason: reasonCut, Err: err}
		}
	}
}

// tunnel joins visitor and backend after an upgrade, byte for byte, until both ways have ended. The permit goes back at the
// head: a connection that may live for hours would otherwise fill the pool by waiting.
func (x *exchange) tunnel(a *upstream.Answer) error {
	defer a.Tunnel.Close()
	head := a.Head
	intake.CleanAnswer(&head)
	head.Set("Connection", "Upgrade")
	head.Set("Upgrade", "websocket")
	head.Set("X-Request-Id", x.id)
	conn, early, err := x.v.Upgrade(head)
	switch {
	case errors.Is(err, edge.ErrNoUpgrade):
		return &Error{Outcome: record.Error, Reason: reasonUpgrade, Err: err}
	case err != nil:
		return errGone
	}
	defer conn.Close()
	x.commit(101)
	x.leavePool()
	tunnels := &x.pool.tunnels
	tunnels.Add(1)
	defer tunnels.Add(-1)

	// When one way has ended, the other may still have something to say, but not for ever.
	rest := time.AfterFunc(math.MaxInt64, func() { _, _ = conn.Close(), a.Tunnel.Close() })
	defer rest.Stop()
	done := make(chan struct{})
	go func() {
		defer close(done)
		n, err := io.Copy(a.Tunnel, early)
		x.body.n.Store(n)
		endWrites(a.Tunnel, err)
		rest.Reset(halfOpen)
	}()
	n, err := io.Copy(conn, a.Tunnel)
	x.entry.BytesOut = n
	endWrites(conn, err)
	rest.Reset(halfOpen)
	<-done
	return nil
}

// halfOpen is how long one way of a tunnel may outlast the other.
const halfOpen = 5 * time.Minute

// endWrites passes the end of one way on: a clean end as a half-close, so that the other way may go on; a failure as a close,
// which ends the other way too.
func endWrites(w io.ReadWriteCloser, err error) {
	half, ok := w.(interface{ CloseWrite() error })
	if err != nil || !ok || half.CloseWrite() != nil {
		_ = w.Close()
	}
}
