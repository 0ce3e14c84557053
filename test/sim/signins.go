package sim

import (
	"context"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// Trace is what happened to sign-ins in one run.
type Trace struct {
	Asked    Moments // every attempt, at Gatehouse's door
	Returns  Moments // of them, those of visitors who had been there before and honour what they are told
	Told     Moments // the page: come again
	Admitted Moments // past the store and the line
	Shed     Moments // admitted, and turned away by the gate
	Done     Moments // signed in, and the visitor was still there
	Waited   Moments // of them, those who came first while the store was away
	Failed   Moments
	Late     Moments // the visitor had gone before the answer
	GaveUp   Moments // visitors who will not try again
	Took     Times   // of those signed in: from the door to the answer

	Outside Series // visitors who are not signed in and have not given up
	Busy    Series // jobs at the login servers
	Rate    Series // what the line says it admits a second; +Inf: no ramp

	outside atomic.Int64
}

func (t *Trace) came() { t.outside.Add(1) }
func (t *Trace) left() { t.outside.Add(-1) }

// Outage is a simulation of sign-ins around one outage of the session store.
type Outage struct {
	From, To, Length time.Duration // when the store closes and opens again, and when the simulation ends
	Step             time.Duration // between two readings of the gauges
	Seed             uint64
}

// Run lets come, one after the other, whoever next returns, until it returns false; each at the moment it says. It closes and
// opens the door when it is time, and returns when everybody has left. It must be called in a synctest bubble.
func (o Outage) Run(d *Door, next func() (at time.Duration, v *visitor, ok bool)) *Trace {
	d.Trace, d.clock = &Trace{}, clock{time.Now()}
	ctx, stop := context.WithTimeout(context.Background(), o.Length)
	defer stop()
	var all sync.WaitGroup
	defer all.Wait()
	all.Go(func() {
		time.Sleep(o.From)
		d.Close()
		time.Sleep(o.To - o.From)
		d.Open()
	})
	read := func(into *Series, what func() float64) {
		all.Go(func() { *into = gauge(d.clock, o.Length, o.Step, what) })
	}
	read(&d.Trace.Outside, func() float64 { return float64(d.Trace.outside.Load()) })
	read(&d.Trace.Busy, func() float64 { return float64(d.Server.Busy()) })
	if d.Line != nil {
		read(&d.Trace.Rate, func() float64 { return d.Line.Load(time.Now()).Rate })
	}
	for at, v, ok := next(); ok && at < o.Length; at, v, ok = next() {
		time.Sleep(at - d.clock.now())
		all.Go(func() { v.signIn(ctx) })
	}
	return d.Trace
}

// poisson returns a source of moments at which visitors come who know nothing of each other, so many a second on the average.
func poisson(seed uint64, perSecond float64) func() time.Duration {
	rng := rand.New(rand.NewPCG(seed, 0))
	var at time.Duration
	return func() time.Duration {
		at += time.Duration(rng.ExpFloat64() / perSecond * float64(time.Second))
		return at
	}
}
