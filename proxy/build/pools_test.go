package build

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatehouse/proxy/record"
)

// logged is a log that can be read while it is written to.
type logged struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// about returns the lines whose message holds a word: the message, whether the backend is up, and the error.
func (l *logged) about(t *testing.T, word string) (out []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range bytes.Lines(l.buf.Bytes()) {
		var e struct {
			Msg, Err, Error string
			Up              bool
		}
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if strings.Contains(e.Msg, word) {
			out = append(out, fmt.Sprintf("%s %v %s", e.Msg, e.Up, e.Err+e.Error))
		}
	}
	return out
}

// TestBackendsAreToldOfOnce takes a backend down and up: one line for each, and what was wrong goes with the first alone.
func TestBackendsAreToldOfOnce(t *testing.T) {
	var well atomic.Bool
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if !well.Load() {
			w.WriteHeader(500)
		}
	}))
	t.Cleanup(backend.Close)
	out := &logged{}
	log := record.NewEvents(out, slog.LevelDebug)
	s := newSiteThatSays(t, record.New(record.Settings{Events: log}), log)
	s.live(fmt.Sprintf(`
listen: [{address: "127.0.0.1:0"}]
pools: {app: {backends: [%q], health: {path: /up, interval: 100ms}}}
routes: [{name: all, pool: app}]
`, backend.URL))
	for deadline := time.Now().Add(30 * time.Second); len(out.about(t, "backend")) < 2 && time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		well.Store(len(out.about(t, "backend")) > 0)
	}
	got := out.about(t, "backend")
	if want := []string{"backend changed false health check: status 500", "backend changed true "}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
