package intake

import (
	"cmp"
	"net/netip"
	"strings"

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

// mostHops is how many proxies in front are told of: a visitor can make up any number of them.
const mostHops = 32

// Tell writes the fields that tell a backend about the visitor: X-Forwarded-*, and Forwarded (RFC 7239) with the same words. Clean
// must have run before.
func (o Origin) Tell(head *h1.Head) {
	peer := "unknown"
	if o.Peer.IsValid() {
		peer = o.Peer.Unmap().WithZone("").String()
	}
	own := hopBefore{node: peer, proto: "http", host: o.Host}
	if o.Secure {
		own.proto = "https"
	}
	var said []hopBefore
	if o.Trusted {
		said = before(*head)
		said = said[max(0, len(said)-mostHops):] // those nearest to us are the ones that can be believed
	}
	first := own
	if len(said) > 0 {
		first.proto, first.host = cmp.Or(said[0].proto, own.proto), cmp.Or(said[0].host, own.host)
	}
	var room [128]byte
	forwarded := room[:0]
	var list strings.Builder
	for _, h := range said {
		list.WriteString(entry(h.node) + ", ")
		forwarded = append(appendElement(forwarded, h), ", "...)
	}
	head.Set("X-Forwarded-For", list.String()+peer)
	if !head.Has("X-Forwarded-Proto") {
		head.Add("X-Forwarded-Proto", first.proto)
	}
	if !head.Has("X-Forwarded-Host") {
		head.Add("X-Forwarded-Host", first.host)
	}
	head.Set("Forwarded", string(appendElement(forwarded, own)))
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
