package test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
)

// bare is a codec that leaves messages as they are, so that no schema is needed.
type bare struct{}

func (bare) Marshal(v any) ([]byte, error) { return *v.(*[]byte), nil }
func (bare) Unmarshal(data []byte, v any) error {
	*v.(*[]byte) = append([]byte(nil), data...) // grpc uses the buffer again
	return nil
}
func (bare) Name() string { return "bare" }

// procedures is a gRPC service. What it waits for and how that ends it tells its test.
type procedures struct {
	name   string
	waited chan waited
}

// waited is how a call that would have lasted for ever went.
type waited struct {
	left time.Duration // to its deadline when it began; 0: it had none
	err  error         // what ended it; nil: it has only begun
}

// grpcService is the first part of each method's path.
const grpcService = "/gatehouse.test.Streams/"

func (p *procedures) desc() *grpc.ServiceDesc {
	d := &grpc.ServiceDesc{ServiceName: "gatehouse.test.Streams", HandlerType: (*any)(nil)}
	for name, call := range map[string]func(context.Context, []byte) ([]byte, error){"Echo": p.echo, "Fail": p.fail, "Wait": p.wait, "Name": p.say} {
		d.Methods = append(d.Methods, grpc.MethodDesc{MethodName: name, Handler: func(_ any, ctx context.Context, read func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			var in []byte
			if err := read(&in); err != nil {
				return nil, err
			}
			out, err := call(ctx, in)
			return &out, err
		}})
	}
	for name, talk := range map[string]func(grpc.ServerStream) error{"Count": count10, "Gather": addUp, "Talk": talkBack} {
		d.Streams = append(d.Streams, grpc.StreamDesc{StreamName: name, ServerStreams: true, ClientStreams: true,
			Handler: func(_ any, s grpc.ServerStream) error { return talk(s) }})
	}
	return d
}

// echo answers with what came, and in its head and its trailer with what was said beside it.
func (p *procedures) echo(ctx context.Context, in []byte) ([]byte, error) {
	md, _ := metadata.FromIncomingContext(ctx)
	for _, name := range []string{"x-sent", "x-bits-bin"} {
		if err := errors.Join(grpc.SetHeader(ctx, metadata.MD{name: md[name]}), grpc.SetTrailer(ctx, metadata.MD{"tail-" + name: md[name]})); err != nil {
			return nil, err
		}
	}
	return in, nil
}

func (p *procedures) say(context.Context, []byte) ([]byte, error) { return []byte(p.name), nil }

// fail answers with a status that has everything a status can have.
func (p *procedures) fail(context.Context, []byte) ([]byte, error) {
	s, err := status.New(codes.FailedPrecondition, "so nicht: ä 100%\n").WithDetails(durationpb.New(time.Minute))
	if err != nil {
		return nil, err
	}
	return nil, s.Err()
}

func (p *procedures) wait(ctx context.Context, _ []byte) ([]byte, error) {
	w := waited{}
	if at, ok := ctx.Deadline(); ok {
		w.left = time.Until(at)
	}
	p.waited <- w
	<-ctx.Done()
	w.err = ctx.Err()
	p.waited <- w
	return nil, ctx.Err()
}

// count10 answers one message with ten.
func count10(s grpc.ServerStream) error {
	var in []byte
	if err := s.RecvMsg(&in); err != nil {
		return err
	}
	for i := range 10 {
		out := append(strconv.AppendInt(nil, int64(i), 10), in...)
		if err := s.SendMsg(&out); err != nil {
			return err
		}
	}
	s.SetTrailer(metadata.Pairs("counted", "10"))
	return nil
}

// addUp answers all messages with one: how many bytes they had.
func addUp(s grpc.ServerStream) error {
	sum := 0
	for {
		var in []byte
		switch err := s.RecvMsg(&in); {
		case err == io.EOF:
			out := strconv.AppendInt(nil, int64(sum), 10)
			return s.SendMsg(&out)
		case err != nil:
			return err
		}
		sum += len(in)
	}
}

// talkBack answers each message before the next.
func talkBack(s grpc.ServerStream) error {
	for {
		var in []byte
		switch err := s.RecvMsg(&in); {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
		if err := s.SendMsg(&in); err != nil {
			return err
		}
	}
}

// startProcedures starts a real gRPC server, and returns what a pool's backends say of it. secret nil: in the clear.
func startProcedures(t *testing.T, name string, secret *tls.Config) (*procedures, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &procedures{name: name, waited: make(chan waited, 16)}
	options, scheme := []grpc.ServerOption{grpc.ForceServerCodec(bare{}), grpc.MaxRecvMsgSize(64 << 20)}, "h2c"
	if secret != nil {
		options, scheme = append(options, grpc.Creds(credentials.NewTLS(secret))), "h2"
	}
	s := grpc.NewServer(options...)
	s.RegisterService(p.desc(), nil)
	go func() { _ = s.Serve(l) }()
	t.Cleanup(s.Stop)
	return p, scheme + "://" + l.Addr().String()
}

// await returns what a call that waits has come to.
func (p *procedures) await(t *testing.T) waited {
	t.Helper()
	select {
	case w := <-p.waited:
		return w
	case <-time.After(patience):
		t.Error("the backend saw nothing")
		return waited{}
	}
}

// dialGRPC returns a client of whoever is at that address. c nil: in the clear, and name is the host it asks for.
func dialGRPC(t *testing.T, address, name string, c *tls.Config, more ...grpc.DialOption) *grpc.ClientConn {
	t.Helper()
	options := append(more, grpc.WithDefaultCallOptions(grpc.ForceCodec(bare{}), grpc.MaxCallRecvMsgSize(64<<20)))
	if c == nil {
		options = append(options, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithAuthority(name))
	} else {
		options = append(options, grpc.WithTransportCredentials(credentials.NewTLS(c)))
	}
	cc, err := grpc.NewClient("passthrough:///"+address, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cc.Close() })
	return cc
}

// called calls a method that takes one message and gives one.
func called(ctx context.Context, cc *grpc.ClientConn, method string, in []byte, options ...grpc.CallOption) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var out []byte
	err := cc.Invoke(ctx, grpcService+method, &in, &out, options...)
	return out, err
}

// opened begins a method whose messages come one by one.
func opened(ctx context.Context, cc *grpc.ClientConn, method string) (grpc.ClientStream, error) {
	return cc.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, grpcService+method)
}

// pingPong sends a message and wants it back before anything else happens.
func pingPong(s grpc.ClientStream, message []byte) error {
	if err := s.SendMsg(&message); err != nil {
		return err
	}
	var back []byte
	if err := s.RecvMsg(&back); err != nil {
		return err
	}
	if string(back) != string(message) {
		return fmt.Errorf("%d bytes came back of %d", len(back), len(message))
	}
	return nil
}
