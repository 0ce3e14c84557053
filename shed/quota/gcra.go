package quota

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
)

// allowance is a quota as the script takes it: the time between two events in microseconds, and the burst.
type allowance struct {
	interval, burst string
}

func allow(perSecond float64, burst int) allowance {
	interval := min(1e6/perSecond, 9e15) // as long as a time.Duration can be
	return allowance{strconv.FormatFloat(interval, 'g', -1, 64), strconv.Itoa(burst)}
}

// gcra is the Generic Cell Rate Algorithm, as a virtual schedule (ITU-T I.371, annex A; ATM Forum Traffic Management 4.0,
// section 4.4.2). Of each key only the theoretical arrival time is kept: when its debt will be gone. An event is let through
// where it would put that time off by no more than a burst's worth of intervals from now, which is what a bucket of so many
// events allows, with one number for the level and the time.
//
// All of it happens in one step in the server, and by its clock, so that the clocks of those who ask do not matter. Time is
// counted in microseconds since 2026: a float64 then holds a thousandth of one for decades. A key expires with its debt. One
// whose debt is larger than can be (the clock was set back, or the burst is smaller now) is taken for one with all of it.
//
// KEYS[1] the key; ARGV: the interval in microseconds, the burst, and 1 to take an event or -1 to give one back. It returns 0,
// or how many microseconds are to be waited. It needs Redis 5, or what understands the same: before it a script that had asked
// for the time was not allowed to write.
const gcra = `
local clock = redis.call('TIME')
local now = (clock[1] - 1767225600) * 1000000 + clock[2]
local interval, most, events = tonumber(ARGV[1]), ARGV[1] * ARGV[2], tonumber(ARGV[3])
local due = tonumber(redis.call('GET', KEYS[1]) or '')
if not (due and due > now) then
	due = now
end
due = math.min(due, now + most) + interval * events
local early = due - most - now
if events > 0 and early >= 1 then
	return math.min(math.ceil(early), 9e15)
end
if due <= now then
	redis.call('DEL', KEYS[1])
else
	local life = math.min(math.ceil((due - now) / 1000), 1e13)
	redis.call('SET', KEYS[1], string.format('%.17g', due), 'PX', string.format('%.0f', life))
end
return 0
`

var gcraHash = redis.NewScript(gcra).Hash()

// errForeign is an answer that the script does not give.
var errForeign = errors.New("the answer is no number of microseconds")

// script adds one run of the script to a pipeline: by its hash or, where whole, by its text, which the server then remembers.
func script(ctx context.Context, to redis.Pipeliner, key string, a allowance, events int, whole bool) *redis.Cmd {
	if whole {
		return to.Eval(ctx, gcra, []string{key}, a.interval, a.burst, events)
	}
	return to.EvalSha(ctx, gcraHash, []string{key}, a.interval, a.burst, events)
}

// told reads the script's answer.
func told(c *redis.Cmd) (time.Duration, error) {
	v, err := c.Result()
	if err != nil {
		return 0, err
	}
	n, ok := v.(int64)
	if !ok || n < 0 || n > math.MaxInt64/int64(time.Microsecond) {
		return 0, fmt.Errorf("%w: %.40v", errForeign, v)
	}
	return time.Duration(n) * time.Microsecond, nil
}
