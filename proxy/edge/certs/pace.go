package certs

import "time"

// pace is how often things are done.
type pace struct {
	look    time.Duration // between looks at files
	round   time.Duration // between looks at which names need something
	retry   time.Duration // after which a directory, or a folder, that could not be reached is tried again
	attempt time.Duration // how long one attempt for one name may take
	reach   time.Duration // how long a directory that can be reached takes to say so, at the most
	settle  time.Duration // between names being set and the first that is asked for: listeners open meanwhile
	preload time.Duration // how long setting names waits for what is kept of them, at the most
	young   time.Duration // how old a certificate must be to be renewed, unless a 24th of its life is less
	most    int           // attempts at a time
}

// usual is what is promised: after an outage of the directory, whatever is due is renewed within 60 s of its return. A try that
// began just before may take reach, the next one begins a quarter more than retry later, or round after that, and takes a few
// seconds.
var usual = pace{
	look:    5 * time.Second,
	round:   5 * time.Second,
	retry:   20 * time.Second,
	attempt: 5 * time.Minute,
	reach:   10 * time.Second,
	settle:  2 * time.Second,
	preload: 3 * time.Second,
	young:   6 * time.Hour,
	most:    8,
}

// wait is how long after a failure a name is tried again. failures counts those since the last success that the directory may have
// counted too, from 1; chance is 0 to 1, so that several Gatehouses do not try together.
//
// What the directory does not count is tried often. A failed challenge counts: Let's Encrypt allows five in an hour for one name
// and account, and an attempt may fail both ways, so that a third attempt within an hour would be one too many.
func (p pace) wait(k kind, failures int, chance float64) time.Duration {
	switch k {
	case unreached, unkept:
		return spread(p.retry, 0.75+chance/2)
	case cutShort:
		return spread(min(p.retry<<min(failures-1, 8), 5*time.Minute), 0.75+chance/2)
	case limited:
		return spread(min(time.Hour<<min(failures-1, 8), 6*time.Hour), 1+chance/4)
	default:
		steps := []time.Duration{15 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour, 6 * time.Hour}
		return spread(steps[min(failures, len(steps))-1], 1+chance/4)
	}
}

func spread(d time.Duration, by float64) time.Duration { return time.Duration(float64(d) * by) }

// afterReload is how soon after its last attempt a name that failed by itself may be tried again because the settings were
// loaded again, which is what an operator does who has mended something, and some machines do every few minutes.
const afterReload = 30 * time.Minute
