//go:build linux

package main

import (
	"context"
	"net"

	"google.golang.org/grpc"
)

// callPath is the path of the one method that there is.
const callPath = "/bench.Echo/Echo"

// unread is a codec that leaves messages as they are, so that no schema is needed.
type unread struct{}

func (unread) Marshal(v any) ([]byte, error) { return *v.(*[]byte), nil }
func (unread) Unmarshal(data []byte, v any) error {
	*v.(*[]byte) = append([]byte(nil), data...) // grpc uses the buffer again
	return nil
}
func (unread) Name() string { return "unread" }

// calls is the gRPC server behind every proxy, which speaks HTTP/2 in the clear and sends each message back. Its owner must stop it.
type calls struct {
	address string
	server  *grpc.Server
	done    chan struct{}
}

func newCalls() (*calls, error) {
	l, err := net.Listen("tcp", freeAddress())
	if err != nil {
		return nil, err
	}
	c := &calls{address: l.Addr().String(), server: grpc.NewServer(grpc.ForceServerCodec(unread{})), done: make(chan struct{})}
	c.server.RegisterService(&grpc.ServiceDesc{ServiceName: "bench.Echo", HandlerType: (*any)(nil), Methods: []grpc.MethodDesc{{
		MethodName: "Echo",
		Handler: func(_ any, _ context.Context, read func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			var in []byte
			err := read(&in)
			return &in, err
		},
	}}}, nil)
	go func() {
		defer close(c.done)
		_ = c.server.Serve(l)
	}()
	return c, nil
}

func (c *calls) stop() {
	c.server.Stop()
	<-c.done
}
