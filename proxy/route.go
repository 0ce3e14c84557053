package proxy

import (
	"sync/atomic"
	"time"

	"gatehouse/proxy/record"
	"gatehouse/proxy/upstream"
	"gatehouse/shed"
	"gatehouse/shed/quota"
)

// Pool is a set of backends and the gate in front of it. It is state: it survives a reload.
type Pool struct {
	Name     string
	Gate     shed.Gate
	Slow     Slow
	Backends *upstream.Pool

	tunnels atomic.Int64
}

// Tunnels is how many upgraded connections the pool's backends serve. They hold no permit.
func (p *Pool) Tunnels() int { return int(p.tunnels.Load()) }

// Route is what becomes of the requests that a rule matches. It is only read.
type Route struct {
	Name     string
	Pool     *Pool
	Overflow *Pool // where to borrow a place when Pool has none; nil: nowhere

	// Store and OverflowStore are where the apps of Pool and of Overflow keep their sessions; nil: every need is met.
	Store, OverflowStore *Store

	Need    shed.Need
	SignIn  bool // the ramp concerns it
	Members bool // what is answered here proves that the session is good
	// Background says that nobody waits for these requests.
	Background bool
	SignOut    bool   // a wish to sign out: honoured here where the app cannot
	Guard      bool   // an outage must not sign anybody out by an answer
	Restart    string // where the page leads back to; "": the request's own path if it is safe, "/" otherwise
	Quotas     []Quota

	Timeout         time.Duration // to the head of the answer
	ImpairedTimeout time.Duration // the same while the store is impaired
	Wait            time.Duration // how long a request is held for the store before it is turned away
	MaxAge          time.Duration // how old a verdict may be; 0: from a check that began after the request arrived
	Convert         map[int]bool  // statuses that may be the store's failure shining through

	// Series are where exchanges are counted that Pool or Overflow served.
	Series, OverflowSeries *record.Series
}

// QuotaKind is what a quota counts by.
type QuotaKind uint8

const (
	ByClient QuotaKind = iota // the visitor's address
	ByRoute                   // everybody together
	ByCookie                  // a cookie's value, or the address where it is missing
	ByHeader                  // a field's value, or the address where it is missing
)

// Quota is a limiter and what it counts by.
type Quota struct {
	Name    string
	DryRun  bool // it counts, and refuses nobody
	Kind    QuotaKind
	Field   string // the name of the cookie or the field
	Limiter *quota.Limiter
}
