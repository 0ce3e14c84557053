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

// pouring writes values that expire to a store, so many a second, until its test ends.
func pouring(t *testing.T, r *redisServer, size, perSecond int) {
	t.Helper()
	c := redis.NewClient(&redis.Options{Addr: r.address()})
	stop := make(chan struct{})
	var work sync.WaitGroup
	work.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for i := 0; ; {
			select {
			case <-stop:
				return
			case <-tick.C:
				pipe := c.Pipeline()
				for range max(1, perSecond/50) {
					i++
					pipe.Set(context.Background(), fmt.Sprint("other", i), strings.Repeat("x", size), time.Hour)
				}
				_, _ = pipe.Exec(context.Background())
			}
		}
	})
	t.Cleanup(func() {
		close(stop)
		work.Wait()
		_ = c.Close()
	})
}

// filled has the store evict from here on: it is as full as it may be.
func filled(t *testing.T, r *redisServer) {
	t.Helper()
	r.do("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
	r.do("CONFIG", "SET", "maxmemory", fmt.Sprint(r.info("used_memory")+2_000_000))
	c := redis.NewClient(&redis.Options{Addr: r.address()})
	defer c.Close()
	eventually(t, patience, "the store evicts", func() bool {
		c.Set(context.Background(), fmt.Sprint("full", time.Now().UnixNano()), strings.Repeat("x", 50_000), time.Hour)
		return r.info("evicted_keys") > 0
	})
}

// TestStrained brings a store near each limit that it tells of, and looks whether that is named before anything fails.
func TestStrained(t *testing.T) {
	for _, c := range []struct {
		resource, cause string
		options         []string
		near            func(*testing.T, *redisServer)
	}{
		{"memory", "full", nil, func(_ *testing.T, r *redisServer) {
			r.do("DEBUG", "POPULATE", "20000", "k", "100")
			r.do("CONFIG", "SET", "maxmemory", fmt.Sprint(r.info("used_memory")*20/19))
		}},
		{"clients", "too_many_clients", []string{"--maxclients", "60"}, func(t *testing.T, r *redisServer) {
			for r.info("connected_clients") < 56 {
				c := redis.NewClient(&redis.Options{Addr: r.address()})
				if err := c.Ping(context.Background()).Err(); err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = c.Close() })
			}
		}},
		{"evictions", "session_loss", nil, func(t *testing.T, r *redisServer) {
			filled(t, r)
			pouring(t, r, 1000, 1000)
		}},
	} {
		t.Run(c.resource, func(t *testing.T) {
			t.Parallel()
			store := startRedis(t, c.options...)
			a := startApp(t, store.address(), ordinary)
			g := startGatehouse(t, configFor(a, store, true))
			mustSignIn(t, g.url)
			if s := g.storeStatus(t); s.State != "writable" {
				t.Fatalf("before: %+v", s)
			}
			c.near(t, store)
			eventually(t, 30*time.Second, "the store is strained", func() bool { return g.storeStatus(t).State == "strained" })
			s := g.storeStatus(t)
			if s.Cause != c.cause && s.Cause != "session_loss" {
				t.Errorf("the cause is %s; want %s", s.Cause, c.cause)
			}
			if len(s.Headroom) == 0 || s.Headroom[0].Resource != c.resource || !s.Headroom[0].Strains {
				t.Errorf("the worst is not %s: %+v", c.resource, s.Headroom)
			}
			series := fmt.Sprintf("gatehouse_store_headroom_ratio{resource=%q,store=\"store\"}", c.resource)
			if text := get(t, g.admin+"/metrics"); !strings.Contains(text, series) {
				t.Errorf("no %s", series)
			}
			if v := g.metric(t, series); v > 0.15 {
				t.Errorf("%s %v; want little", series, v)
			}
			mustSignIn(t, g.url) // nothing is refused
		})
	}
}

// TestAFullStoreThatEvictsIsNotStrained: to be full is what such a store is for.
func TestAFullStoreThatEvictsIsNotStrained(t *testing.T) {
	t.Parallel()
	store := startRedis(t)
	a := startApp(t, store.address(), ordinary)
	filled(t, store)
	g := startGatehouse(t, configFor(a, store, true))
	pouring(t, store, 1000, 50) // and half of what strained.evictions tolerates goes on being evicted
	before := store.info("evicted_keys")
	time.Sleep(9 * time.Second) // several times as long as it takes to tell
	if store.info("evicted_keys") == before {
		t.Fatal("the store did not evict: this test proves nothing")
	}
	for _, c := range g.changes() {
		if c.to == "strained" || c.closes() {
			t.Errorf("the store was called %s (%s)", c.to, c.cause)
		}
	}
	for _, h := range g.storeStatus(t).Headroom {
		if h.Strains {
			t.Errorf("%s strains: %+v", h.Resource, h)
		}
	}
}
