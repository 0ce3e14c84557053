package config

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

// TestLimits reads the keys of a pool's room and of its backends' faults in all the ways they may be written.
func TestLimits(t *testing.T) {
	adaptive := func(p Pool) any { return p.Adaptive }
	eject := func(p Pool) any { return p.Eject }
	for text, check := range map[string]struct {
		get  func(Pool) any
		want any
	}{
		"max_in_flight: adaptive": {func(p Pool) any {
			return Pool{MaxInFlight: p.MaxInFlight, Adaptive: p.Adaptive, Queue: p.Queue, Shares: p.Shares, Reserve: p.Reserve}
		}, Pool{Adaptive: &Adaptive{8, 1000}, Queue: Queue{128, 2 * time.Second}, Shares: Shares{0.40, 0.20, 0.10, 0.10, 0.05}, Reserve: 0.10}},
		"max_in_flight: adaptive, queue: {timeout: 1s}":                                               {func(p Pool) any { return p.Queue }, Queue{128, time.Second}},
		"max_in_flight: adaptive, adaptive: {min: 1, max: 1000000}":                                   {adaptive, &Adaptive{1, 1_000_000}},
		"max_in_flight: adaptive, adaptive: {min: 5, max: 5}":                                         {adaptive, &Adaptive{5, 5}},
		"adaptive: {max: 4}, max_in_flight: adaptive":                                                 {adaptive, &Adaptive{4, 4}},
		"adaptive: {min: 2000}, max_in_flight: adaptive":                                              {adaptive, &Adaptive{2000, 2000}},
		"adaptive: {min: 20}, max_in_flight: adaptive":                                                {adaptive, &Adaptive{20, 1000}},
		"adaptive: {}, max_in_flight: adaptive":                                                       {adaptive, &Adaptive{8, 1000}},
		"max_in_flight: 8":                                                                            {adaptive, (*Adaptive)(nil)},
		"max_in_flight: 8, shares: {member: 0.55, background: 0}":                                     {func(p Pool) any { return p.Shares }, Shares{0.55, 0.20, 0.10, 0.10, 0}},
		"shares: {}, max_in_flight: 8":                                                                {func(p Pool) any { return p.Shares }, Shares{0.40, 0.20, 0.10, 0.10, 0.05}},
		"max_in_flight: 8, shares: {member: 0, sign_in: 0, unproved: 0, anonymous: 0, background: 1}": {func(p Pool) any { return p.Shares }, Shares{Background: 1}},
		"max_in_flight: 20, shares: {member: 0.05, sign_in: 0.10, unproved: 0.20, anonymous: 0.55, background: 0.10}": {func(p Pool) any { return p.Shares },
			Shares{0.05, 0.10, 0.20, 0.55, 0.10}}, // in binary a little over 1
		"max_in_flight: 8, reserve: 0":           {func(p Pool) any { return p.Reserve }, 0.0},
		"max_in_flight: adaptive, reserve: 1":    {func(p Pool) any { return p.Reserve }, 1.0},
		"retries: {budget: 0}":                   {func(p Pool) any { return p.Retries }, Retries{}},
		"retries: {}":                            {func(p Pool) any { return p.Retries }, Retries{0.20}},
		"eject: off":                             {eject, (*Eject)(nil)},
		"eject: {}":                              {eject, &Eject{5, 10 * time.Second, 0.50}},
		"eject: {failures: 1, for: 1m, most: 1}": {eject, &Eject{1, time.Minute, 1}},
		"slow_start: 0s":                         {func(p Pool) any { return p.SlowStart }, time.Duration(0)},
		"slow_start: 1h, max_in_flight: 0":       {func(p Pool) any { return p.SlowStart }, time.Hour},
	} {
		c := parsed(t, "session: {cookies: [sid]}"+strings.NewReplacer("8080\"]}", "8080\"], "+text+"}", "pool: app}", "pool: app, members: true}").Replace(minimal))
		if got := check.get(c.Pools[0]); !reflect.DeepEqual(got, check.want) {
			t.Errorf("%s: got %+v, want %+v", text, got, check.want)
		}
		if len(c.Warnings) > 0 || broken(c) != "" {
			t.Errorf("%s: %v, %s", text, c.Warnings, broken(c))
		}
	}
}

// TestClasses reads what a route says of those who come there.
func TestClasses(t *testing.T) {
	for text, want := range map[string]Route{
		"":                                 {},
		"members: true":                    {Members: true},
		"background: true":                 {Background: true},
		"members: true, background: true":  {Members: true, Background: true},
		"members: false, needs: write":     {SignIn: true},
		"background: false, needs: write":  {SignIn: true},
		"members: false, sign_out: true":   {SignOut: true},
		"members: false, needs: none":      {},
		"background: true, needs: none":    {Background: true},
		"background: true, sign_out: true": {Background: true, SignOut: true},
		"needs: write, sign_in: false, members: true, background: true": {Members: true, Background: true},
	} {
		for _, session := range []string{"cookies: [sid]", "headers: [Authorization]"} {
			c := parsed(t, "session: {"+session+"}"+strings.Replace(minimal, "pool: app}", "pool: app, "+text+"}", 1))
			r := c.Routes[0]
			if got := (Route{Members: r.Members, Background: r.Background, SignIn: r.SignIn, SignOut: r.SignOut}); !reflect.DeepEqual(got, want) {
				t.Errorf("%s: got %+v, want %+v", text, got, want)
			}
			if len(c.Warnings) > 0 && !r.SignOut || broken(c) != "" {
				t.Errorf("%s: %v, %s", text, c.Warnings, broken(c))
			}
		}
	}
}

// TestQuotaStore reads where quotas are shared.
func TestQuotaStore(t *testing.T) {
	const shared = "quotas: {a: {key: route, rate: 1/s, shared: true, dry_run: true}}\n"
	for text, want := range map[string]QuotaStore{
		"redis: {address: '10.0.3.1:6379'}": {Redis: Redis{Address: Address{"tcp", "10.0.3.1:6379"}}, Timeout: 5 * time.Millisecond, StandIn: 0.50, KeyPrefix: "gatehouse:quota:"},
		"redis: {address: '10.0.3.1:6379', username: q, password_env: Q, db: 2, tls: true}, timeout: 1s, stand_in: 1, key_prefix: 'q:'": {
			Redis{Address{"tcp", "10.0.3.1:6379"}, "q", Secret{Env: "Q"}, 2, &TLS{}}, time.Second, 1, "q:"},
		"timeout: 1ms, stand_in: 0.01, redis: {address: unix:/run/q.sock}": {Redis{Address: Address{"unix", "/run/q.sock"}}, time.Millisecond, 0.01, "gatehouse:quota:"},
	} {
		c := parsed(t, "session: {cookies: [sid], store: {redis: {address: '127.0.0.1:6379'}}}\n"+shared+"quota_store: {"+text+"}"+strings.Replace(minimal, "pool: app}", "pool: app, quotas: [a]}", 1))
		same(t, text, *c.QuotaStore, want)
		same(t, text, c.Quotas, []Quota{{"a", "route", Rate{1, time.Second}, 1, true, true}})
		if len(c.Warnings) > 0 {
			t.Errorf("%s: %v", text, c.Warnings)
		}
	}
}

func TestSameNode(t *testing.T) {
	for _, c := range []struct {
		a, b Address
		want bool
	}{
		{Address{"tcp", "redis:6379"}, Address{"tcp", "redis:6379"}, true},
		{Address{"tcp", "redis:6379"}, Address{"tcp", "redis:6380"}, false},
		{Address{"tcp", "redis:6379"}, Address{"tcp", "other:6379"}, false},
		{Address{"tcp", "localhost:6379"}, Address{"tcp", "[::1]:6379"}, true},
		{Address{"tcp", "localhost:6379"}, Address{"tcp", "127.0.0.2:6380"}, false},
		{Address{"tcp", "localhost:6379"}, Address{"tcp", "10.0.0.1:6379"}, false},
		{Address{"unix", "/a"}, Address{"unix", "/a"}, true},
		{Address{"unix", "/a"}, Address{"unix", "/b"}, false},
		{Address{"unix", "/a"}, Address{"tcp", "localhost:6379"}, false},
		{Address{}, Address{}, false}, // found by Sentinels, or wrong
	} {
		if c.a.sameNode(c.b) != c.want || c.b.sameNode(c.a) != c.want {
			t.Errorf("%v and %v: want %v", c.a, c.b, c.want)
		}
	}
}
