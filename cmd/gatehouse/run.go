package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/cmd/internal/serve"
	"gatehouse/proxy/edge"
	"gatehouse/proxy/edge/sockets"
)

func runCommand() *cobra.Command {
	var path string
	var o serve.Options
	var s sockets.Settings
	c := &cobra.Command{
		Use:   "run -c FILE",
		Short: "Serve by an operator's file until SIGTERM or SIGINT; SIGHUP reloads it, SIGUSR2 has a new process take over",
		Args:  exactly(0, "run takes no arguments; the file is named by -c"),
		RunE: func(c *cobra.Command, _ []string) error {
			if path == "" {
				return usage("run wants -c FILE")
			}
			o.Path = path
			return run(o, s)
		},
	}
	f := c.Flags()
	f.StringVarP(&path, "config", "c", "", "the operator's file")
	f.DurationVar(&o.Delay, "drain-delay", 3*time.Second, "on SIGTERM: how long visitors are still accepted after the health paths turned")
	f.DurationVar(&o.Drain, "drain-timeout", 25*time.Second, "on SIGTERM, or after a takeover: how long requests in flight may take to end")
	// A quarter more than a minute, which is as long as the edge keeps a connection without a request in any case.
	f.DurationVar(&o.Grace, "takeover-grace", 75*time.Second,
		"after a takeover: how long the old process keeps connections without a request, so that none meets one that closes")
	f.DurationVar(&s.Timeout, "takeover-timeout", time.Minute, "on SIGUSR2: how long the new process may take to serve")
	f.StringVar(&s.PIDFile, "pid-file", "", "where the id of the process that serves is written")
	return c
}

func run(o serve.Options, s sockets.Settings) error {
	defer runtime.KeepAlive(spareCollector())
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	// A second signal ends the program at once, as if nothing had been asked to be gentle.
	defer context.AfterFunc(ctx, stop)()
	// A reader of the logs that goes away must not take the program with it.
	signal.Ignore(syscall.SIGPIPE)
	hangup, takeover := make(chan os.Signal, 1), make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	signal.Notify(takeover, syscall.SIGUSR2)
	defer signal.Stop(takeover)
	s.Unix = func(path string) (net.Listener, error) { return edge.Listen("unix", path) }
	from, err := sockets.New(s)
	if err != nil {
		return err
	}
	o.Version, o.Stdout, o.Stderr, o.Hangup, o.Takeover, o.Sockets = versionWord(), os.Stdout, os.Stderr, hangup, takeover, from
	err = serve.Run(ctx, o)
	if err != nil && from.Failed(err) {
		err = errReported // by the process that goes on
	}
	if errors.Is(err, syscall.EADDRINUSE) {
		err = fmt.Errorf("%w\nif it is a Gatehouse that runs there: \"gatehouse reload -c %s\" has it load its file again, and SIGUSR2 has a new "+
			"binary take over from it (kill -USR2 PID, or systemctl kill --kill-whom=main --signal=USR2 gatehouse)", err, o.Path)
	}
	return errors.Join(err, from.Close())
}
