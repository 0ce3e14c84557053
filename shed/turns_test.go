package shed

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"
)

// counts and classes are written in the order of importance: member, sign-in, unproved, anonymous, background.
type counts = [NumClasses]int

func waitingFor(classes ...Class) (w [NumClasses]bool) {
	for _, c := range classes {
		w[c] = true
	}
	return w
}

func TestWhoseTurnItIs(t *testing.T) {
	all := waitingFor(Classes[:]...)
	for _, c := range []struct {
		name    string
		limit   int
		shares  Shares
		held    counts
		lag     [NumClasses]float64
		waiting [NumClasses]bool
		want    Class
	}{
		{"no shares: who matters most", 10, Shares{}, counts{}, [NumClasses]float64{}, all, Member},
		{"no shares, whatever was had", 10, Shares{}, counts{10}, [NumClasses]float64{}, all, Member},
		{"no shares: the best of those who wait", 10, Shares{}, counts{}, [NumClasses]float64{}, waitingFor(Anonymous, Background), Anonymous},
		{"all are due alike", 10, usualShares, counts{}, [NumClasses]float64{}, all, Member},
		{"members have their share", 10, usualShares, counts{4, 0, 0, 0, 0}, [NumClasses]float64{}, all, SignIn},
		{"only a fraction is left over", 10, usualShares, counts{4, 2, 1, 1, 0}, [NumClasses]float64{}, all, Background},
		{"who is ahead waits for his fraction", 10, usualShares, counts{4, 2, 1, 1, 0}, [NumClasses]float64{0, 0, 0, 0, -1}, all, Member},
		{"a whole permit is due even to who is ahead", 10, usualShares, counts{4, 1, 1, 1, 1}, [NumClasses]float64{0, -5, 0, 0, 0}, all, SignIn},
		{"the furthest behind first", 10, usualShares, counts{3, 1, 0, 0, 1}, [NumClasses]float64{1, 2, 3, 4, -9}, all, Anonymous},
		{"what others leave goes to who matters most", 10, usualShares, counts{9, 0, 0, 0, 0}, [NumClasses]float64{}, waitingFor(Member), Member},
		{"and to the least if nobody else wants it", 10, usualShares, counts{0, 0, 0, 0, 9}, [NumClasses]float64{}, waitingFor(Background), Background},
		{"a pool of one: by time", 1, usualShares, counts{}, [NumClasses]float64{-1, -2, -3, 0.5, -4}, all, Anonymous},
		{"a pool of one: nobody is due", 1, usualShares, counts{}, [NumClasses]float64{-1, -2, -3, -5, -4}, all, Member},
		{"fractions of lesser classes do not add up against better ones", 4, usualShares, counts{0, 0, 1, 1, 0}, [NumClasses]float64{-1, -1, -1, -1, 9}, waitingFor(SignIn, Background), SignIn},
		{"but they do where there is room for them", 4, usualShares, counts{1, 1, 1, 0, 0}, [NumClasses]float64{-1, -1, -1, -1, 9}, waitingFor(SignIn, Background), Background},
		{"binary fractions in what is kept from lesser classes", 100, Shares{0.57, 0.43}, counts{56, 40, 3}, [NumClasses]float64{-9, 9}, all, Member},
		{"binary fractions", 100, Shares{0.29, 0.71}, counts{28, 71}, [NumClasses]float64{-9, 9}, all, Member},
	} {
		tr := turns{held: c.held, lag: c.lag}
		if got, _ := tr.next(c.limit, &c.shares, c.waiting); got != c.want {
			t.Errorf("%s: %v; want %v", c.name, got, c.want)
		}
	}
}

func TestWhatIsRemembered(t *testing.T) {
	const limit = 10 // shares of 4, 2, 1, 1 and half a permit
	for _, c := range []struct {
		name    string
		held    int
		waits   bool
		before  float64
		seconds float64
		want    float64
	}{
		{"behind by all of it", 0, true, 0, 3, 3},
		{"ahead by a half", 1, true, 0, 3, -3},
		{"back from being ahead", 0, true, -3, 2, -1},
		{"what is borrowed beyond is not charged", 9, true, 0, 3, -3},
		{"who does not wait is not behind", 0, false, 0, 3, 0},
		{"and no longer once nobody waits", 0, false, 5, 3, 0},
		{"but may be ahead", 1, false, 0, 3, -3},
		{"nobody pays for longer than a minute", 1, true, 0, 500, -60},
		{"nor is paid", 0, true, 0, 500, 60},
	} {
		tr := turns{at: start}
		tr.held[Background], tr.lag[Background] = c.held, c.before
		tr.account(after(time.Duration(c.seconds*1e9)), limit, &usualShares, [NumClasses]bool{Background: c.waits})
		if got := tr.lag[Background]; math.Abs(got-c.want) > 1e-6 {
			t.Errorf("%s: %v; want %v", c.name, got, c.want)
		}
	}
	tr := turns{at: start, lag: [NumClasses]float64{-5, -1, 0, 2, 0}}
	tr.rest(after(3 * time.Second))
	if tr.lag != [NumClasses]float64{-2, 0, 0, 0, 0} {
		t.Errorf("after three seconds in which nobody waited: %v", tr.lag)
	}
}

func TestWhoLosesAPlace(t *testing.T) {
	const none = Class(NumClasses)
	behind := [NumClasses]float64{}
	ahead := [NumClasses]float64{-1, -1, -1, -1, -1}
	for _, c := range []struct {
		name   string
		c      Class
		limit  int
		length int
		shares Shares
		held   counts
		lag    [NumClasses]float64
		queued counts
		want   Class
	}{
		{"nobody queues", Member, 4, 0, usualShares, counts{4}, behind, counts{}, none},
		{"no shares: the least", SignIn, 4, 4, Shares{}, counts{4}, behind, counts{1, 1, 1, 1, 0}, Anonymous},
		{"no shares: nobody matters less", Anonymous, 4, 4, Shares{}, counts{4}, behind, counts{1, 1, 1, 1, 0}, none},
		{"no shares: not one's like", Background, 4, 4, Shares{}, counts{4}, behind, counts{0, 0, 0, 0, 4}, none},
		{"who is within his share keeps it", Member, 10, 100, usualShares, counts{10}, behind, counts{85, 0, 0, 10, 5}, none},
		{"who is beyond it loses it", Member, 10, 100, usualShares, counts{10}, behind, counts{84, 0, 0, 11, 5}, Anonymous},
		{"a flood of a better class leaves the others theirs", Background, 10, 100, usualShares, counts{10}, ahead, counts{100, 0, 0, 0, 0}, Member},
		{"up to their share", Background, 10, 100, usualShares, counts{10}, ahead, counts{95, 0, 0, 0, 5}, none},
		{"a short queue: who is due gets one place", SignIn, 1, 2, usualShares, counts{1}, behind, counts{2, 0, 0, 0, 0}, Member},
		{"a short queue: who is not due gets none", SignIn, 1, 2, usualShares, counts{1}, ahead, counts{2, 0, 0, 0, 0}, none},
		{"a short queue: who is due keeps his place", Member, 1, 2, usualShares, counts{1}, behind, counts{1, 1, 0, 0, 0}, none},
		{"a short queue: who is not due does not", Member, 1, 2, usualShares, counts{1}, ahead, counts{1, 1, 0, 0, 0}, SignIn},
	} {
		tr := turns{held: c.held, lag: c.lag}
		got, ok := tr.displaced(c.c, c.limit, c.length, &c.shares, &c.queued)
		if !ok {
			got = none
		}
		if got != c.want {
			t.Errorf("%s: %v; want %v", c.name, int(got), int(c.want))
		}
	}
}

// contest lets all classes ask for more than there is, for some minutes, and returns how many permits each held in the mean.
func contest(limit int, shares Shares, service [NumClasses]time.Duration) [NumClasses]float64 {
	type end struct {
		at time.Time
		c  Class
	}
	span := 20 * time.Minute / time.Duration(max(2, limit))
	began := time.Unix(0, 0)
	now := began
	tr := turns{at: now}
	all := waitingFor(Classes[:]...)
	var running []end
	var mean [NumClasses]float64
	for now.Sub(began) < span {
		for len(running) < limit {
			c, _ := tr.next(limit, &shares, all)
			tr.held[c]++
			running = append(running, end{now.Add(service[c]), c})
		}
		first := slices.MinFunc(running, func(a, b end) int { return a.at.Compare(b.at) })
		i := slices.Index(running, first)
		for c, n := range tr.held {
			mean[c] += float64(n) * float64(first.at.Sub(now)) / float64(span)
		}
		now = first.at
		tr.account(now, limit, &shares, all)
		tr.held[first.c]--
		running[i] = running[len(running)-1]
		running = running[:len(running)-1]
	}
	return mean
}

// Whatever the limit and however slow the requests, each class has its share over time, and members what is left of it.
func TestSharesAreKept(t *testing.T) {
	const ms = time.Millisecond
	for _, service := range [][NumClasses]time.Duration{
		{50 * ms, 50 * ms, 50 * ms, 50 * ms, 50 * ms},
		{50 * ms, 300 * ms, 70 * ms, 110 * ms, 900 * ms},
		{20 * ms, 200 * ms, 2 * time.Second, 2 * time.Second, 2 * time.Second},
		{2 * time.Second, 2 * time.Second, 50 * ms, 50 * ms, 50 * ms},
	} {
		for _, limit := range []int{1, 2, 3, 4, 7, 10, 64} {
			t.Run(fmt.Sprintf("%v/%d", service, limit), func(t *testing.T) {
				mean := contest(limit, usualShares, service)
				for c, got := range mean {
					if want := usualShares.of(c, limit); got < want*0.9 {
						t.Errorf("%v held %.3f permits in the mean; want its share, %.3f (all: %.3f)", Class(c), got, want, mean)
					}
				}
				t.Logf("%.3f of %v", mean, limit)
			})
		}
	}
}

func TestWithoutSharesMembersTakeAll(t *testing.T) {
	mean := contest(4, Shares{}, [NumClasses]time.Duration{time.Second, 1, 1, 1, 1})
	if math.Abs(mean[Member]-4) > 0.01 {
		t.Errorf("held %.2f in the mean; want all for members", mean)
	}
}
