package record

import (
	"bytes"
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// batches counts what it is handed in one piece.
type batches struct {
	mu  sync.Mutex
	all []string
}

func (b *batches) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all = append(b.all, string(p))
	return len(p), nil
}

func (b *batches) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.all)
}

func TestLinesThatComeTogetherAreWrittenTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var to batches
		s := newSink(&to, gatherLines)
		write := func(p string) {
			_, _ = s.Write([]byte(p))
			synctest.Wait()
		}
		if write("a\n"); to.count() != 1 {
			t.Fatalf("a line that came alone made %d writes", to.count())
		}
		if write("b\n"); to.count() != 1 {
			t.Fatal("a line did not wait for others")
		}
		write("c\n")
		time.Sleep(gatherLines)
		synctest.Wait()
		if to.count() != 2 || to.all[1] != "b\nc\n" {
			t.Fatalf("%q", to.all)
		}
		if write(string(bytes.Repeat([]byte("x"), sinkEnough))); to.count() != 3 {
			t.Fatalf("enough was not written at once: %d writes", to.count())
		}
		write("d\n")
		if err := s.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		if got := to.all[len(to.all)-1]; got != "d\n" {
			t.Fatalf("the last write was %q", got)
		}
	})
}
