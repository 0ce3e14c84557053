package upstream

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

// A request that is called back as Sending says that it goes out reaches no backend.
func TestWhatIsCalledBackIsNotSent(t *testing.T) {
	var seen atomic.Int64
	b := serve(t, func(http.ResponseWriter, *http.Request) { seen.Add(1) })
	p := NewPool(Settings{Name: "app", Backends: []BackendSettings{b}}, slog.New(slog.DiscardHandler))
	defer p.Close()
	send := func(called bool) error {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		claim, err := p.Claim(nil)
		if err != nil {
			t.Fatal(err)
		}
		defer claim.End(Result{})
		r := &Request{Method: "POST", Target: "/", Host: "a", Body: strings.NewReader("abc"), Length: 3}
		if called {
			r.Sending = cancel
		}
		a, err := claim.Send(ctx, r)
		if err == nil {
			_ = a.Body.Close()
		}
		return err
	}
	if err := send(false); err != nil || seen.Load() != 1 {
		t.Fatalf("a request that nobody calls back: %v, seen %d times", err, seen.Load())
	}
	for range 500 {
		if err := send(true); err == nil {
			t.Error("a request that was called back was answered")
		}
		_ = send(false) // so that some go out on a connection that was used before
	}
	if n := seen.Load(); n != 501 {
		t.Errorf("the backend saw %d requests; want the 501 that were not called back", n)
	}
}
