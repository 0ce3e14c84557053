// Command gatehouse-demo is the whole scene on one machine and in one process: a session store whose faults are made by
// hand, a sample app in two pools, Gatehouse in front, a plain load balancer beside it to compare with, and a page to control
// it all. With -script it plays a row of faults by itself, under load, and judges what visitors saw on both sides.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/redis/go-redis/v9"
)

// usualListen is where Gatehouse listens unless told otherwise.
const usualListen = "127.0.0.1:8080"

// Exit codes.
const (
	exitKept   = 0
	exitBroken = 1 // something failed, or a promise broke
	exitUsage  = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	redis.SetLogger(quiet{}) // the clients would tell of each failed connection, in the middle of the story
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// quiet is a logger that says nothing.
type quiet struct{}

func (quiet) Printf(context.Context, string, ...any) {}

func run(ctx context.Context, args []string, out, errs io.Writer) int {
	flags := flag.NewFlagSet("gatehouse-demo", flag.ContinueOnError)
	flags.SetOutput(errs)
	script := flags.Bool("script", false, "play a row of faults under load, print what visitors saw, and exit non-zero if a promise broke")
	listen := flags.String("listen", usualListen, "where Gatehouse listens; a free port is taken if this one is in use, and the other parts take free ports\nunless this is the usual one")
	rate := flags.Float64("rate", 1, "with -script: how much load, as a multiple of the usual 120 requests a second on each side")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return exitKept
		}
		return exitUsage
	}
	if flags.NArg() > 0 || *rate <= 0 || *rate > 20 {
		fmt.Fprintln(errs, "gatehouse-demo: no arguments are wanted, and -rate is above 0 and at most 20")
		return exitUsage
	}
	options := SceneOptions{Listen: *listen, Plain: "127.0.0.1:8081", Control: "127.0.0.1:8090", Admin: "127.0.0.1:9901",
		Start: startGatehouse}
	if *listen != usualListen { // a second scene beside the usual one: nobody should press the wrong one's buttons
		options.Plain, options.Control, options.Admin = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	}
	scene, err := OpenScene(ctx, options)
	if err != nil {
		fmt.Fprintln(errs, "gatehouse-demo:", err)
		return exitBroken
	}
	defer scene.Close()
	if *script {
		return play(ctx, scene, usualScript(*rate), out)
	}
	greet(out, scene.Links)
	<-ctx.Done()
	fmt.Fprintln(out, "\nStopping.")
	return exitKept
}

// play runs a script, prints its report and returns the exit code.
func play(ctx context.Context, scene *Scene, script Script, out io.Writer) int {
	report, err := script.Run(ctx, scene, out)
	if err != nil {
		fmt.Fprintln(out, "The script did not end:", err)
		return exitBroken
	}
	report.Print(out)
	if len(report.Broken()) > 0 {
		return exitBroken
	}
	return exitKept
}

// greet says what there is and what to do with it.
func greet(out io.Writer, l Links) {
	fmt.Fprintf(out, `Gatehouse demo: a small site, its session store, and two ways in.

  Break the store      %s
  The site, with       %s    Gatehouse in front
  The site, without    %s    a plain load balancer, the same backends
  Gatehouse's own page %s
  Its configuration    %s    edit it while it runs

What to try: open the first, and the site both ways. Sign in to each (any name, the password is demo).
Then make the store read-only, hung or away, and go on using the site.

gatehouse-demo -script plays it all by itself in 45 seconds. Ctrl-C stops everything.
`, l.Control, l.With, l.Without, l.Admin, l.Config)
}
