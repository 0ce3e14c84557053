package record

import (
	"bytes"
	"context"
	"encoding/json"
	"net/netip"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"gatehouse/shed"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// sink is a writer that can be read while it is written to.
type sink struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (s *sink) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(p)
}

func (s *sink) lines() [][]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return bytes.Split(bytes.TrimSuffix(bytes.Clone(s.buf.Bytes()), []byte("\n")), []byte("\n"))
}

func closed(t *testing.T, r *Recorder) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := r.Close(ctx); err != nil {
		t.Fatalf("Close: %v", err)
	}
}

func decoded(t *testing.T, line []byte) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(line, &m); err != nil {
		t.Fatalf("not a line of JSON: %v\n%q", err, line)
	}
	return m
}

// usual is an exchange as most are.
func usual() Entry {
	return Entry{
		Arrived: time.Now(), RequestID: "01J9ZK3W5T8Q", Method: "GET", Scheme: "http", Proto: "HTTP/1.1",
		Host: "intranet.example", Target: "/members/list?page=2", Client: netip.MustParseAddr("203.0.113.7"),
		Peer: netip.MustParseAddrPort("10.0.0.2:41000"), Backend: "http://10.0.1.11:8080", Attempts: 1,
		Status: 200, BytesOut: 5120, UserAgent: "Mozilla/5.0 (X11; Linux x86_64)", Referer: "https://intranet.example/?a=secret",
		State: shed.Writable, Cause: shed.OK,
		At: Stages{
			Decided: 41 * time.Microsecond, Queued: 60 * time.Microsecond, Claimed: 90 * time.Microsecond,
			Head: 4 * time.Millisecond, Done: 4500 * time.Microsecond,
		},
	}
}
