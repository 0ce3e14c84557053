package config

import "time"

// Store is the session store: one node (Redis alone), one that Sentinel finds, a Cluster, or Members.
type Store struct {
	Name     string // "store": the metric label
	Redis    Redis  // without an Address where Sentinel or Cluster is set; zero where Members are
	Sentinel *Sentinel
	Cluster  *Cluster
	Members  []Member // nil, or at least two
	// Require is how many Members must be able to do what a route needs, for pools that have no store of their own: 1 to their
	// number; 0: all of them.
	Require     int
	Convergence Convergence // zero without Members
	Probe       Probe
	Strained    Strained
	Recovery    Recovery
}

// Redis is one node.
type Redis struct {
	Address  Address
	Username string
	Password Secret
	DB       int
	TLS      *TLS // nil: none, as always for a Unix socket
}

// Sentinel is how a node is found that may change.
type Sentinel struct {
	Master    string    // the name under which the Sentinels know it
	Addresses []Address // of the Sentinels, all of them
	Access    Access
}

// Cluster is a Redis Cluster, in which each key has its shard.
type Cluster struct {
	Addresses []Address // of some of its nodes, none of them a Unix socket; the others are asked of them
	MinShards int       // how many shards must take writes for sign-ins; 0: all of them
	// Key is the key under which the app keeps a session: a text with "{id}" once, or "{id_base64}" where what the visitor carries is
	// the id in standard base64. Any other brace is itself, such as that of a hash tag. "": not known.
	Key string
}

// Member is one of several stores that each take writes of their own and tell the others.
type Member struct {
	Name     string
	Redis    Redis     // without an Address where Sentinel is set
	Sentinel *Sentinel // nil: Redis says where it is
}

// Convergence is how Members are watched for telling each other. The zero value is not at all.
type Convergence struct {
	Interval time.Duration // 1s: how often each is told something that the others must show
	Lag      time.Duration // 5s, at least four Intervals: how long that may take
}

// Reports is how far the app's own word about the store is taken: Gatehouse-Store: read-only; for=2s, on a backend's answer.
type Reports struct {
	Pools  []string      // whose backends are believed; at least one
	Quorum int           // 2: how many of these backends must say so; no more than there are
	Max    time.Duration // 5s: the most that for= is taken for
}

// Access is what the Sentinels themselves ask for. The zero value is nothing.
type Access struct {
	Username string
	Password Secret
	TLS      *TLS
}

// TLS is how a server proves who it is, and Gatehouse to it. The zero value trusts the system's authorities for the name that
// is dialled, and has no certificate of its own. Paths are absolute; whether the files can be used is not known yet.
type TLS struct {
	CAFile            string // the authorities that are trusted instead of the system's
	ServerName        string // the name or address in the server's certificate; "": the one that is dialled
	CertFile, KeyFile string // both or neither
}

// Secret is where a secret is found; the zero value is no secret. At most one of the two is set.
type Secret struct{ File, Env string }

// Probe is how the store is checked.
type Probe struct {
	Interval  time.Duration // 100ms
	Timeout   time.Duration // 200ms
	Payload   int           // bytes, 4KiB: the size of a large session
	KeyPrefix string        // "gatehouse:"
}

// Strained says when a writable store is near a limit, and how many sign-ins it gets then.
type Strained struct {
	Latency         time.Duration // 25ms
	Memory, Clients float64       // 0.90: the part of what the server allows that is in use, more than 0 and at most 1
	Evictions       Rate          // 100/s
	Rate            Rate          // of sign-ins while strained; zero: no limit
}

// Recovery is how the store is opened again.
type Recovery struct {
	Rise  int           // 3: good probes in a row
	After time.Duration // 500ms: over at least this long
	Hold  Hold
	Ramp  Ramp
}

// Hold is how long a store that keeps failing is held read-only once it is well: From after the second closure in ten minutes,
// twice as long after each further one, at most To. A zero From means never.
type Hold struct{ From, To time.Duration } // 30s, 5m

// Ramp is how sign-ins come back after a closure.
type Ramp struct {
	From, To Rate          // 10/s, 500/s
	Over     time.Duration // 30s
}

// QuotaStore is the Redis in which several Gatehouses count together.
type QuotaStore struct {
	Redis     Redis
	Timeout   time.Duration // 5ms: for the answer to one question, beyond which each Gatehouse counts for itself
	StandIn   float64       // 0.50: the part of a rate, more than 0 and at most 1, that each allows sign-ins then
	KeyPrefix string        // "gatehouse:quota:"
}
