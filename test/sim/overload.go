package sim

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"gatehouse/shed"
)

// Overload is a pool that is asked for more than it can do: half of its capacity, all of it, twice, three times, and half
// again, for a while each. Requests of all classes come as they do on a mixed site, each by somebody who waits one to two
// seconds for an answer and then goes away. The pool has as many cores as its limit has permits, so that a permit is a core, and
// what it is in the middle of it finishes.
type Overload struct {
	Capacity float64                  // requests a second that the pool can do
	Limit    int                      // permits
	Length   int                      // the queue
	Timeout  time.Duration            // of the queue
	Patience time.Duration            // of a visitor, on the average
	Mix      [shed.NumClasses]float64 // part of the requests that each class has
	Steps    []float64                // what is asked, as a part of the capacity
	Each     time.Duration            // how long a step lasts
	Seed     uint64

	// Server is what does the work; nil: a permit is a core.
	Server func() *Server
}

// TheOverload is the one of the simulation: see Overload.
func TheOverload() Overload {
	return Overload{
		Capacity: 200, Limit: 20, Length: 400, Timeout: 2 * time.Second, Patience: 1500 * time.Millisecond,
		Mix:   [shed.NumClasses]float64{0.40, 0.05, 0.15, 0.25, 0.15},
		Steps: []float64{0.5, 1, 2, 3, 0.5}, Each: 15 * time.Second, Seed: 3,
	}
}

// Long is how long the simulation lasts.
func (o Overload) Long() time.Duration { return time.Duration(len(o.Steps)) * o.Each }

// ClassTrace is what happened to the requests of one class.
type ClassTrace struct {
	Asked, Done, Refused, Gone Moments
	Took                       Times   // of those done
	Good                       Moments // when those came who were answered in time
}

// Served returns which part of those who came in [from, to) were answered in time.
func (t *ClassTrace) Served(from, to time.Duration) float64 {
	return float64(t.Good.Count(from, to)) / float64(max(1, t.Asked.Count(from, to)))
}

// OverloadTrace is what happened in one run.
type OverloadTrace struct {
	Classes [shed.NumClasses]ClassTrace
	Queued  Series
	Limit   Series // of the pool; 0: none
	Busy    Series // requests that the Server works on
}

// Protected runs it behind a Gate with the default shares, Unprotected behind FIFO.
func (o Overload) Protected() *OverloadTrace {
	g := new(shed.Gate)
	g.Set(shed.GateSettings{Limit: o.Limit, Length: o.Length, Timeout: o.Timeout, Shares: shares(), Reserve: 0.10})
	return o.run(Gated{g})
}

// Unprotected: see Protected.
func (o Overload) Unprotected() *OverloadTrace {
	return o.run(&FIFO{Limit: o.Limit, Length: o.Length, Timeout: o.Timeout})
}

// run must be called in a synctest bubble.
func (o Overload) run(e Entrance) *OverloadTrace {
	t, c := &OverloadTrace{}, clock{time.Now()}
	rng := rand.New(rand.NewPCG(o.Seed, 0))
	var server *Server
	if o.Server != nil {
		server = o.Server()
	}
	var all sync.WaitGroup
	defer all.Wait()
	read := func(into *Series, what func() int) {
		all.Go(func() { *into = gauge(c, o.Long(), time.Second, func() float64 { return float64(what()) }) })
	}
	read(&t.Queued, func() int { queued, _ := e.Load(); return queued })
	read(&t.Limit, func() int { _, limit := e.Load(); return limit })
	if server != nil {
		read(&t.Busy, server.Busy)
	}
	for at := time.Duration(0); ; {
		step := int(at / o.Each)
		if step >= len(o.Steps) {
			return t
		}
		at += time.Duration(rng.ExpFloat64() / (o.Capacity * o.Steps[step]) * float64(time.Second))
		class := o.class(rng.Float64())
		work := time.Duration((0.5 + rng.Float64()) * float64(o.Limit) / o.Capacity * float64(time.Second))
		time.Sleep(at - c.now())
		patience := time.Duration((2 + rng.Float64()*2) / 3 * float64(o.Patience))
		all.Go(func() { o.request(c, e, server, &t.Classes[class], class, work, patience) })
	}
}

// request is the life of one request.
func (o Overload) request(c clock, e Entrance, s *Server, t *ClassTrace, class shed.Class, work, patience time.Duration) {
	came := c.now()
	t.Asked.Add(came)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	leave, err := e.Enter(ctx, class)
	switch {
	case ctx.Err() != nil && err != nil:
		t.Gone.Add(c.now())
		return
	case err != nil:
		t.Refused.Add(c.now())
		return
	}
	began, took := time.Now(), time.Duration(0)
	if s == nil {
		time.Sleep(work)
	} else {
		err = s.Do(ctx, work)
	}
	if ctx.Err() == nil {
		took = time.Since(began)
	}
	leave(took)
	switch {
	case ctx.Err() != nil:
		t.Gone.Add(c.now())
		return
	case err != nil:
		t.Refused.Add(c.now())
		return
	}
	t.Good.Add(came)
	t.Done.Add(c.now())
	t.Took.Add(c.now(), c.now()-came)
}

// class returns the class of a request, by a number from 0 to 1.
func (o Overload) class(by float64) shed.Class {
	for _, c := range shed.Classes {
		if by -= o.Mix[c]; by < 0 {
			return c
		}
	}
	return shed.Background
}

// OverloadFigures are what one step is judged by.
type OverloadFigures struct {
	Goodput float64                        // requests a second that were answered in time, of all classes, as a part of the capacity
	Served  [shed.NumClasses]float64       // part of those asked for that were answered in time
	Share   [shed.NumClasses]float64       // the same as a part of the capacity
	P95     [shed.NumClasses]time.Duration // how long these took
}

// Figures judges a step, its first three seconds left out.
func (o Overload) Figures(t *OverloadTrace, step int) OverloadFigures {
	from, to := time.Duration(step)*o.Each+3*time.Second, time.Duration(step+1)*o.Each
	var f OverloadFigures
	for _, c := range shed.Classes {
		done := float64(t.Classes[c].Done.Count(from, to))
		f.Share[c] = done / (to - from).Seconds() / o.Capacity
		f.Goodput += f.Share[c]
		f.Served[c] = t.Classes[c].Served(from, to)
		f.P95[c] = t.Classes[c].Took.Quantile(0.95, from, to)
	}
	return f
}
