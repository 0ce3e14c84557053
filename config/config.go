package config

import (
	"net/netip"
	"time"
)

// Config is an operator's file after Load: complete, with every default filled in and every reference resolved to a name
// that exists. It holds no secrets, only where they are. It is only read after Load, so it is safe for concurrent use.
type Config struct {
	Path string   // the file as it was named
	Sum  [32]byte // SHA-256 of its bytes, to tell a change from a touch

	Listen         []Listen
	ACME           *ACME // nil: no listener has TLS.Domains
	Admin          Admin
	TrustedProxies []netip.Prefix
	Log            Log
	Session        Session
	Pools          []Pool
	Quotas         []Quota
	QuotaStore     *QuotaStore // nil: no quota is Shared
	Routes         []Route
	Degrade        Degrade

	// Warnings are what is legal and probably not meant, such as a route that an earlier one hides in part.
	Warnings Problems
}

// Address is where to listen or connect: Network is "tcp" or "unix".
type Address struct{ Network, Address string }

// Listen is one listener for visitors.
type Listen struct {
	Address Address
	Health  string     // the path that answers the load balancer in front; "" for none
	TLS     *ListenTLS // nil: plain
	// HTTP2 is "on" (offered by ALPN; only with TLS, and the default there), "cleartext" (taken by prior knowledge; only without
	// TLS) or "off".
	HTTP2 string
	// ProxyProtocol is who must begin its connections with a PROXY header; everybody else's are taken as they are. Always nil for
	// a Unix socket, whose connections come from no address.
	ProxyProtocol []netip.Prefix
	Redirect      string // "https" or "https:8443": where everything is sent but health and ACME challenges. "": nowhere; with TLS always
}

// ListenTLS is how a listener proves who it is. It has Domains or Certificates, or both. Paths are absolute; the files are there,
// and whether they can be used is not known yet.
type ListenTLS struct {
	Domains      []string // names in lower case, none of them a wildcard or an address: certificates by ACME, which Config.ACME then is about
	Certificates []Certificate
	Clients      *Clients // nil: visitors are asked for no certificate
	MinVersion   string   // "1.2" (default) or "1.3"
	HSTS         *HSTS    // nil: none
}

// Certificate is a certificate, with those between it and its authority, and its key.
type Certificate struct{ CertFile, KeyFile string }

// Clients says whose certificates visitors show.
type Clients struct {
	CAFile  string // the authorities that issue them
	Require bool   // true: who shows none is refused; else who shows a wrong one
}

// HSTS is what browsers are told to remember: that this host is never spoken to without TLS (RFC 6797).
type HSTS struct {
	MaxAge                     time.Duration // whole seconds; 0: forget it
	IncludeSubdomains, Preload bool          // Preload only with IncludeSubdomains and a MaxAge of a year or more
}

// ACME is who issues the certificates of ListenTLS.Domains, and where they are kept: in Folder, or in Redis.
type ACME struct {
	Email      string   // "": none is told
	Directory  string   // an https URL; Let's Encrypt
	CAFile     string   // who proves the directory, instead of the system's authorities; an absolute path. "": those
	Folder     string   // absolute; "acme" beside the file. "" where Redis is set
	Redis      *Redis   // where several Gatehouses share them; nil: Folder
	KeyPrefix  string   // "gatehouse:acme:", of the keys in Redis
	Challenges []string // of "http-01" and "tls-alpn-01"; both, but http-01 only where a listener is plain
}

// Admin is the admin listener. A zero Address means none.
type Admin struct {
	Address   Address
	TokenFile string   // required where Address is neither loopback nor a Unix socket
	Hosts     []string // further names that a browser may use for it, beside localhost and the address itself
	Pprof     bool     // /debug/pprof/
}

// Log says where the two logs go.
type Log struct {
	Access string // "stdout", "stderr", "off" or a file that is appended to; default stdout
	Level  string // of events, which go to stderr: debug, info (default), warn, error
}

// Session says how a session is recognised, what is done so that an outage ends none, and where the app keeps it.
type Session struct {
	Cookies  []string // names; a trailing * is allowed
	Headers  []string // canonical names of fields that carry a session
	Remember []string // names of remember-me cookies, none of them in Cookies; a trailing * is allowed
	// SignInAt is where the app sends those whom it takes for signed out: a path as in Match.Path, or an address on another
	// host, "https://host", which is everything there, or "https://host/path" with such a path. Scheme and host are in lower
	// case, without a default port. [/login]; empty for none.
	SignInAt []string
	Guard    bool          // true: what Route.Guard is where a route says nothing
	MaxAge   time.Duration // 720h: how long an id is refused that was signed out while the app could not end its session
	Store    *Store        // nil: every need is met
	Reports  *Reports      // nil: the app's word about the store is not taken
	// KeyFile holds the keys by which Gatehouse's own cookies are signed; an absolute path of a file that is
	// there; whether it holds keys is not known yet. "": a random key, so that a restart forgets who was proved and who waits, and
	// no second Gatehouse knows.
	KeyFile string
}

// Rate is how often something may happen, as the file's "600/m".
type Rate struct {
	Count float64
	Per   time.Duration
}

// PerSecond returns the rate in events a second; 0 for the zero Rate.
func (r Rate) PerSecond() float64 {
	if r.Per <= 0 {
		return 0
	}
	return r.Count / r.Per.Seconds()
}

// Pool is a named set of backends. It has a limit where MaxInFlight is above 0 or Adaptive is set, never both.
type Pool struct {
	Name        string
	Backends    []Backend
	MaxInFlight int       // 0: no limit, or an adaptive one
	Adaptive    *Adaptive // nil: the limit, if any, is MaxInFlight
	Queue       Queue     // zero without a limit
	Shares      Shares    // zero without a limit
	Reserve     float64   // 0.10 with a limit, 0 without: the part of it, 0 to 1, that requests of other pools' routes never take
	Retries     Retries
	Eject       *Eject        // nil: off
	SlowStart   time.Duration // 10s; 0: none. Over how long a backend that came back gets its full part of the requests
	Health      *Health       // nil: backends are believed to be up
	TLS         *TLS          // of https and h2 backends, one of which then is there; nil: the system's authorities. The files are there
	// ProxyProtocol is "v1" or "v2": each connection begins with such a PROXY header, and carries one request only. No backend is h2c
	// or h2 then. "": none.
	ProxyProtocol string
	Store         string // the Member that this pool's app uses; "": Session.Store as a whole, always so without members
}

// Adaptive bounds a limit that follows how fast the pool answers; 1 <= Min <= Max.
type Adaptive struct{ Min, Max int } // 8, 1000; where only one is said and the other would be beyond it, the other follows

// Shares is the part of a pool's limit, 0 to 1, that each class of requests is sure of. Together they are at most 1; what
// nobody is sure of, and what its owner leaves, goes to whoever comes, the more important first.
type Shares struct{ Member, SignIn, Unproved, Anonymous, Background float64 } // 0.40, 0.20, 0.10, 0.10, 0.05

// Retries bounds how many requests may be sent to a second backend.
type Retries struct {
	Budget float64 // 0.20: as a part of all requests, 0 to 1; 0: none
}

// Eject says when a backend that keeps failing gets no requests for a while, whatever its checks say.
type Eject struct {
	Failures int           // 5 in a row
	For      time.Duration // 10s, times the number of times that it has happened to this backend
	Most     float64       // 0.50: of the pool's backends at once, more than 0 and at most 1
}

// Backend is one server of a pool, which speaks HTTP/1.1 ("http", "https", "unix") or HTTP/2 ("h2c", "h2").
type Backend struct {
	URL     string // canonical: scheme://host:port, or unix:/path
	Scheme  string // http, https, h2c, h2 or unix
	Network string // tcp or unix
	Address string // host:port, or an absolute path
}

// Queue bounds who waits for a permit.
type Queue struct {
	Length  int           // 128 where there is a limit
	Timeout time.Duration // 2s
}

// Health is the active check of a backend.
type Health struct {
	Path     string
	Interval time.Duration // 2s
	Timeout  time.Duration // 1s
}

// Quota is how often one caller may ask.
type Quota struct {
	Name  string
	Key   string // client_ip, route, "cookie:NAME" or "header:Name"
	Rate  Rate
	Burst int
	// DryRun counts who would be refused, and refuses nobody.
	DryRun bool
	// Shared counts in the QuotaStore, which then is there, for all Gatehouses together; else each counts for itself.
	Shared bool
}

// Match is what a route demands of a request. Keys are "all of", their lists "any of"; a nil list demands nothing. Of Header,
// Cookie and Query every Pair is a key of its own, and its names are a list.
type Match struct {
	Host       []string
	Path       []string
	PathRegexp []string
	Method     []string
	Header     []Pair
	Cookie     []Pair
	Query      []Pair
}

// Pair is a name and the values it may have; no values means that being there is enough. Or holds further names that will do
// as well.
type Pair struct {
	Name   string
	Values []string
	Or     []string
}

// Route is one rule: which requests, where to, and what they need.
type Route struct {
	Name            string
	Line            int // in the file, for explain
	Match           Match
	Pool            string
	Overflow        string // "": none
	Needs           string // write, read, none
	SignIn          bool   // true where Needs is write, unless SignOut
	SignOut         bool   // a wish to sign out, which is honoured whatever the store can do; never with SignIn
	Restart         string // "": the request's own path for GET and HEAD, "/" otherwise
	Quotas          []string
	Timeout         time.Duration // 30s, to the head of the answer
	ImpairedTimeout time.Duration // 3s or Timeout if that is less; the same while the store is not writable
	VerdictMaxAge   time.Duration // 250ms, 0 where SignIn
	Wait            time.Duration // 0: how long a request is held for a store that can give what it needs, before it gets the page
	Guard           bool          // Session.Guard: an answer that would end a session is checked against the store first
	Members         bool          // a good answer here proves the session that asked; never with SignIn, SignOut or Needs none
	Background      bool          // nobody waits for the answer: the first to be turned away; never with SignIn
	Convert         []int         // 500, 502, 503, 504
	AmbiguousPaths  string        // refuse, as_matched, report
}

// Degrade is the answer that Gatehouse gives in a backend's place.
type Degrade struct {
	Status     int // 503
	RetryAfter RetryAfter
	Rate       DegradeRate
	Page       string // template file; "": the built-in page
}

// RetryAfter bounds what a visitor is told: 5s to 60s.
type RetryAfter struct{ Min, Max time.Duration }

// DegradeRate bounds how many pages are made. Beyond it the answer is a 429 of a few bytes.
type DegradeRate struct {
	PerClient  Rate // 2/s
	Burst      int  // 10
	PerAddress Rate // 500/s
}
