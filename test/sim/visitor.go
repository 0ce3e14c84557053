package sim

import (
	"context"
	"math/rand/v2"
	"time"

	"gatehouse/shed/line"
)

// visitor is somebody who wants to sign in, by a browser or a program. Everything he does by chance comes from his own source,
// so that what he does depends on the seed and on the answers he gets, and on nothing else.
type visitor struct {
	door     *Door
	rng      *rand.Rand
	mean     time.Duration // work that signing him in costs, on the average
	patience time.Duration // how long he waits for an answer
	tries    int           // how often he tries again after an error or no answer
	hammers  bool          // he keeps no cookies and tries every second until he is in
	honours  bool          // he waits as long as the page says; else he takes the page for an error
}

// newVisitor returns the visitor of that number.
func newVisitor(d *Door, seed, number uint64) *visitor {
	return &visitor{door: d, rng: rand.New(rand.NewPCG(seed, number)), patience: 10 * time.Second, honours: true}
}

// between returns a duration at random.
func (v *visitor) between(least, most time.Duration) time.Duration {
	return least + time.Duration(v.rng.Int64N(int64(most-least)+1))
}

// signIn lives the visitor's life: he tries until he is in, has had enough, or the simulation ends.
func (v *visitor) signIn(ctx context.Context) {
	v.door.Trace.came()
	defer v.door.Trace.left()
	var place line.Place
	early := v.door.closed.Load()
	for tries, returns := v.tries, false; ctx.Err() == nil; returns = true {
		time.Sleep(v.between(5*time.Millisecond, 40*time.Millisecond)) // his line to the site
		if returns && !v.hammers {
			v.door.Trace.Returns.Add(v.door.clock.now())
		}
		patience, cancel := context.WithTimeout(ctx, v.patience)
		a := v.door.SignIn(patience, place, v.between(v.mean*8/10, v.mean*12/10))
		cancel()
		again := v.between(time.Second, 2*time.Second)
		switch {
		case a.Kind == In:
			if early && v.door.opened.Load() {
				v.door.Trace.Waited.Add(v.door.clock.now())
			}
			return
		case v.hammers:
			again = time.Second
		case a.Kind == Told && v.honours:
			place = a.Place
			again = wholeSeconds(a.Wait)
		case tries == 0:
			v.door.Trace.GaveUp.Add(v.door.clock.now())
			return
		default:
			tries--
		}
		v.sleep(ctx, again)
	}
}

// sleep returns after that long or when the simulation ends.
func (v *visitor) sleep(ctx context.Context, long time.Duration) {
	timer := time.NewTimer(long)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// wholeSeconds is a wait as Retry-After can say it.
func wholeSeconds(wait time.Duration) time.Duration {
	return (wait + time.Second - 1).Truncate(time.Second)
}
