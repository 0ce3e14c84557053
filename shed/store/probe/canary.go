package probe

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

// canary is the long-lived key, as far as this prober knows it. It is under the prober's lock.
type canary struct {
	value   string
	planted bool
	tended  time.Time // when its life was last renewed
	lost    bool      // it was gone, and no evidence has said so yet
}

const (
	canaryLives = 30 * 24 * time.Hour
	canaryTend  = time.Hour
)

// tend adds to the pipeline what the canary needs: nothing, mostly. Renewing its life never plants it.
func (c canary) tend(ctx context.Context, pipe redis.Pipeliner, key string) *redis.StatusCmd {
	switch {
	case !c.planted:
		return pipe.Set(ctx, key, c.value, canaryLives)
	case time.Since(c.tended) > canaryTend:
		return pipe.SetArgs(ctx, key, c.value, redis.SetArgs{Mode: "XX", TTL: canaryLives})
	default:
		return nil
	}
}

// compare notes what a whole exchange saw of the canary, and reports whether it is missing.
func (r *Redis) compare(a *attempt, x *exchange) (missing bool) {
	switch {
	case r.canary.value != a.canary.value || !x.ready:
		return false // another attempt has seen it missing
	case a.canary.planted && x.read() && x.get.Val() != a.canary.value:
		return true
	case x.plant != nil && x.plant.Err() == nil:
		r.canary.planted, r.canary.tended = true, time.Now()
	}
	return false
}

// replace has a new canary planted for the one that a missed. Of several attempts that missed the same only the first counts.
func (r *Redis) replace(a *attempt, evicted bool) {
	if a.missing && r.canary.value == a.canary.value {
		r.canary = canary{value: newValue(), lost: !evicted}
	}
	a.missing = false
}
