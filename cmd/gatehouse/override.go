package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/user"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/proxy/admin"
)

func overrideCommand() *cobra.Command {
	var d door
	var last time.Duration
	var by string
	words := strings.Join(admin.OverrideWords(), ", ")
	c := &cobra.Command{
		Use:   "override STATE --for 10m [--by NAME] [-c FILE | --admin ADDRESS]",
		Short: "Have a running Gatehouse take the session store to be in a state, whatever its checks say; off ends that",
		Long: "Have a running Gatehouse take the session store to be in a state for a while, whatever its checks say: for a planned\n" +
			"failover, or where the checks are wrong. They go on meanwhile and can be seen in gatehouse status. What is set ends by\n" +
			"itself after --for, at most " + spell(admin.MostOverride) + ", or at once by gatehouse override off.\n\nSTATE is one of " + words + ".",
		Args: exactly(1, "override wants one STATE: "+words),
		RunE: func(c *cobra.Command, args []string) error {
			values := url.Values{"state": {args[0]}, "by": {cmp.Or(strings.TrimSpace(by), whoami())}}
			if !slices.Contains(admin.OverrideWords(), args[0]) {
				return usage(fmt.Sprintf("%q is no STATE; override wants one of %s", args[0], words))
			}
			if args[0] != admin.OverrideOff {
				if last < admin.LeastOverride || last > admin.MostOverride {
					return usage(fmt.Sprintf("override %s wants --for with a time from %s to %s, such as --for 10m",
						args[0], spell(admin.LeastOverride), spell(admin.MostOverride)))
				}
				values.Set("for", last.String())
			}
			code, body, err := d.ask(http.MethodPost, "/store/override?"+values.Encode())
			if err != nil {
				return err
			}
			var answer struct {
				OK       bool
				Mistakes []string
				Override *admin.OverrideState
			}
			if json.Unmarshal([]byte(body), &answer) != nil {
				return fmt.Errorf("%d: %s", code, strings.TrimSpace(body))
			}
			if !answer.OK {
				return errors.New("the state was not set:\n" + strings.Join(answer.Mistakes, "\n"))
			}
			if answer.Override == nil {
				fmt.Fprintln(c.OutOrStdout(), "no override is in force: the checks say what the store can do")
				return nil
			}
			fmt.Fprintln(c.OutOrStdout(), inForce(*answer.Override, time.Now()))
			return nil
		},
	}
	d.flags(c)
	c.Flags().DurationVar(&last, "for", 0, "how long, such as 10m; off needs none")
	c.Flags().StringVar(&by, "by", "", "who sets it, for whoever looks next (default: your name and this machine's)")
	return c
}

// inForce says what an override does, who set it, and until when.
func inForce(o admin.OverrideState, now time.Time) string {
	return fmt.Sprintf("%s is in force until %s (for %s), set by %s", o.State, clock(o.Until, now), left(o.Until, now), o.By)
}

// whoami names the person at this terminal, as far as the machine knows.
func whoami() string {
	name := cmp.Or(os.Getenv("USER"), os.Getenv("LOGNAME"))
	if u, err := user.Current(); err == nil {
		name = cmp.Or(u.Username, name)
	}
	name = cmp.Or(name, fmt.Sprintf("uid %d", os.Getuid()))
	if host, err := os.Hostname(); err == nil {
		name += "@" + host
	}
	return name
}

// clock is a moment as a person at this machine reads it; with its day, if that is not today.
func clock(t, now time.Time) string {
	t, now = t.Local(), now.Local()
	if t.YearDay() != now.YearDay() || t.Year() != now.Year() {
		return t.Format("2006-01-02 15:04:05 MST")
	}
	return t.Format("15:04:05 MST")
}

// left is how long it is until a moment, in whole seconds.
func left(t, now time.Time) string { return spell(max(t.Sub(now), 0).Round(time.Second)) }

// spell is a duration without the units that are zero at its end: 10m and not 10m0s.
func spell(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}
