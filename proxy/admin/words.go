package admin

import "strings"

// headline is a store's state as a heading.
func headline(state string) string {
	switch state {
	case "writable":
		return "Writable"
	case "strained":
		return "Strained"
	case "read-only":
		return "Read-only"
	case "down":
		return "Down"
	default:
		return "Unknown"
	}
}

// effect says what a store's state means for visitors.
func effect(s Store) string {
	switch s.State {
	case "writable":
		if s.Recovering {
			return "Sign-ins come back at a rising rate; the store keeps nobody else out."
		}
		return "The store keeps nobody out."
	case "strained":
		if s.Override != nil {
			return "The store keeps nobody out; sign-ins are limited where the file says so."
		}
		return "The store keeps nobody out, but it is near a limit: now is the time to act."
	case "read-only":
		return "Signing in, and whatever else must write a session, gets the page; members read on; everybody else is untouched."
	case "down":
		return "Whoever signs in or carries a session gets the page; everybody else is untouched."
	default:
		return "Nobody is refused on a guess: everybody is passed on to the backends."
	}
}

// because says why a store is in a state, which is the one that is acted on or the one that the checks say. A strained store's
// cause is what it will fail with if nobody acts.
func because(s Store, state, word string) string {
	if state == "strained" && word != "override" {
		if said := shortage(strainedBy(s, word)); said != "" {
			return said
		}
	}
	return cause(word)
}

// strainedBy returns the resource that a strained store is short of; "" where it cannot be told.
func strainedBy(s Store, cause string) string {
	if w := worst(s); w != nil && w.Strains {
		return w.Resource
	}
	switch cause {
	case "full":
		return "memory"
	case "too_many_clients":
		return "clients"
	case "no_replicas":
		return "replication"
	case "persistence_error":
		return "persistence"
	case "slow":
		return "latency"
	}
	return ""
}

// shortage says that a store is short of a resource.
func shortage(resource string) string {
	switch resource {
	case "memory":
		return "The server's memory is nearly used up."
	case "clients":
		return "The server's connections are nearly used up."
	case "evictions":
		return "The server throws sessions away to make room."
	case "replication":
		return "The server's replicas are too few, or lag behind."
	case "persistence":
		return "The server has trouble saving to disk."
	case "latency":
		return cause("slow")
	}
	return ""
}

// onTrial reports whether a few reads are let through a store that is down, since what fails may lie between here and it.
func onTrial(s Store) bool {
	if s.State != "down" || s.Override != nil {
		return false
	}
	switch s.Cause {
	case "refused", "hung", "dns", "tls", "too_many_clients":
		return true
	}
	return false
}

// resource names something that a store can run out of.
func resource(word string) string {
	switch word {
	case "memory":
		return "Memory"
	case "clients":
		return "Connections"
	case "evictions":
		return "Evictions"
	case "latency":
		return "Latency"
	case "replication":
		return "Replication"
	case "persistence":
		return "Saving to disk"
	default:
		return word
	}
}

// cause says in plain words why a store is in its state.
func cause(word string) string {
	switch word {
	case "ok":
		return "The canary is written and read back in time."
	case "read_only":
		return "The server refuses writes: it is a replica, or was made one."
	case "stale_primary":
		return "The Sentinels name another primary: what is written here will be lost."
	case "full":
		return "The server is out of memory and refuses writes."
	case "persistence_error":
		return "The server cannot save to disk and refuses writes."
	case "no_replicas":
		return "The server has too few replicas and refuses writes."
	case "loading":
		return "The server is loading its data set."
	case "busy":
		return "A script holds the server."
	case "cluster_down":
		return "The cluster is down."
	case "paused":
		return "Reads answer; writes hang."
	case "slow":
		return "Answers come, but late."
	case "hung":
		return "The server takes connections and does not answer."
	case "refused":
		return "Nobody listens at the server's address."
	case "tls":
		return "The TLS handshake with the server fails."
	case "dns":
		return "The server's name has no address."
	case "too_many_clients":
		return "The server has no connection left for us."
	case "prober_auth":
		return "The server refuses Gatehouse's own credential. That says nothing about the store."
	case "session_loss":
		return "The store came back empty: the sessions in it are gone."
	case "flapping":
		return "Sign-ins are held: the store closed again soon after it opened."
	case "override":
		return "A person set this state."
	case "reported":
		return "The backends say so."
	default:
		return "There is no verdict yet."
	}
}

// reason says why something was turned away. A word that is not known shows as it is.
func reason(outcome, word string) string {
	switch word {
	case "":
		return whatBecame(outcome)
	case "flapping":
		return "sign-ins are held, since the store closed again soon after it opened"
	case "override":
		return "a person set the store's state"
	case "signed_out":
		return "this session was ended here, while the app could not end it"
	case "strained":
		return "sign-ins are let in at a limited rate, since the store is near a limit"
	case "unconfirmed":
		return "no fresh enough verdict on the store came in time"
	case "diverged":
		return "members of the store show too little of what the others hold"
	case "recovering":
		return "the store was impaired while the request was under way"
	case "quota":
		return "a quota is used up"
	case "page_rate":
		return "more pages than are made for one client or address"
	case "ramp":
		return "sign-ins come back at a rising rate"
	case "pool_full":
		return "the pool and its queue are full"
	case "queue_timeout":
		return "no room in the pool came in time"
	case "displaced":
		return "a request that matters more took the place in the queue"
	case "no_backend":
		return "no backend is up"
	case "backend_unreachable":
		return "the backend cannot be reached"
	case "backend_broken":
		return "the backend broke off"
	case "backend_late":
		return "the backend did not answer in time"
	case "call_deadline":
		return "the time that the client gave its call was over"
	case "backend_cut":
		return "the backend's answer was cut short"
	case "visitor_gone":
		return "the visitor went away"
	}
	if said := cause(word); said != cause("") {
		return "store: " + strings.ToLower(said[:1]) + strings.TrimSuffix(said[1:], ".")
	}
	return strings.ReplaceAll(word, "_", " ")
}

func whatBecame(outcome string) string {
	switch outcome {
	case "degraded":
		return "the store cannot give what the route needs"
	case "converted":
		return "the page instead of a backend's answer"
	case "limited":
		return "too often"
	case "shed":
		return "no room in the pool"
	case "lined_up":
		return "waiting in the line"
	case "error":
		return "a backend failed"
	default:
		return strings.ReplaceAll(outcome, "_", " ")
	}
}
