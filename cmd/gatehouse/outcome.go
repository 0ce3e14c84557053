package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"gatehouse/config"
	"gatehouse/proxy/build"
	"gatehouse/proxy/intake"
	"gatehouse/shed"
)

// explainStates says what becomes of a request in each state of the store, and what else is done for it.
func explainStates(w io.Writer, cfg *config.Config, r config.Route, q question, carries bool) {
	if cfg.Session.Store == nil {
		fmt.Fprintln(w, "There is no session.store, so every need is met: it passes.")
		return
	}
	if intake.Preflight(q.method, q.head) {
		fmt.Fprintln(w, "A CORS preflight needs nothing of the store: it passes in every state.")
		return
	}
	fmt.Fprintln(w, "When the store is:")
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, s := range shed.States {
		fmt.Fprintf(out, "  %s\t%s\n", s, outcome(cfg, r, s, carries))
	}
	_ = out.Flush()
	explainStores(w, cfg, r)
	if r.SignIn {
		ramp := cfg.Session.Store.Recovery.Ramp
		fmt.Fprintf(w, "\nAfter a closure, sign-ins come back over %v, from %g to %g a second, who waited longest first; the others get\nthe page, with their place in the line.\n",
			ramp.Over, ramp.From.PerSecond(), ramp.To.PerSecond())
	}
	if r.SignOut {
		fmt.Fprintf(w, "\n%s\n", signOut(cfg.Session))
	} else if carries {
		fmt.Fprintf(w, "\n%s\n", guard(cfg.Session, r))
	}
}

// outcome says what becomes of a request while the store is in a state.
func outcome(cfg *config.Config, r config.Route, s shed.State, carries bool) string {
	if d := shed.Decide(build.Need(r), carries, shed.Verdict{State: s}); d.Action != shed.Degrade {
		if limit := cfg.Session.Store.Strained.Rate; s == shed.Strained && r.SignIn && limit != (config.Rate{}) {
			return fmt.Sprintf("pass, at most %g sign-ins a second; the others get the page", limit.PerSecond())
		}
		return "pass"
	}
	held := ""
	if r.Wait > 0 {
		held = fmt.Sprintf("held up to %s first, then ", spell(r.Wait))
	}
	if r.SignOut {
		return "sign out: " + held + "Gatehouse expires the cookies itself"
	}
	page := fmt.Sprintf("degrade: %sthe page, with status %d", held, cfg.Degrade.Status)
	if r.Restart != "" {
		page += ", leading back to " + r.Restart
	}
	return page
}

// signOut says what a wish to sign out can count on.
func signOut(s config.Session) string {
	names := "the cookies"
	if all := slices.Concat(s.Cookies, s.Remember); len(all) > 0 {
		names += " (" + strings.Join(all, ", ") + ")"
	}
	return fmt.Sprintf("A sign-out is honoured in every state: where the app cannot end the session, Gatehouse expires %s itself,\n"+
		"says that this device is signed out, and refuses the session's id for %s.", names, spell(s.MaxAge))
}

// guard says whether an outage can cost the visitor the session that the request carries.
func guard(s config.Session, r config.Route) string {
	if !r.Guard {
		return "The guard does not watch it (guard: false): what the app does to this session in an outage, it does."
	}
	signs := "its cookie deleted or replaced, a 401"
	if len(s.SignInAt) > 0 {
		signs += ", a redirect to " + strings.Join(s.SignInAt, " or ")
	}
	return fmt.Sprintf("The guard watches it: an answer that would sign this session out (%s) is checked\n"+
		"against the store first. If that is impaired, or was since the request came, the session is kept.", signs)
}

// explainStores says which store is meant, where there are several.
func explainStores(w io.Writer, cfg *config.Config, r config.Route) {
	st := cfg.Session.Store
	if len(st.Members) == 0 {
		if st.Cluster != nil && st.Cluster.Key != "" && !r.SignIn {
			fmt.Fprintln(w, "\nThe store is, for a request that carries a session, the shard that keeps it.")
		}
		return
	}
	own, over := storeOf(cfg, r.Pool), storeOf(cfg, r.Overflow)
	fmt.Fprintf(w, "\nThe store is %s.", own)
	if r.Overflow != "" && over != own {
		fmt.Fprintf(w, " Where that cannot give what the request needs and %s can, it goes to pool %s.", over, r.Overflow)
	}
	fmt.Fprintln(w)
}

// storeOf names the store of a pool's app for a person.
func storeOf(cfg *config.Config, pool string) string {
	for _, p := range cfg.Pools {
		if p.Name == pool && p.Store != "" {
			return "member " + p.Store
		}
	}
	return "all members together"
}
