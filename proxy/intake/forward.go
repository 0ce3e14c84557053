package intake

import (
	"net/netip"

	"gatehouse/proxy/h1"
)

// Origin is what a backend is told about where a request came from.
type Origin struct {
	Peer    netip.Addr // who is at the other end of the connection; invalid for a Unix socket
	Trusted bool       // Peer's own word stands: X-Forwarded-For grows, Proto and Host are left as they came
	Secure  bool       // the connection is TLS
	Host    string     // the Host field as it came
	ID      string     // the request's id
}

// Tell writes the fields that tell a backend about the visitor. Clean must have run before.
func (o Origin) Tell(head *h1.Head) {
	peer := "unknown"
	if o.Peer.IsValid() {
		peer = o.Peer.Unmap().WithZone("").String()
	}
	list := ""
	if o.Trusted {
		for i := 0; ; i++ {
			v, ok := head.Field("X-Forwarded-For", i)
			if !ok {
				break
			}
			list += v + ", "
		}
	}
	head.Set("X-Forwarded-For", list+peer)
	if !head.Has("X-Forwarded-Proto") {
		scheme := "http"
		if o.Secure {
			scheme = "https"
		}
		head.Add("X-Forwarded-Proto", scheme)
	}
	if !head.Has("X-Forwarded-Host") {
		head.Add("X-Forwarded-Host", o.Host)
	}
	head.Set("X-Request-Id", o.ID)
}

// RequestID returns the id that a trusted proxy gave the request, or "" where there is none that is safe in a log line: at
// most 64 letters, digits, dots, dashes and underscores.
func RequestID(head h1.Head) string {
	id := head.Get("X-Request-Id")
	if id == "" || len(id) > 64 {
		return ""
	}
	for i := range len(id) {
		if !nameByte(id[i]) {
			return ""
		}
	}
	return id
}
