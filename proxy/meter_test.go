package proxy

import (
	"bytes"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"gatehouse/shed"
)

func TestAVisitorsOwnTimeIsNotTheBackends(t *testing.T) {
	long := time.Now().Add(-time.Hour)
	m := meter{from: bytes.NewReader(make([]byte, 10))}
	if took, whole := m.since(long, 0); took < time.Hour || !whole {
		t.Errorf("without a body: %v, %v", took, whole)
	}
	if _, whole := m.since(long, 10); whole {
		t.Error("a body that nobody has read is whole")
	}
	_, _ = m.Read(make([]byte, 4))
	if took, whole := m.since(long, 10); took > time.Minute || whole {
		t.Errorf("in the middle: %v, %v", took, whole)
	}
	_, _ = io.ReadAll(&m)
	for _, length := range []int64{10, -1} {
		if took, whole := m.since(long, length); took > time.Minute || !whole {
			t.Errorf("at the end, length %d: %v, %v", length, took, whole)
		}
	}
	if took, _ := m.since(time.Now(), 10); took > time.Minute {
		t.Errorf("claimed after the body was read: %v", took)
	}
}

// What an app does while its store is in doubt says nothing of how many requests its pool can take.
func TestAnOutageCutsNoLimit(t *testing.T) {
	b := newBackend(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	p := newPool(t, "app", shed.GateSettings{Adaptive: &shed.AdaptiveSettings{Min: 1, Max: 1000}, Length: 1000, Timeout: 10 * time.Second}, b.URL)
	rules, routes := one(&Route{Pool: p, Need: shed.NeedRead, ImpairedTimeout: 50 * time.Millisecond})
	r := newRig(t, rules, routes)
	r.breaks(shed.ReadOnly, shed.CauseReadOnly)
	was := p.Gate.Load().Limit
	var wg sync.WaitGroup
	end := time.Now().Add(4 * time.Second)
	for range 60 {
		wg.Go(func() {
			for time.Now().Before(end) {
				_, _ = r.try(t.Context(), "GET", "/")
			}
		})
	}
	wg.Wait()
	if is := p.Gate.Load().Limit; is < was {
		t.Errorf("the limit was cut from %d to %d", was, is)
	}
}
