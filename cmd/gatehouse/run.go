package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/cmd/internal/serve"
)

func runCommand() *cobra.Command {
	var path string
	var delay, drain time.Duration
	c := &cobra.Command{
		Use:   "run -c FILE",
		Short: "Serve by an operator's file until SIGTERM or SIGINT; SIGHUP reloads it",
		Args:  exactly(0, "run takes no arguments; the file is named by -c"),
		RunE: func(c *cobra.Command, _ []string) error {
			if path == "" {
				return usage("run wants -c FILE")
			}
			return run(path, delay, drain)
		},
	}
	c.Flags().StringVarP(&path, "config", "c", "", "the operator's file")
	c.Flags().DurationVar(&delay, "drain-delay", 3*time.Second, "on SIGTERM: how long visitors are still accepted after the health paths turned")
	c.Flags().DurationVar(&drain, "drain-timeout", 25*time.Second, "on SIGTERM: how long requests in flight may take to end")
	return c
}

func run(path string, delay, drain time.Duration) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	// A second signal ends the program at once, as if nothing had been asked to be gentle.
	defer context.AfterFunc(ctx, stop)()
	// A reader of the logs that goes away must not take the program with it.
	signal.Ignore(syscall.SIGPIPE)
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	return serve.Run(ctx, serve.Options{
		Path: path, Version: versionWord(), Stdout: os.Stdout, Stderr: os.Stderr, Hangup: hangup, Delay: delay, Drain: drain,
	})
}
