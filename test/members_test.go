package test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// pair is two independent primaries that stand for one store: what is written at the one is copied to the other, by the test.
type pair struct {
	t      *testing.T
	eu, us *redisServer

	away, bareAway *app // that live on us; those of the stage live on eu

	mu     sync.Mutex
	copies []string // patterns of the keys that are copied now
}

// startPairOfMembers starts both, and copies what Gatehouse writes to tell how far they are apart.
func startPairOfMembers(t *testing.T) *pair {
	t.Helper()
	p := &pair{t: t, eu: startRedis(t), us: startRedis(t), copies: []string{beats}}
	ctx, stop := context.WithCancel(context.Background())
	var work sync.WaitGroup
	for from, to := range map[*redisServer]*redisServer{p.eu: p.us, p.us: p.eu} {
		own := ":eu"
		if from == p.us {
			own = ":us"
		}
		source, sink := memberClient(t, from), memberClient(t, to)
		work.Go(func() {
			for tick := time.NewTicker(50 * time.Millisecond); ; {
				select {
				case <-ctx.Done():
					tick.Stop()
					return
				case <-tick.C:
				}
				p.copy(ctx, source, sink, own)
			}
		})
	}
	t.Cleanup(func() {
		stop()
		work.Wait()
	})
	return p
}

// beats is the pattern of the keys of heartbeats; sessions that of the app's.
const (
	beats    = "gatehouse:beat:*"
	sessions = "sess:*"
)

// memberClient is a client that soon gives up.
func memberClient(t *testing.T, r *redisServer) *redis.Client {
	c := redis.NewClient(&redis.Options{
		Addr: r.address(), DialTimeout: 300 * time.Millisecond, ReadTimeout: 300 * time.Millisecond, WriteTimeout: 300 * time.Millisecond,
		MaxRetries: -1, DialerRetries: 1, PoolSize: 200,
	})
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// copyOnly says what is copied from now on.
func (p *pair) copyOnly(patterns ...string) {
	p.mu.Lock()
	p.copies = patterns
	p.mu.Unlock()
}

// copy copies once. Of the heartbeats only those that are the source's own.
func (p *pair) copy(ctx context.Context, from, to *redis.Client, own string) {
	p.mu.Lock()
	patterns := p.copies
	p.mu.Unlock()
	for _, pattern := range patterns {
		keys, err := from.Keys(ctx, pattern).Result()
		for _, key := range keys {
			if err != nil || pattern == beats && !strings.HasSuffix(key, own) {
				continue
			}
			if value, err := from.Get(ctx, key).Result(); err == nil {
				_ = to.Set(ctx, key, value, time.Hour).Err()
			}
		}
	}
}

// place is what the file says of where the store is.
func (p *pair) place(require, convergence string) string {
	return fmt.Sprintf(`members:
  - {name: eu, redis: {address: %q}}
  - {name: us, redis: {address: %q}}
require: %s
convergence: %s`, p.eu.address(), p.us.address(), require, convergence)
}

// app starts an app that lives on the one, and knows the other.
func (p *pair) app(own, other *redisServer) *app {
	a := startAppBy(p.t, memberClient(p.t, own), ordinary)
	a.others = []redis.UniversalClient{memberClient(p.t, other)}
	return a
}

// bound is a site whose sign-ins go to the app that lives on eu, and to that which lives on us where eu takes no writes; for who comes
// to awayHost the other way round.
func (p *pair) bound(eu, us *app, convergence string) site {
	return site{
		backend: eu.URL, place: p.place("any", convergence), login: "max_in_flight: 64, store: eu", over: "away",
		pools: fmt.Sprintf("away: {backends: [%q], max_in_flight: 64, store: us}", us.URL),
		routes: "- {name: sign-in-away, match: {host: " + awayHost + ", path: [/login]}, " +
			"pool: away, overflow: login, needs: write, restart: /login}",
	}
}

const awayHost = "us.test"

// setMembers builds a stage of two members, whose login pools are bound to one each.
func setMembers(st *stage) {
	st.t.Helper()
	p := startPairOfMembers(st.t)
	st.pair = p
	st.app, p.away = p.app(p.eu, p.us), p.app(p.us, p.eu)
	st.bare, p.bareAway = p.app(p.eu, p.us), p.app(p.us, p.eu)
	with := p.bound(st.app, p.away, "{interval: 200ms, lag: 2s}")
	with.ramp = "from: 4/s, to: 20/s, over: 5s" // fifteen sign-ins come in a second
	without := p.bound(st.bare, p.bareAway, "off")
	without.place, without.login = "", "max_in_flight: 64"
	without.pools = strings.Replace(without.pools, ", store: us", "", 1)
	st.open(with, without)
}

// setEither builds a stage of two members, one app that saves where it can, and a file that says of no pool which it uses.
func setEither(require string) func(*stage) {
	return func(st *stage) {
		st.t.Helper()
		p := startPairOfMembers(st.t)
		st.pair = p
		st.app, st.bare = p.app(p.eu, p.us), p.app(p.eu, p.us)
		st.app.either, st.bare.either = require == "any", require == "any"
		st.open(site{backend: st.app.URL, place: p.place(require, "{interval: 200ms, lag: 2s}")}, site{backend: st.bare.URL})
	}
}

// open starts both sides of a stage of members.
func (st *stage) open(with, without site) {
	st.t.Helper()
	st.keeps = func(key string) bool { return st.pair.eu.has(key) || st.pair.us.has(key) }
	st.file = with.text()
	st.with, st.without = startGatehouse(st.t, st.file), startGatehouse(st.t, without.text())
	eventually(st.t, patience, "both members are known to be well, and see each other", func() bool {
		for _, part := range st.with.parts(st.t) {
			if part.State != "writable" || len(part.Lags) != 1 || part.Lags[0].Seen.IsZero() {
				return false
			}
		}
		return true
	})
}
