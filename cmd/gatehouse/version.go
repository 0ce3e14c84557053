package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"
)

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Say which gatehouse this is, and which Go it was built with",
		Args:  exactly(0, "version takes no arguments"),
		Run: func(c *cobra.Command, _ []string) {
			fmt.Fprintf(c.OutOrStdout(), "gatehouse %s (%s, %s/%s)\n", versionWord(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
		},
	}
}
