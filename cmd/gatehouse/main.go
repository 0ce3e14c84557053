// Command gatehouse is a sign-in-aware reverse proxy and load shedder. See "gatehouse help".
package main

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// version is set when a release is built; otherwise what the toolchain knows is used.
var version = ""

func main() { os.Exit(execute(os.Args[1:])) }

// Exit codes.
const (
	exitOK    = 0
	exitError = 1 // something is wrong with the file, the machine or the other side
	exitUsage = 2 // the command line is wrong
)

// errUsage marks what is wrong with the command line itself.
var errUsage = errors.New("usage")

func execute(args []string) int {
	root := &cobra.Command{
		Use:   "gatehouse",
		Short: "A sign-in-aware reverse proxy that turns a failing session store into a calm page",
		Long: "Gatehouse stands in front of an app tier. It gives sign-in traffic its own backends, knows at every request what the\n" +
			"session store can do right now, and turns a store that went read-only, slow, full or away into a calm, rate-limited page.",
		SilenceUsage: true, SilenceErrors: true,
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return fmt.Errorf("%w: %w", errUsage, err) })
	root.Args = func(_ *cobra.Command, args []string) error {
		if len(args) > 0 {
			return fmt.Errorf("%w: there is no command %q; see gatehouse help", errUsage, args[0])
		}
		return nil
	}
	root.RunE = func(c *cobra.Command, _ []string) error {
		_ = c.Help()
		return fmt.Errorf("%w: no command given", errUsage)
	}
	root.AddCommand(runCommand(), checkCommand(), explainCommand(), statusCommand(), reloadCommand(), overrideCommand(), versionCommand())
	root.SetArgs(args)
	err := root.Execute()
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errUsage):
		fmt.Fprintln(os.Stderr, "gatehouse:", err)
		return exitUsage
	case errors.Is(err, errReported):
		return exitError
	default:
		fmt.Fprintln(os.Stderr, "gatehouse:", err)
		return exitError
	}
}

// errReported is a failure whose words have been printed already.
var errReported = errors.New("reported")

// exactly demands n arguments, or at least one where n is negative.
func exactly(n int, what string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if n < 0 && len(args) == 0 || n >= 0 && len(args) != n {
			return usage(what)
		}
		return nil
	}
}

// versionWord returns the version of this program.
func versionWord() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "devel"
}

func usage(what string) error { return fmt.Errorf("%w: %s", errUsage, what) }
