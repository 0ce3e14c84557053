package test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// TestGRPCUnderstandsThePage: a call that cannot be served gets a status that its client knows what to do with, in the head of an
// answer that has nothing else ("Trailers-Only").
func TestGRPCUnderstandsThePage(t *testing.T) {
	t.Parallel()
	store := startRedis(t)
	s := startGRPC(t, fmt.Sprintf(`session: {cookies: [sid], store: {redis: {address: %q}}}
quotas: {once: {key: route, rate: 1/h, burst: 1}}`, store.address()),
		`  - {name: sign-in, match: {path: ["`+grpcService+`Echo", "`+grpcService+`Talk"]}, pool: h2c, needs: write}
  - {name: once, match: {path: "`+grpcService+`Name"}, pool: h2c, needs: none, quotas: [once]}`)
	eventually(t, patience, "the store is writable", func() bool { return s.storeState(t) == "writable" })
	member := metadata.AppendToOutgoingContext(t.Context(), "cookie", "sid=one")
	if _, err := called(member, s.dial(t, "h2c", true), "Name", nil); err != nil {
		t.Errorf("the first of a quota of one: %v", err)
	}
	if got, err := called(member, s.dial(t, "h2c", true), "Echo", []byte("a")); err != nil || string(got) != "a" {
		t.Errorf("while all is well: %q, %v", got, err)
	}
	store.do("REPLICAOF", "127.0.0.1", "9")
	eventually(t, patience, "the store is read-only", func() bool { return s.storeState(t) == "read-only" })
	for _, overTLS := range []bool{true, false} {
		cc := s.dial(t, "h2c", overTLS)
		for _, c := range []struct {
			what, kind, method string
			code               codes.Code
			outcome            string
			again              bool
		}{
			{"what cannot be written", "h2c", "Echo", codes.Unavailable, "degraded; reason=read_only", true},
			{"a stream of what cannot be written", "h2c", "Talk", codes.Unavailable, "degraded; reason=read_only", true},
			{"what can be read", "h2c", "Fail", codes.FailedPrecondition, "", false},
			{"more than the quota", "h2c", "Name", codes.ResourceExhausted, "limited; reason=quota", true},
			{"no route", "other", "Count", codes.Unimplemented, "rejected; reason=no_route", false},
			{"no backend, while the store is impaired", "nobody", "Count", codes.Unavailable, "converted; reason=read_only", true},
		} {
			to := cc
			if c.kind != "h2c" {
				to = s.dial(t, c.kind, overTLS)
			}
			var tail metadata.MD
			var err error
			if c.method == "Talk" {
				stream, begun := opened(member, to, c.method)
				if err = begun; err == nil {
					err = pingPong(stream, []byte("a"))
					if err != nil && status.Code(err) == codes.Unknown { // the stream was over before the message was taken
						err = stream.RecvMsg(new([]byte))
					}
					tail = stream.Trailer()
				}
			} else {
				_, err = called(member, to, c.method, nil, grpc.Trailer(&tail))
			}
			if status.Code(err) != c.code || strings.Join(tail["gatehouse-outcome"], "") != c.outcome {
				t.Errorf("%s (TLS %v): %v, %v; want %v, %s", c.what, overTLS, err, tail, c.code, c.outcome)
			}
			ms, bad := strconv.Atoi(strings.Join(tail["grpc-retry-pushback-ms"], ""))
			seconds, _ := strconv.Atoi(strings.Join(tail["retry-after"], ""))
			if c.again != (bad == nil && ms > 0) || ms != 1000*seconds {
				t.Errorf("%s (TLS %v): to come again after %v ms, Retry-After %v", c.what, overTLS, tail["grpc-retry-pushback-ms"], tail["retry-after"])
			}
		}
	}
}

// TestGRPCRetriesWhenItIsTold: grpc-go's own retries, which by their policy would be over in a moment, wait as long as the answer
// says, so that a call outlasts the outage and whoever made it sees nothing of that.
func TestGRPCRetriesWhenItIsTold(t *testing.T) {
	t.Parallel()
	store := startRedis(t)
	s := startGRPC(t, fmt.Sprintf(`session:
  cookies: [sid]
  store:
    redis: {address: %q}
    recovery: {rise: 2, after: 100ms, ramp: {from: 100/s, to: 1000/s, over: 1s}}`, store.address()),
		`  - {name: sign-in, match: {path: "`+grpcService+`Echo"}, pool: h2c, needs: write}`)
	eventually(t, patience, "the store is writable", func() bool { return s.storeState(t) == "writable" })
	store.do("REPLICAOF", "127.0.0.1", "9")
	eventually(t, patience, "the store is read-only", func() bool { return s.storeState(t) == "read-only" })
	cc := s.dial(t, "h2c", true, grpc.WithDefaultServiceConfig(`{"methodConfig": [{"name": [{}], "retryPolicy": {"maxAttempts": 5,
		"initialBackoff": "0.01s", "maxBackoff": "0.01s", "backoffMultiplier": 1, "retryableStatusCodes": ["UNAVAILABLE"]}}]}`))
	type answer struct {
		text string
		err  error
	}
	done, begun := make(chan answer, 1), time.Now()
	go func() {
		got, err := called(t.Context(), cc, "Echo", []byte("patient"))
		done <- answer{string(got), err}
	}()
	degraded := func() int { return strings.Count(strings.Join(s.accessLines(), "\n"), `"outcome":"degraded"`) }
	eventually(t, patience, "the first try is degraded", func() bool { return degraded() > 0 })
	store.do("REPLICAOF", "NO", "ONE")
	got := <-done
	if got.err != nil || got.text != "patient" {
		t.Errorf("the call ended with %q, %v; the tries: %s", got.text, got.err, strings.Join(s.accessLines(), "\n"))
	}
	if took := time.Since(begun); took < time.Second {
		t.Errorf("it came again after %v, though told to wait a second at least", took)
	}
}
