package test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
)

// grpcSite is a Gatehouse with HTTP/2 over TLS and in the clear, before a gRPC server of each kind: the host says which.
type grpcSite struct {
	*gatehouse
	ca           *authority
	clear, tls   string // addresses
	h2c, h2      *procedures
	file         string
	backendPairs *tls.Config
}

// startGRPC starts one. session and routes are further parts of the file; the routes come first.
func startGRPC(t *testing.T, session, routes string) *grpcSite {
	t.Helper()
	s := &grpcSite{ca: newAuthority(t, "ca"), clear: loopback(t), tls: loopback(t)}
	s.ca.certificate(t, "site", "*.grpc.example")
	s.ca.certificate(t, "backend", "backend.internal")
	s.backendPairs = &tls.Config{Certificates: []tls.Certificate{s.ca.pair(t, "backend")}}
	var open, secret string
	s.h2c, open = startProcedures(t, "h2c", nil)
	s.h2, secret = startProcedures(t, "h2", s.backendPairs)
	s.file = fmt.Sprintf(`
listen:
  - {address: %q, http2: cleartext}
  - {address: %q, tls: {certificates: [{%s}]}}
admin: {address: "127.0.0.1:0"}
%s
degrade: {retry_after: {min: 1s, max: 3s}, rate: {per_client: 1000/s, burst: 1000, per_address: 5000/s}}
pools:
  h2c: {backends: [%q]}
  h2: {backends: [%q], tls: {ca_file: %q, server_name: backend.internal}}
  nobody: {backends: ["h2c://127.0.0.1:9"]}
routes:
  - {name: h2c, match: {host: h2c.grpc.example, path: "%s*"}, pool: h2c}
  - {name: h2, match: {host: h2.grpc.example, path: "%[8]s*"}, pool: h2}
  - {name: nobody, match: {host: nobody.grpc.example}, pool: nobody}
`, s.clear, s.tls, s.ca.files("site"), session, open, secret, s.ca.file("ca.crt"), grpcService)
	if routes != "" {
		s.file = strings.Replace(s.file, "routes:\n", "routes:\n"+routes+"\n", 1)
	}
	s.gatehouse = startGatehouse(t, s.file)
	return s
}

// dial returns a client of that host's.
func (s *grpcSite) dial(t *testing.T, kind string, overTLS bool, more ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	name := kind + ".grpc.example"
	if overTLS {
		return dialGRPC(t, s.tls, name, s.ca.believed(name), more...)
	}
	return dialGRPC(t, s.clear, name, nil, more...)
}

// TestGRPC has a real client and a real server do with each other whatever gRPC has.
func TestGRPC(t *testing.T) {
	t.Parallel()
	s := startGRPC(t, "", "")
	for _, overTLS := range []bool{true, false} {
		for kind, p := range map[string]*procedures{"h2c": s.h2c, "h2": s.h2} {
			t.Run(fmt.Sprintf("TLS %v to %s", overTLS, kind), func(t *testing.T) { wholeGRPC(t, s.dial(t, kind, overTLS), p) })
		}
	}
}

func wholeGRPC(t *testing.T, cc *grpc.ClientConn, p *procedures) {
	for name, check := range map[string]func(*testing.T, *grpc.ClientConn){
		"unary": grpcUnary, "status": grpcStatus, "one to many": grpcCount, "many to one": grpcGather, "to and fro": grpcTalk, "at once": grpcAtOnce,
	} {
		t.Run(name, func(t *testing.T) { check(t, cc) })
	}
	t.Run("deadline", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := called(ctx, cc, "Wait", nil)
		if status.Code(err) != codes.DeadlineExceeded {
			t.Errorf("the client got %v", err)
		}
		if w := p.await(t); w.left <= 0 || w.left > time.Second {
			t.Errorf("the backend was given %v; want at most a second", w.left)
		}
		if w := p.await(t); w.err == nil {
			t.Error("the backend did not hear of it")
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			_, err := called(ctx, cc, "Wait", nil)
			done <- err
		}()
		p.await(t)
		cancel()
		if err := <-done; status.Code(err) != codes.Canceled {
			t.Errorf("the client got %v", err)
		}
		if w := p.await(t); !errors.Is(w.err, context.Canceled) {
			t.Errorf("the backend heard %v", w.err)
		}
	})
}

func grpcUnary(t *testing.T, cc *grpc.ClientConn) {
	for _, size := range []int{0, 1, 100_000, 5 << 20} {
		sent := noise(uint64(size), size)
		ctx := metadata.AppendToOutgoingContext(t.Context(), "x-sent", "by the client", "x-bits-bin", "\x00\xff\n")
		var head, tail metadata.MD
		got, err := called(ctx, cc, "Echo", sent, grpc.Header(&head), grpc.Trailer(&tail))
		if err != nil || !bytes.Equal(got, sent) {
			t.Errorf("%d bytes: %d came back, %v", size, len(got), err)
		}
		for prefix, md := range map[string]metadata.MD{"": head, "tail-": tail} {
			if a, b := md.Get(prefix+"x-sent"), md.Get(prefix+"x-bits-bin"); len(a) != 1 || a[0] != "by the client" || len(b) != 1 || b[0] != "\x00\xff\n" {
				t.Errorf("%d bytes: what was said beside it: %v", size, md)
			}
		}
	}
}

func grpcStatus(t *testing.T, cc *grpc.ClientConn) {
	_, err := called(t.Context(), cc, "Fail", nil)
	s := status.Convert(err)
	if s.Code() != codes.FailedPrecondition || s.Message() != "so nicht: ä 100%\n" || len(s.Details()) != 1 {
		t.Fatalf("%v with %v", err, s.Details())
	}
	if d, ok := s.Details()[0].(*durationpb.Duration); !ok || d.AsDuration() != time.Minute {
		t.Errorf("the details are %v", s.Details())
	}
	if _, err := called(t.Context(), cc, "Nothing", nil); status.Code(err) != codes.Unimplemented {
		t.Errorf("a method that nobody has: %v", err)
	}
}

func grpcCount(t *testing.T, cc *grpc.ClientConn) {
	c, err := opened(t.Context(), cc, "Count")
	if err != nil {
		t.Fatal(err)
	}
	in := noise(1, 100_000)
	if err := errors.Join(c.SendMsg(&in), c.CloseSend()); err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		var out []byte
		if err := c.RecvMsg(&out); err != nil || !bytes.Equal(out, append(fmt.Append(nil, i), in...)) {
			t.Fatalf("message %d: %d bytes, %v", i, len(out), err)
		}
	}
	var out []byte
	if err := c.RecvMsg(&out); err != io.EOF || strings.Join(c.Trailer()["counted"], "") != "10" {
		t.Errorf("the end: %v, %v", err, c.Trailer())
	}
}

func grpcGather(t *testing.T, cc *grpc.ClientConn) {
	c, err := opened(t.Context(), cc, "Gather")
	if err != nil {
		t.Fatal(err)
	}
	sum := 0
	for i := range 50 {
		in := noise(2, i*1000)
		if sum += len(in); c.SendMsg(&in) != nil {
			break // RecvMsg says why
		}
	}
	_ = c.CloseSend()
	var out []byte
	if err := c.RecvMsg(&out); err != nil || string(out) != fmt.Sprint(sum) {
		t.Errorf("%q, %v; want %d", out, err, sum)
	}
	if err := c.RecvMsg(&out); err != io.EOF {
		t.Errorf("the end: %v", err)
	}
}

func grpcTalk(t *testing.T, cc *grpc.ClientConn) {
	c, err := opened(t.Context(), cc, "Talk")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 50 {
		if err := pingPong(c, noise(uint64(i), i*2000)); err != nil {
			t.Fatalf("round %d: %v", i, err)
		}
	}
	_ = c.CloseSend()
	var out []byte
	if err := c.RecvMsg(&out); err != io.EOF {
		t.Errorf("the end: %v", err)
	}
}

func grpcAtOnce(t *testing.T, cc *grpc.ClientConn) {
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			sent := noise(uint64(i), 20_000+i)
			if got, err := called(t.Context(), cc, "Echo", sent); err != nil || !bytes.Equal(got, sent) {
				t.Errorf("call %d: %d bytes came back, %v", i, len(got), err)
			}
		})
	}
	all.Wait()
}

// TestGRPCOutlivesAReload: a stream keeps its backend when the file sends new calls elsewhere.
func TestGRPCOutlivesAReload(t *testing.T) {
	t.Parallel()
	s := startGRPC(t, "", "")
	_, next := startProcedures(t, "next", nil)
	cc := s.dial(t, "h2c", true)
	c, err := opened(t.Context(), cc, "Talk")
	if err != nil {
		t.Fatal(err)
	}
	if err := pingPong(c, []byte("before")); err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(s.file, "  h2c: {backends: [")
	old, _, _ := strings.Cut(rest, "]")
	s.write(strings.Replace(s.file, old, fmt.Sprintf("%q", next), 1))
	s.reload(t)
	if got, err := called(t.Context(), cc, "Name", nil); err != nil || string(got) != "next" {
		t.Errorf("a new call goes to %q, %v", got, err)
	}
	if err := pingPong(c, []byte("after")); err != nil {
		t.Errorf("the stream that was open: %v", err)
	}
}
