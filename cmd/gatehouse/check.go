package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"gatehouse/config"
	"gatehouse/proxy/build"
)

func checkCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE...",
		Short: "Say everything that is wrong with files, without serving by them",
		Args:  exactly(-1, "check wants at least one FILE"),
		RunE: func(c *cobra.Command, args []string) error {
			failed := false
			for _, path := range args {
				cfg, err := config.Load(path)
				var warnings []string
				if err == nil {
					warnings, err = build.Check(cfg)
				}
				if err != nil {
					failed = true
					fmt.Fprintln(c.ErrOrStderr(), err)
					continue
				}
				for _, w := range cfg.Warnings {
					warnings = append(warnings, w.Error())
				}
				for _, w := range warnings {
					fmt.Fprintln(c.ErrOrStderr(), "warning:", w)
				}
				fmt.Fprintf(c.OutOrStdout(), "%s: ok: %s, %s\n", path, count(len(cfg.Routes), "route"), count(len(cfg.Pools), "pool"))
			}
			if failed {
				return errReported
			}
			return nil
		},
	}
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
