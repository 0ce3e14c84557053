package line

import "time"

// Report says what became of a sign-in that was let in at some time and answered at now: it took that long to the head of its
// answer, or failed (an error of the app's, or no answer in time; a wrong password is no failure). In calm times this tells
// what is normal; during a ramp and its tail the rate is halved when sign-ins fail or take far longer, and climbs back by small
// steps. The caller owes a report for every admission that reached the app. It returns how often the ramp has been cut since the
// line was told last, by whatever.
func (l *Line) Report(now time.Time, failed bool, took time.Duration) (cuts int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.settle(now)
	switch l.phase {
	case calm:
		l.health.learn(now, failed, took)
	case ramping:
		l.judged(l.health.judge(now, failed, took, l.ramp.factor))
	}
	return l.tellCuts()
}

// Heard says that an admission came to something that tells nothing of how sign-ins do: the app gave its form, or the visitor left after
// so long. Who left late enough that he would have been waiting too long says as much as an answer that took that long.
func (l *Line) Heard(now time.Time, waited time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.settle(now)
	if l.phase != ramping {
		return
	}
	if waited > 0 && l.health.slow(waited) {
		l.judged(l.health.judge(now, false, waited, l.ramp.factor))
		return
	}
	l.health.heard, l.health.silent = now, 0
}

// Crowded says that the pool had no room for one who had been admitted. The ramp gives way by the share of those. It returns what
// Report does.
func (l *Line) Crowded(now time.Time) (cuts int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.settle(now)
	if l.phase == ramping {
		l.judged(l.health.crowded(now, l.ramp.factor))
	}
	return l.tellCuts()
}

func (l *Line) tellCuts() int {
	cuts := l.cuts
	l.cuts = 0
	return cuts
}

func (l *Line) judged(factor float64) {
	if factor < l.ramp.factor {
		l.halved++
		l.cuts++
	}
	l.ramp.factor = factor
}
