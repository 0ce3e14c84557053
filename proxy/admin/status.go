package admin

import "time"

// Status is everything the admin listener tells of a running Gatehouse. It is also the JSON of /status, whose names are
// part of the surface. Texts may quote strangers and backends: whoever shows them escapes them.
type Status struct {
	Version       string    `json:"version"`
	Now           time.Time `json:"now"` // when this was true
	Started       time.Time `json:"started"`
	UptimeSeconds float64   `json:"uptime_seconds"`
	Ready         bool      `json:"ready"`
	NotReady      string    `json:"not_ready,omitempty"` // why not

	Config     Config      `json:"config"`
	Stores     []Store     `json:"stores"`                 // none: every need is met
	QuotaStore *QuotaStore `json:"quota_store,omitempty"`  // nil: quotas are counted by this process alone
	Certs      []Cert      `json:"certificates,omitempty"` // that visitors are shown
	Pools      []Pool      `json:"pools"`
	Routes     []Route     `json:"routes"`       // in the file's order
	Degraded   []Degraded  `json:"degraded_now"` // what is turned away at this moment, the most frequent first
	Events     []Event     `json:"events"`       // the latest first
}

// Config is the operator's file that is in force, and what became of the last attempt to load it.
type Config struct {
	Path     string    `json:"path"`
	Sum      string    `json:"sha256"` // of the file in force, in hex
	LoadedAt time.Time `json:"loaded_at"`
	OK       bool      `json:"ok"`                 // the last attempt worked
	TriedAt  time.Time `json:"tried_at,omitzero"`  // the last attempt, where it failed
	Error    string    `json:"error,omitempty"`    // why, one mistake a line
	Warnings []string  `json:"warnings,omitempty"` // of the file in force
}

// Store is one session store.
type Store struct {
	Name          string         `json:"name"`
	PartOf        string         `json:"part_of,omitempty"` // a shard or a member: the name of the whole store
	State         string         `json:"state"`             // what is acted on
	Cause         string         `json:"cause"`
	Observed      string         `json:"observed_state"` // what the checks say
	ObservedCause string         `json:"observed_cause"`
	Override      *OverrideState `json:"override,omitempty"` // nil: none is in force
	Since         time.Time      `json:"since"`              // when State began
	ForSeconds    float64        `json:"for_seconds"`
	Error         string         `json:"error,omitempty"`         // what the latest failed check met
	ErrorAt       time.Time      `json:"error_at,omitzero"`       // and when
	LastCheck     time.Time      `json:"last_check,omitzero"`     // when the last completed check began
	HeldUntil     time.Time      `json:"held_until,omitzero"`     // flapping: when sign-ins are let in again
	Trial         bool           `json:"trial"`                   // reads succeed that the checks say must fail: they are not believed
	Recovering    bool           `json:"recovering"`              // sign-ins come back by the ramp
	RampEnds      time.Time      `json:"ramp_ends,omitzero"`      // zero where it cannot be told
	Waiting       int            `json:"waiting"`                 // sign-ins in the line
	Line          *Line          `json:"line,omitempty"`          // nil: nobody waits and no ramp runs
	Reports       []Report       `json:"reports,omitempty"`       // backends that say themselves that it cannot be written
	Diverged      *Diverged      `json:"diverged,omitempty"`      // nil: its members show what the others hold, as far as is known
	Lags          []Lag          `json:"lags,omitempty"`          // of a member, behind each other one
	BeatError     string         `json:"beat_error,omitempty"`    // why a member's heartbeat could not be made or read the last time
	Headroom      []Headroom     `json:"headroom,omitempty"`      // what is known of it
	CertNotAfter  time.Time      `json:"cert_not_after,omitzero"` // when the server's certificate ends; zero without TLS
	Probe         Latency        `json:"probe_ms"`                // of the latest probes
	Probes        []float64      `json:"probes_ms,omitempty"`     // the latest ones, the oldest first
	Changes       []Transition   `json:"transitions,omitempty"`   // the latest first
}

// OverrideState is an override that is in force.
type OverrideState struct {
	State string    `json:"state"`
	By    string    `json:"by"`
	SetAt time.Time `json:"set_at"`
	Until time.Time `json:"until"`
}

// Report is a backend's own word that the store cannot be written, while it holds.
type Report struct {
	Backend string    `json:"backend"`
	At      time.Time `json:"at"`
	Until   time.Time `json:"until"`
}

// Diverged is that a member is too far behind another.
type Diverged struct {
	Since      time.Time `json:"since"`
	At         string    `json:"at"`           // the member that is behind
	Of         string    `json:"of,omitempty"` // what it is behind of; "": it could not be asked for so long
	LagSeconds float64   `json:"lag_seconds"`
}

// Lag is how far a member is behind another.
type Lag struct {
	Of           string    `json:"of"`
	Seen         time.Time `json:"seen,omitzero"` // when the latest heartbeat that has come here was made; zero: none ever has
	Milliseconds float64   `json:"ms"`
}

// Cert is a certificate that visitors are shown, or the want of one.
type Cert struct {
	Names    []string  `json:"names"`
	Source   string    `json:"source"` // file or acme
	NotAfter time.Time `json:"not_after,omitzero"`
	Missing  bool      `json:"missing"` // there is none yet
	Error    string    `json:"error,omitempty"`
	ErrorAt  time.Time `json:"error_at,omitzero"`
}

// Headroom is what is left of one thing a store can run out of.
type Headroom struct {
	Resource string  `json:"resource"` // memory, clients, evictions, latency, replication or persistence
	Ratio    float64 `json:"ratio"`    // 1: all of it is free; 0: at the limit
	Strains  bool    `json:"strains"`  // it is what makes the store strained
}

// Transition is one change of a store's state.
type Transition struct {
	At            time.Time `json:"at"`
	From          string    `json:"from"`
	To            string    `json:"to"`
	Was           string    `json:"was"` // From's cause
	Why           string    `json:"why"` // To's cause
	LastedSeconds float64   `json:"lasted_seconds"`
	Error         string    `json:"error,omitempty"`
}

// Latency is quantiles in milliseconds; 0 where nothing was measured.
type Latency struct {
	P50 float64 `json:"p50"`
	P90 float64 `json:"p90"`
	P99 float64 `json:"p99"`
}

// Pool is one pool. Latency, Asked, Failed and Tax are those of the last minute.
type Pool struct {
	Name       string    `json:"name"`
	InFlight   int       `json:"in_flight"`
	Limit      int       `json:"limit"`    // 0: none
	Adaptive   bool      `json:"adaptive"` // Limit follows how fast the pool answers
	Queue      int       `json:"queue"`
	Tunnels    int       `json:"tunnels"` // upgraded connections, which hold no permit
	QueueMax   int       `json:"queue_max"`
	Overloaded bool      `json:"overloaded"`        // requests wait so long that the newest goes first
	Classes    []Class   `json:"classes,omitempty"` // the one that matters most first; none: nobody tells them apart
	Tax        uint64    `json:"isolation_tax"`     // sign-ins that this pool refused while another pool had room
	PerSecond  float64   `json:"per_second"`
	Asked      uint64    `json:"asked"`  // exchanges that reached a backend
	Failed     uint64    `json:"failed"` // of these: no answer, or a 5xx
	Latency    Latency   `json:"latency_ms"`
	Rates      []uint32  `json:"rates,omitempty"`      // second by second, the oldest first
	Slowest    []float64 `json:"slowest_ms,omitempty"` // the same for the P99
	Backends   []Backend `json:"backends"`
}

// Class is what one class of requests has of a pool.
type Class struct {
	Name     string `json:"name"` // member, sign_in, unproved, anonymous or background
	InFlight int    `json:"in_flight"`
	Queue    int    `json:"queue"`
	Shed     uint64 `json:"shed"` // turned away for want of room in the last minute
}

// Backend is one backend of a pool.
type Backend struct {
	URL          string    `json:"url"`
	Up           bool      `json:"up"`      // by its health checks; true where there are none
	Checked      bool      `json:"checked"` // there are some
	Ejected      bool      `json:"ejected"` // left alone for a while: too many requests in a row failed there
	EjectedUntil time.Time `json:"ejected_until,omitzero"`
	Warming      bool      `json:"warming"` // newly up: it gets fewer requests than the others yet
	InFlight     int       `json:"in_flight"`
	Error        string    `json:"error,omitempty"` // why it is down or ejected
}

// Route is one route and its last minute.
type Route struct {
	Name      string    `json:"name"`
	Pool      string    `json:"pool"`
	Overflow  string    `json:"overflow,omitempty"`
	Needs     string    `json:"needs"`
	SignIn    bool      `json:"sign_in"`
	SignOut   bool      `json:"sign_out"`
	PerSecond float64   `json:"per_second"`
	Total     uint64    `json:"total"`
	Outcomes  []Outcome `json:"outcomes"` // the most frequent first
}

// Outcome is how often something became of a request, for one reason, in the last minute.
type Outcome struct {
	Outcome   string  `json:"outcome"`
	Reason    string  `json:"reason,omitempty"`
	Count     uint64  `json:"count"`
	PerSecond float64 `json:"per_second"`
}

// Degraded is what a route turns away at this moment, and why.
type Degraded struct {
	Route     string  `json:"route"`
	Outcome   string  `json:"outcome"`
	Reason    string  `json:"reason"`
	PerSecond float64 `json:"per_second"`
}

// Event is one thing that happened.
type Event struct {
	At   time.Time `json:"at"`
	Kind string    `json:"kind"`
	Bad  bool      `json:"bad"` // worse than before
	Text string    `json:"text"`
}

// DegradedNow lists what the routes turn away at this moment: everything that is neither proxied nor refused for what it is.
// Rates below one in five seconds are too old to be now.
func DegradedNow(routes []Route) []Degraded {
	out := []Degraded{}
	for _, r := range routes {
		for _, o := range r.Outcomes {
			if o.Outcome == "proxied" || o.Outcome == "rejected" || o.PerSecond <= 0 {
				continue
			}
			out = append(out, Degraded{Route: r.Name, Outcome: o.Outcome, Reason: o.Reason, PerSecond: o.PerSecond})
		}
	}
	sortByRate(out)
	return out
}
