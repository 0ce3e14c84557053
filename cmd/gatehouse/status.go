package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/proxy/admin"
)

func statusCommand() *cobra.Command {
	var d door
	var raw, ready bool
	c := &cobra.Command{
		Use:   "status [-c FILE | --admin ADDRESS]",
		Short: "Say how a running Gatehouse, its store and its pools stand",
		Args:  exactly(0, "status takes no arguments"),
		RunE: func(c *cobra.Command, _ []string) error {
			if ready {
				return askReady(c.OutOrStdout(), &d)
			}
			code, body, err := d.ask(http.MethodGet, "/status")
			if err != nil {
				return err
			}
			if code != http.StatusOK {
				return fmt.Errorf("%d: %s", code, strings.TrimSpace(body))
			}
			if raw {
				_, err = io.WriteString(c.OutOrStdout(), body)
				return err
			}
			var s admin.Status
			if err := json.Unmarshal([]byte(body), &s); err != nil {
				return fmt.Errorf("that is no Gatehouse: %w", err)
			}
			return printStatus(c.OutOrStdout(), s)
		},
	}
	d.flags(c)
	c.Flags().BoolVar(&raw, "json", false, "as JSON")
	c.Flags().BoolVar(&ready, "ready", false, "only whether visitors should be sent here: exit code 0 or 1, for a container's health check")
	return c
}

func askReady(w io.Writer, d *door) error {
	code, body, err := d.ask(http.MethodGet, "/readyz")
	if err != nil {
		return err
	}
	fmt.Fprint(w, body)
	if code != http.StatusOK {
		return errReported
	}
	return nil
}

func printStatus(w io.Writer, s admin.Status) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(out, "gatehouse\t%s, up %v\n", s.Version, time.Duration(s.UptimeSeconds*float64(time.Second)).Round(time.Second))
	file := "ok, loaded " + s.Config.LoadedAt.Format(time.RFC3339)
	if !s.Config.OK {
		file = "the last good one is live; the last attempt failed:\n\t" + strings.ReplaceAll(s.Config.Error, "\n", "\n\t")
	}
	fmt.Fprintf(out, "file\t%s: %s\n", s.Config.Path, file)
	if !s.Ready {
		fmt.Fprintf(out, "ready\tno: %s\n", s.NotReady)
	}
	for _, st := range s.Stores {
		if st.Override == nil && slices.ContainsFunc(s.Stores, func(o admin.Store) bool { return o.PartOf == st.Name }) {
			st.Observed = st.State // the worst part's, which is told of below
		}
		printStore(out, st, s.Now)
	}
	for _, c := range s.Certs {
		printCert(out, c, s.Now)
	}
	for _, d := range s.Degraded {
		fmt.Fprintf(out, "now\troute %s: %s, %s, %.1f/s\n", d.Route, d.Outcome, d.Reason, d.PerSecond)
	}
	for _, p := range s.Pools {
		printPool(out, p, s.Now)
	}
	if q := s.QuotaStore; q != nil {
		printQuotaStore(out, *q, s.Now)
	}
	return out.Flush()
}
