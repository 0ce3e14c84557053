package shed

// State is what the session store can do right now. The zero value is Unknown.
type State uint8

const (
	Unknown  State = iota // no verdict yet, or the prober itself is at fault; nobody is shed for it
	Writable              // the canary was written and read back in time
	Strained              // writable, but near a limit
	ReadOnly              // reads answer, writes are refused or hang
	Down                  // neither
)

// States lists every state, in the order a person wants to read them.
var States = [...]State{Writable, Strained, ReadOnly, Down, Unknown}

// String returns the word that metrics, logs and the surface use.
func (s State) String() string {
	switch s {
	case Writable:
		return "writable"
	case Strained:
		return "strained"
	case ReadOnly:
		return "read-only"
	case Down:
		return "down"
	default:
		return "unknown"
	}
}

// Impaired reports whether somebody is refused something in this state: read-only and down.
func (s State) Impaired() bool { return s == ReadOnly || s == Down }

// Cause is why the store is in its state, from a closed set whose words are metric labels. The zero value is CauseUnknown.
type Cause uint8

const (
	CauseUnknown          Cause = iota
	OK                          // nothing is wrong
	CauseReadOnly               // READONLY: a replica, or a demoted primary
	CauseStalePrimary           // a Sentinel majority names another node
	CauseFull                   // OOM under noeviction
	CausePersistenceError       // MISCONF
	CauseNoReplicas             // NOREPLICAS
	CauseLoading                // LOADING
	CauseBusy                   // BUSY: a script holds the server
	CauseClusterDown            // CLUSTERDOWN
	CausePaused                 // reads answer, writes hang
	CauseSlow                   // answers come, but late
	CauseHung                   // connected, and no answer comes
	CauseRefused                // nobody listens
	CauseTLS                    // the TLS handshake failed
	CauseDNS                    // the name has no address
	CauseTooManyClients         // no connection slot is left
	CauseProberAuth             // NOAUTH, WRONGPASS, NOPERM: our credential, not the store
	CauseSessionLoss            // the canary is gone: the store came back empty
	CauseFlapping               // sign-ins are held because the store closed again soon after it opened
	CauseOverride               // a person set the state
	CauseReported               // backends said so
	causes
)

var causeWords = [causes]string{
	CauseUnknown: "unknown", OK: "ok", CauseReadOnly: "read_only", CauseStalePrimary: "stale_primary", CauseFull: "full",
	CausePersistenceError: "persistence_error", CauseNoReplicas: "no_replicas", CauseLoading: "loading", CauseBusy: "busy",
	CauseClusterDown: "cluster_down", CausePaused: "paused", CauseSlow: "slow", CauseHung: "hung", CauseRefused: "refused",
	CauseTLS: "tls", CauseDNS: "dns", CauseTooManyClients: "too_many_clients", CauseProberAuth: "prober_auth",
	CauseSessionLoss: "session_loss", CauseFlapping: "flapping", CauseOverride: "override", CauseReported: "reported",
}

// String returns the word that metrics and logs use.
func (c Cause) String() string {
	if c < causes {
		return causeWords[c]
	}
	return causeWords[CauseUnknown]
}

// Causes calls yield with every cause until it returns false.
func Causes(yield func(Cause) bool) {
	for c := Cause(0); c < causes; c++ {
		if !yield(c) {
			return
		}
	}
}
