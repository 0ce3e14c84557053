package main

import (
	"context"
	"io"
	"time"

	"gatehouse/cmd/internal/serve"
)

// startGatehouse starts Gatehouse from the file at configPath, with its events logged to out, and returns where it listens.
// It runs until stop, whatever becomes of ctx: it must not leave before those whom it serves. stop lets requests in flight
// end for a few seconds and waits.
func startGatehouse(ctx context.Context, configPath string, out io.Writer) (addr string, stop func(), err error) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	started := make(chan serve.Addresses, 1)
	ended := make(chan error, 1)
	go func() {
		ended <- serve.Run(ctx, serve.Options{Path: configPath, Version: "demo", Stdout: out, Stderr: out, Drain: 5 * time.Second,
			Started: func(a serve.Addresses) { started <- a }})
	}()
	select {
	case at := <-started:
		return at.Visitors[0], func() { cancel(); <-ended }, nil
	case err := <-ended:
		cancel()
		return "", nil, err
	}
}
