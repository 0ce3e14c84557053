package test

import (
	"net/http/httptest"
	"strings"
	"testing"
)

// TestStreams: events, pieces, parts, hints and trailers pass as they come, whatever the session store can do. While it is
// impaired every answer to a member is looked at before it leaves, and must stream all the same.
func TestStreams(t *testing.T) {
	t.Parallel()
	for _, state := range []string{"writable", "read-only"} {
		t.Run(state, func(t *testing.T) {
			t.Parallel()
			s := &streams{t: t}
			backend := httptest.NewServer(s)
			t.Cleanup(backend.Close)
			store := startRedis(t)
			g := startGatehouse(t, site{backend: backend.URL, store: store.address()}.text())
			if state != "writable" {
				store.do("REPLICAOF", "127.0.0.1", "9")
			}
			eventually(t, patience, "the store is "+state, func() bool { return g.storeState(t) == state })
			streaming(t, plainFront(t, strings.TrimPrefix(g.url, "http://")), "", s)
		})
	}
}
