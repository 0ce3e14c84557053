package test

import (
	"fmt"
	"slices"
	"syscall"
)

// frameworkFaults are the four faults that apps differ over, before an app of each framework.
func frameworkFaults() (all []*scenario) {
	for _, f := range []framework{express, php, oauth2proxy, spring, aspnet, rails, django} {
		for _, s := range []*scenario{
			{
				name: "demoted", replica: true, causes: []string{"read_only"}, state: "read-only",
				first: definite, again: reopened, reads: true, off: []harm{bareErrors},
				breaks: func(st *stage) { st.store.demote() },
				mend:   set("REPLICAOF", "NO", "ONE"),
			},
			{
				name: "full", causes: []string{"full"}, state: "read-only",
				first: definite, again: reopened, reads: true, off: []harm{bareErrors},
				breaks: set("CONFIG", "SET", "maxmemory", "1000"),
				mend:   set("CONFIG", "SET", "maxmemory", "0"),
			},
			{
				name: "frozen", causes: []string{"hung"}, state: "down",
				first: silentSignIn, member: silentMember, again: reconnected, off: []harm{bareErrors},
				breaks: func(st *stage) { st.store.signal(syscall.SIGSTOP) },
				mend:   func(st *stage) { st.store.signal(syscall.SIGCONT) },
			},
			{
				name: "killed, back empty", causes: []string{"refused"}, state: "down",
				first: definite, member: definite, again: reconnected, emptied: true, off: []harm{bareErrors},
				breaks: func(st *stage) { st.store.kill() },
				mend:   func(st *stage) { st.store.empty() },
			},
		} {
			s.app = f
			s.suit()
			all = append(all, s)
		}
	}
	return all
}

// suit makes of a scenario what it is with its app: which harm that app does by itself, and what it needs of the file.
func (s *scenario) suit() {
	is := fmt.Sprintf("%s %s", s.app, s.name)
	s.quick = slices.Contains([]string{
		"php full", "oauth2-proxy frozen", "php killed, back empty", "spring demoted", "asp.net demoted", "rails full", "express frozen",
	}, is)
	switch is {
	case "php full":
		s.off = []harm{falseSignIns}
	case "php killed, back empty", "oauth2-proxy killed, back empty":
		s.off = []harm{signOuts}
	case "oauth2-proxy frozen":
		s.off = []harm{signOuts, goneForGood}
	case "spring demoted", "spring full":
		s.off = []harm{bareErrors, signOuts, goneForGood}
	case "asp.net demoted", "asp.net full":
		// To read a session is to write it, whatever the file says: members get the page.
		s.reads = false
	}
	if s.app == spring {
		s.site = func(f *site) { f.session = "remember_cookies: [remember]" }
	}
}
