package main

import (
	"context"
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	redis.SetLogger(quiet{})
	goleak.VerifyTestMain(m)
}

func openStore(t *testing.T) *Store {
	t.Helper()
	s, err := OpenStore()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// dialStore connects a client with the given patience.
func dialStore(t *testing.T, s *Store, patience time.Duration) *redis.Client {
	t.Helper()
	c := redis.NewClient(&redis.Options{Addr: s.Addr(), MaxRetries: -1, DialerRetries: 1, ReadTimeout: patience,
		Protocol: 2, DisableIdentity: true, PoolSize: 4})
	t.Cleanup(func() { c.Close() })
	return c
}

func set(t *testing.T, s *Store, f Fault) {
	t.Helper()
	if err := s.Set(f); err != nil {
		t.Fatal(err)
	}
}

func TestStoreRefusesWhatItsFaultSays(t *testing.T) {
	s := openStore(t)
	c := dialStore(t, s, 5*time.Second)
	ctx := context.Background()
	if err := c.Set(ctx, "k", "v", time.Hour).Err(); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		fault                   Fault
		set, hset, expire, read string // the first word of the error, "" for success
	}{
		{ReadOnly, "READONLY", "READONLY", "READONLY", ""},
		{Full, "OOM", "OOM", "", ""},
		{Well, "", "", "", ""},
	} {
		set(t, s, tt.fault)
		for what, got := range map[string]struct {
			err  error
			want string
		}{
			"SET":    {c.Set(ctx, "k", "v", time.Hour).Err(), tt.set},
			"HSET":   {c.HSet(ctx, "h", "a", "b").Err(), tt.hset},
			"EXPIRE": {c.Expire(ctx, "k", time.Hour).Err(), tt.expire},
			"GET":    {c.Get(ctx, "k").Err(), tt.read},
		} {
			word := ""
			if got.err != nil {
				word, _, _ = strings.Cut(got.err.Error(), " ")
			}
			if word != got.want {
				t.Errorf("%s: %s: %v; want %q", tt.fault, what, got.err, got.want)
			}
		}
	}
}

func TestStoreIsSlowForEveryCommand(t *testing.T) {
	s := openStore(t)
	c := dialStore(t, s, 5*time.Second)
	ctx := context.Background()
	if err := c.Ping(ctx).Err(); err != nil {
		t.Fatal(err)
	}
	set(t, s, Slow)
	begun := time.Now()
	if err := c.Ping(ctx).Err(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begun); took < slowness {
		t.Errorf("a slow store answered after %v", took)
	}
}

func TestStoreHangsUntilItIsWell(t *testing.T) {
	s := openStore(t)
	hasty, patient := dialStore(t, s, 50*time.Millisecond), dialStore(t, s, 30*time.Second)
	ctx := context.Background()
	if err := errors.Join(hasty.Ping(ctx).Err(), patient.Ping(ctx).Err()); err != nil {
		t.Fatal(err)
	}
	set(t, s, Hung)
	var late net.Error
	if err := hasty.Ping(ctx).Err(); !errors.As(err, &late) || !late.Timeout() {
		t.Fatalf("a hung store answered %v; want a timeout", err)
	}
	raw, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatalf("a hung store does not accept: %v", err)
	}
	raw.Close()
	answered := make(chan error, 1)
	go func() { answered <- patient.Ping(ctx).Err() }()
	set(t, s, Well)
	if err := <-answered; err != nil {
		t.Errorf("a command that waited was not answered: %v", err)
	}
}

func TestStoreGoesAwayAndComesBackWithItsData(t *testing.T) {
	s := openStore(t)
	c := dialStore(t, s, 5*time.Second)
	ctx := context.Background()
	if err := c.Set(ctx, "k", "v", time.Hour).Err(); err != nil {
		t.Fatal(err)
	}
	addr := s.Addr()
	set(t, s, Hung) // commands that wait must not keep it from leaving
	waiting := make(chan error, 1)
	go func() { waiting <- c.Ping(ctx).Err() }()
	set(t, s, Away)
	if err := <-waiting; err == nil {
		t.Error("a command was answered by a store that is away")
	}
	if _, err := net.Dial("tcp", addr); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dialling a store that is away: %v; want connection refused", err)
	}
	if !s.Holds("k") {
		t.Error("the data is gone")
	}
	set(t, s, Away) // twice is once
	set(t, s, Well)
	if s.Addr() != addr {
		t.Errorf("back at %s; was at %s", s.Addr(), addr)
	}
	if got, err := dialStore(t, s, 5*time.Second).Get(ctx, "k").Result(); err != nil || got != "v" {
		t.Errorf("after the return: %q, %v", got, err)
	}
}

func TestStoreReturnsStraightIntoAnotherFault(t *testing.T) {
	s := openStore(t)
	set(t, s, Away)
	set(t, s, ReadOnly)
	err := dialStore(t, s, 5*time.Second).Set(context.Background(), "k", "v", 0).Err()
	if err == nil || err.Error() != replyReadOnly {
		t.Errorf("SET: %v; want %s", err, replyReadOnly)
	}
}

func TestStoreIsEmptiedAndWell(t *testing.T) {
	s := openStore(t)
	ctx := context.Background()
	c := dialStore(t, s, 5*time.Second)
	if err := c.Set(ctx, "k", "v", time.Hour).Err(); err != nil {
		t.Fatal(err)
	}
	set(t, s, ReadOnly)
	set(t, s, Empty)
	if f, _ := s.Fault(); f != Well {
		t.Errorf("fault %s after it was emptied; want well", f)
	}
	if s.Holds("k") {
		t.Error("the key is still there")
	}
	if err := c.Set(ctx, "k", "v", 0).Err(); err != nil {
		t.Error(err)
	}
}

func TestStoreKnowsItsFaults(t *testing.T) {
	s := openStore(t)
	if err := s.Set("sleepy"); !errors.Is(err, ErrNoFault) {
		t.Errorf("an unknown fault: %v; want ErrNoFault", err)
	}
	if f, _ := s.Fault(); f != Well {
		t.Errorf("fault %s; want well", f)
	}
}
