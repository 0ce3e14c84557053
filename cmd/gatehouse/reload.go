package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/cobra"
)

func reloadCommand() *cobra.Command {
	var d door
	c := &cobra.Command{
		Use:   "reload [-c FILE | --admin ADDRESS]",
		Short: "Have a running Gatehouse load its file again, and say what is wrong with it",
		Args:  exactly(0, "reload takes no arguments"),
		RunE: func(c *cobra.Command, _ []string) error {
			code, body, err := d.ask(http.MethodPost, "/reload")
			if err != nil {
				return err
			}
			var answer struct {
				OK       bool
				Mistakes []string
				Warnings []string
			}
			if json.Unmarshal([]byte(body), &answer) != nil {
				return fmt.Errorf("%d: %s", code, strings.TrimSpace(body))
			}
			if !answer.OK {
				return errors.New("the file was not loaded; the last good one stays in force:\n" + strings.Join(answer.Mistakes, "\n"))
			}
			for _, w := range answer.Warnings {
				fmt.Fprintln(c.ErrOrStderr(), "warning:", w)
			}
			fmt.Fprintln(c.OutOrStdout(), "reloaded")
			return nil
		},
	}
	d.flags(c)
	return c
}
