package upstream

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// plainBytes is a codec for messages that are []byte.
type plainBytes struct{}

func (plainBytes) Marshal(v any) ([]byte, error)      { return *v.(*[]byte), nil }
func (plainBytes) Unmarshal(data []byte, v any) error { *v.(*[]byte) = data; return nil }
func (plainBytes) Name() string                       { return "bytes" }

// grpcServer starts a server of grpc-go's with methods that take and give streams of bytes.
func grpcServer(t *testing.T, creds credentials.TransportCredentials, methods map[string]func(grpc.ServerStream) error) BackendSettings {
	t.Helper()
	desc := &grpc.ServiceDesc{ServiceName: "test.Service", HandlerType: (*any)(nil)}
	for name, f := range methods {
		desc.Streams = append(desc.Streams, grpc.StreamDesc{StreamName: name, ServerStreams: true, ClientStreams: true,
			Handler: func(_ any, s grpc.ServerStream) error { return f(s) }})
	}
	options := []grpc.ServerOption{grpc.ForceServerCodec(plainBytes{})}
	scheme := "h2c://"
	if creds != nil {
		options, scheme = append(options, grpc.Creds(creds)), "h2://"
	}
	s := grpc.NewServer(options...)
	s.RegisterService(desc, new(int))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = s.Serve(l)
	}()
	t.Cleanup(func() {
		s.Stop()
		<-served
	})
	return BackendSettings{URL: scheme + l.Addr().String(), Address: l.Addr().String()}
}

// framed is a message as gRPC sends it.
func framed(text string) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(text))), text...)
}

// message reads one message.
func nextMessage(r io.Reader) (string, error) {
	var prefix [5]byte
	if _, err := io.ReadFull(r, prefix[:]); err != nil {
		return "", err
	}
	text := make([]byte, binary.BigEndian.Uint32(prefix[1:]))
	_, err := io.ReadFull(r, text)
	return string(text), err
}

// call is one call under way.
type call struct {
	*Answer
	t   *testing.T
	out *io.PipeWriter
}

func callGRPC(ctx context.Context, t *testing.T, p *Pool, method string, lines ...string) *call {
	t.Helper()
	in, out := io.Pipe()
	t.Cleanup(func() { out.Close() })
	h := head(append([]string{"Content-Type: application/grpc+bytes", "TE: trailers", "Grpc-Accept-Encoding: gzip"}, lines...)...)
	body := &watched{Reader: in, begun: make(chan struct{}), cut: func() { in.CloseWithError(io.ErrClosedPipe) }}
	a, err := claim(t, p).Send(ctx, &Request{Method: "POST", Target: "/test.Service/" + method, Host: "app.example", Head: h, Body: body, Length: -1})
	if err != nil {
		t.Fatalf("%s: %v", method, err)
	}
	t.Cleanup(func() { a.Body.Close() })
	if a.Status != 200 || a.Head.Get("Content-Type") != "application/grpc+bytes" {
		t.Errorf("%s: %+v", method, a)
	}
	return &call{a, t, out}
}

func (c *call) say(text string) {
	c.t.Helper()
	if _, err := c.out.Write(framed(text)); err != nil {
		c.t.Error(err)
	}
}

func (c *call) hear(want string) {
	c.t.Helper()
	if got, err := nextMessage(c.Body); got != want || err != nil {
		c.t.Errorf("got %q, %v; want %q", got, err, want)
	}
}

// over checks the end of a call.
func (c *call) over(code codes.Code, message string) {
	c.t.Helper()
	if got, err := io.ReadAll(c.Body); err != nil || len(got) > 0 {
		c.t.Errorf("at the end: %q, %v", got, err)
	}
	end := c.Trailer()
	if len(c.Head.Get("Grpc-Status")) > 0 { // the head was all there is
		end = c.Head
	}
	if end.Get("Grpc-Status") != fmt.Sprint(int(code)) || end.Get("Grpc-Message") != message {
		c.t.Errorf("ended with %v", end)
	}
}

func receive(s grpc.ServerStream) (string, error) {
	var text []byte
	err := s.RecvMsg(&text)
	return string(text), err
}

func say(s grpc.ServerStream, text string) error {
	message := []byte(text)
	return s.SendMsg(&message)
}

func TestGRPC(t *testing.T) {
	left := make(chan error, 1)
	next := make(chan struct{})
	methods := map[string]func(grpc.ServerStream) error{
		"Unary": func(s grpc.ServerStream) error {
			text, err := receive(s)
			if err != nil {
				return err
			}
			in, _ := metadata.FromIncomingContext(s.Context())
			_ = s.SetHeader(metadata.Pairs("x-authority", in.Get(":authority")[0], "x-bin", "\x00\x01"))
			s.SetTrailer(metadata.Pairs("x-end", "1", "x-end", "2"))
			return say(s, "hello "+text)
		},
		"Server": func(s grpc.ServerStream) error {
			for i := range 5 {
				if err := say(s, fmt.Sprint(i)); err != nil {
					return err
				}
				<-next // nothing more before this one was heard
			}
			return status.Error(codes.DataLoss, "that is all")
		},
		"Client": func(s grpc.ServerStream) error {
			var all string
			for {
				text, err := receive(s)
				if err == io.EOF {
					return say(s, all)
				}
				if err != nil {
					return err
				}
				all += text
			}
		},
		"Both": func(s grpc.ServerStream) error {
			_ = s.SendHeader(nil)
			for {
				text, err := receive(s)
				if err != nil {
					left <- err
					return nil
				}
				if text == "enough" {
					return nil // though more may come
				}
				if err := say(s, strings.ToUpper(text)); err != nil {
					return err
				}
			}
		},
		"Wait": func(s grpc.ServerStream) error {
			_ = s.SendHeader(nil)
			_, has := s.Context().Deadline()
			if err := say(s, fmt.Sprint(has)); err != nil {
				return err
			}
			<-s.Context().Done()
			left <- s.Context().Err()
			return status.FromContextError(s.Context().Err()).Err()
		},
	}
	ca := newAuthority(t)
	pair := ca.pair("127.0.0.1")
	for scheme, creds := range map[string]credentials.TransportCredentials{"h2c": nil, "h2": credentials.NewServerTLSFromCert(&pair)} {
		t.Run(scheme, func(t *testing.T) {
			p := ca.pool(t, TLS{}, grpcServer(t, creds, methods))
			t.Run("unary", func(t *testing.T) {
				in, out := io.Pipe()
				go func() {
					_, _ = out.Write(framed("you"))
					out.Close()
				}()
				a := send(t, p, &Request{Method: "POST", Target: "/test.Service/Unary", Host: "app.example", Length: -1, Body: &interruptible{in},
					Head: head("Content-Type: application/grpc+bytes", "TE: trailers")})
				c := &call{a, t, out}
				c.hear("hello you")
				c.over(codes.OK, "")
				if a.Head.Get("X-Authority") != "app.example" || a.Head.Get("X-Bin") != "\x00\x01" && a.Length != -1 {
					t.Errorf("head %v, length %d", a.Head, a.Length)
				}
				if got := values(a.Trailer(), "X-End"); got != "1 2 " {
					t.Errorf("trailer %v", a.Trailer())
				}
			})
			t.Run("an error without an answer", func(t *testing.T) {
				c := callGRPC(deadline(t), t, p, "Nothing")
				c.out.Close()
				c.over(codes.Unimplemented, "unknown method Nothing for service test.Service")
				if c.Length != 0 {
					t.Errorf("length %d", c.Length)
				}
			})
			t.Run("a stream of the server", func(t *testing.T) {
				in, out := io.Pipe()
				out.Close()
				a := send(t, p, &Request{Method: "POST", Target: "/test.Service/Server", Host: "a", Length: -1, Body: &interruptible{in},
					Head: head("Content-Type: application/grpc+bytes", "TE: trailers")})
				c := &call{a, t, out}
				for i := range 5 {
					c.hear(fmt.Sprint(i))
					next <- struct{}{}
				}
				c.over(codes.DataLoss, "that is all")
			})
			t.Run("a stream of the client", func(t *testing.T) {
				in, out := io.Pipe()
				go func() {
					for _, s := range []string{"a", "b", "c"} {
						_, _ = out.Write(framed(s))
					}
					out.Close()
				}()
				a := send(t, p, &Request{Method: "POST", Target: "/test.Service/Client", Host: "a", Length: -1, Body: &interruptible{in},
					Head: head("Content-Type: application/grpc+bytes", "TE: trailers")})
				c := &call{a, t, out}
				c.hear("abc")
				c.over(codes.OK, "")
			})
			t.Run("both ways", func(t *testing.T) {
				c := callGRPC(deadline(t), t, p, "Both")
				for i := range 50 {
					c.say(fmt.Sprint("ping ", i))
					c.hear(fmt.Sprint("PING ", i))
				}
				c.say("enough")
				c.over(codes.OK, "")
			})
			t.Run("a deadline", func(t *testing.T) {
				c := callGRPC(deadline(t), t, p, "Wait", "Grpc-Timeout: 100m")
				c.hear("true")
				switch _, err := nextMessage(c.Body); { // the server cancels, and may come to say why before
				case err == io.EOF:
					c.over(codes.DeadlineExceeded, "context deadline exceeded")
				case !errors.Is(err, ErrLate) || (Result{Err: err}).judge() == bad:
					t.Errorf("got %v, want ErrLate, and the backend excused", err)
				}
				<-left
			})
			t.Run("a cancellation", func(t *testing.T) {
				for _, method := range []string{"Wait", "Both"} {
					ctx, cancel := context.WithCancel(deadline(t))
					c := callGRPC(ctx, t, p, method)
					if method == "Wait" {
						c.hear("false")
					}
					cancel()
					if _, err := nextMessage(c.Body); !errors.Is(err, ErrCancelled) {
						t.Errorf("got %v, want ErrCancelled", err)
					}
					select {
					case err := <-left:
						if err == io.EOF {
							t.Errorf("%s: the server takes it for an end", method)
						}
					case <-time.After(patience):
						t.Fatalf("%s: the server does not hear of it", method)
					}
				}
			})
			if n := links(p); n != 1 {
				t.Errorf("%d connections", n)
			}
		})
	}
}
