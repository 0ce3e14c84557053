package config

import (
	"math"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// pools reads the pools, in the order of the file.
func (v value) pools(to *[]Pool) {
	for _, e := range v.named("a mapping of pools by name, such as app: {backends: [\"http://10.0.0.1:8080\"]},") {
		p := Pool{Name: e.name}
		if e.value.readable() {
			e.value.pool(&p)
		}
		*to = append(*to, p)
	}
	v.some("pool")
}

func (v value) pool(to *Pool) {
	m := v.fields(
		field{name: "backends", read: func(v value) { v.backends(&to.Backends) }},
		field{name: "max_in_flight", read: func(v value) { v.maxInFlight(&to.MaxInFlight) }},
		field{name: "queue", read: func(v value) { v.queue(&to.Queue) }},
		field{name: "health", read: func(v value) {
			to.Health = &Health{Interval: 2 * time.Second, Timeout: time.Second}
			v.poolHealth(to.Health)
		}},
	)
	m.need("backends", "a list of URLs such as http://10.0.0.1:8080")
	limit, limited := m.has["max_in_flight"]
	queue, queued := m.has["queue"]
	wrong := limited && limit.node.Value != strconv.Itoa(to.MaxInFlight) // and reported: a limit was meant
	switch {
	case to.MaxInFlight == 0 && !wrong && queued:
		queue.fail("a queue where nobody waits; max_in_flight above 0 is wanted with it")
		to.Queue = Queue{}
	case to.MaxInFlight > 0 && !queued:
		to.Queue = defaultQueue()
	}
}

func (v value) maxInFlight(to *int) {
	if v.node.Value == "adaptive" {
		v.fail("adaptive is not built yet; a number is wanted, 0 for no limit")
		return
	}
	v.number(to, 0, 1_000_000)
}

func defaultQueue() Queue { return Queue{Length: 128, Timeout: 2 * time.Second} }

func (v value) queue(to *Queue) {
	*to = defaultQueue()
	v.fields(
		field{name: "length", read: func(v value) { v.number(&to.Length, 0, 1_000_000) }},
		field{name: "timeout", read: func(v value) { v.duration(&to.Timeout, time.Millisecond, 10*time.Minute) }},
	)
}

func (v value) poolHealth(to *Health) {
	v.fields(
		field{name: "path", read: func(v value) { v.local(&to.Path) }},
		field{name: "interval", read: func(v value) { v.duration(&to.Interval, 100*time.Millisecond, time.Hour) }},
		field{name: "timeout", read: func(v value) { v.duration(&to.Timeout, time.Millisecond, time.Minute) }},
	).need("path", "a path such as /healthz")
}

// backends reads the servers of a pool.
func (v value) backends(to *[]Backend) {
	for _, item := range v.items("URLs such as \"http://10.0.0.1:8080\"") {
		b, ok := item.backend()
		if !ok {
			continue
		}
		if slices.Contains(*to, b) {
			item.fail("%s is in this pool already; each backend is wanted once", b.URL)
			continue
		}
		*to = append(*to, b)
	}
	v.some("backend")
}

// backend reads one URL and makes it canonical, so that a reload and a second mention recognise it.
func (v value) backend() (b Backend, ok bool) {
	const wanted = "a URL such as http://10.0.0.1:8080"
	s, ok := v.text(wanted)
	if !ok {
		return b, false
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Opaque != "" {
		v.fail("%s; %s is wanted", v.shown(), wanted)
		return b, false
	}
	host, port := strings.ToLower(u.Hostname()), u.Port()
	bracketed := host
	if strings.Contains(host, ":") {
		bracketed = "[" + host + "]"
	}
	if port == "" {
		port = "80"
	}
	n, good := portNumber(port)
	switch {
	case u.Scheme == "https":
		v.fail("https backends are not built yet; %s is wanted", wanted)
	case u.Scheme != "http":
		v.fail("the scheme of %s; %s is wanted", v.shown(), wanted)
	case u.User != nil:
		v.fail("a user or password in the URL; scheme, host and port alone are wanted")
	case u.Path != "" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Contains(s, "#"):
		v.fail("%s holds more than a backend's address; scheme, host and port alone are wanted", v.shown())
	case !good || n == 0 || strings.HasSuffix(u.Host, ":"):
		v.fail("the port of %s; 1 to 65535 is wanted", v.shown())
	case !isDialName(bracketed):
		v.fail("the host of %s; a name or an IP address is wanted", v.shown())
	default:
		b.Address = net.JoinHostPort(host, strconv.Itoa(n))
		b.URL = "http://" + b.Address
		return b, true
	}
	return b, false
}

// quotas reads the quotas, in the order of the file.
func (v value) quotas(to *[]Quota) {
	for _, e := range v.named("a mapping of quotas by name, such as per-client: {key: client_ip, rate: 600/m},") {
		q := Quota{Name: e.name}
		if e.value.readable() {
			e.value.quota(&q)
		}
		*to = append(*to, q)
	}
}

func (v value) quota(to *Quota) {
	m := v.fields(
		field{name: "key", read: func(v value) { v.quotaKey(&to.Key) }},
		field{name: "rate", read: func(v value) { v.rate(&to.Rate) }},
		field{name: "burst", read: func(v value) { v.number(&to.Burst, 1, 1_000_000) }},
	)
	m.need("key", "one of client_ip, route, cookie:NAME, header:NAME")
	m.need("rate", "a rate such as 600/m")
	if to.Burst == 0 {
		to.Burst = max(1, int(math.Ceil(to.Rate.PerSecond())))
	}
}

// quotaKey reads what tells callers apart.
func (v value) quotaKey(to *string) {
	const wanted = "one of client_ip, route, cookie:NAME, header:NAME"
	s, ok := v.text(wanted)
	if !ok {
		return
	}
	kind, name, named := strings.Cut(s, ":")
	switch {
	case s == "client_ip" || s == "route":
		*to = s
	case named && kind == "cookie":
		if name, ok = v.cookieName(name); ok {
			*to = "cookie:" + name
		}
	case named && kind == "header":
		if name, ok = v.fieldName(name); ok {
			*to = "header:" + name
		}
	default:
		v.fail("%s; %s is wanted", v.shown(), wanted)
	}
}
