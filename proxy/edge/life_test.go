package edge

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func begun(parent context.Context) *Life {
	l := new(Life)
	l.Begin(parent)
	return l
}

func TestALifeEndsAsItWasTold(t *testing.T) {
	outer, cancel := context.WithCancelCause(context.Background())
	conn := begun(outer)
	one, other := begun(conn), begun(conn)
	for _, l := range []*Life{conn, one, other} {
		if l.Err() != nil {
			t.Fatalf("it ended before anybody ended it: %v", l.Err())
		}
	}
	one.End(io.ErrNoProgress)
	if err := one.Err(); !errors.Is(err, io.ErrNoProgress) || !errors.Is(err, context.Canceled) || context.Cause(one) != err {
		t.Errorf("Err is %v, the cause %v; want both what was said and context.Canceled", err, context.Cause(one))
	}
	one.End(io.EOF)
	if !errors.Is(one.Err(), io.ErrNoProgress) {
		t.Errorf("a second End counted: %v", one.Err())
	}
	if other.Err() != nil || conn.Err() != nil {
		t.Fatal("the end of one ended others")
	}
	child := begun(other)
	cancel(io.ErrClosedPipe)
	<-child.Done()
	for _, l := range []*Life{conn, other, child, begun(conn)} {
		<-l.Done()
		if !errors.Is(l.Err(), io.ErrClosedPipe) {
			t.Errorf("it ended with %v; want its parent's", l.Err())
		}
	}
	quiet := begun(context.Background())
	quiet.End(nil)
	if quiet.Err() != context.Canceled {
		t.Errorf("Err is %v; want context.Canceled", quiet.Err())
	}
}

// TestALifeIsAParent has the standard library's contexts begin under one.
func TestALifeIsAParent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := begun(context.Background())
		sub, cancel := context.WithTimeout(l, time.Hour)
		defer cancel()
		cancelled, stop := context.WithCancel(l)
		stop()
		if cancelled.Err() != context.Canceled || l.Err() != nil {
			t.Errorf("the child is %v, its parent %v", cancelled.Err(), l.Err())
		}
		l.End(io.ErrNoProgress)
		<-sub.Done()
		if !errors.Is(sub.Err(), io.ErrNoProgress) || !errors.Is(context.Cause(sub), io.ErrNoProgress) {
			t.Errorf("the child ended with %v, %v", sub.Err(), context.Cause(sub))
		}
	})
}

func TestWhoIsToldOfTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := begun(context.Background())
		var told [5]int
		tell := func(i int) func() bool { return l.AfterFunc(func() { told[i]++ }) }
		stop0, _, stop2 := tell(0), tell(1), tell(2)
		if !stop0() || stop0() {
			t.Error("only the first stop kept it from running")
		}
		tell(3) // in the place of 0
		if stop0() {
			t.Error("a stop that came late took another's place away")
		}
		if !stop2() {
			t.Error("2 was not kept from running")
		}
		l.End(nil)
		l.End(nil)
		synctest.Wait()
		if stop := tell(4); stop() {
			t.Error("it was kept from running after the end")
		}
		synctest.Wait()
		if want := [5]int{0, 1, 0, 1, 1}; told != want {
			t.Errorf("told %v; want %v", told, want)
		}
	})
}

// TestLivesEndAtOnce has everything happen at the same time: for the race detector.
func TestLivesEndAtOnce(t *testing.T) {
	for range 200 {
		conn := begun(context.Background())
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				for range 3 {
					l := begun(conn)
					stop := l.AfterFunc(func() {})
					_ = l.Err()
					stop()
					l.End(nil)
				}
			})
		}
		last := begun(conn)
		all.Go(func() { conn.End(io.EOF) })
		<-last.Done()
		all.Wait()
		if conn.child != nil {
			t.Fatal("a child that has ended is still held")
		}
	}
}

func TestALifeCostsNothing(t *testing.T) {
	conn := begun(context.Background())
	lives := make([]Life, 1001)
	i := 0
	if n := testing.AllocsPerRun(1000, func() {
		l := &lives[i]
		i++
		l.Begin(conn)
		_ = l.Err()
		l.End(nil)
	}); n > 0 {
		t.Errorf("%v allocations for one", n)
	}
}
