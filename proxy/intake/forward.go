package intake

import (
	"cmp"
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

// mostHops is how many proxies in front are told of: a visitor can make up any number of them.
const mostHops = 32

// Tell writes the fields that tell a backend about the visitor: X-Forwarded-*, and Forwarded (RFC 7239) with the same words. Clean
// must have run before.
func (o Origin) Tell(head *h1.Head) {
	own := hopBefore{proto: "http", host: o.Host}
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

	// Both lists are made in one piece of memory.
	var room [256]byte
	b := room[:0]
	for _, h := range said {
		b = append(append(b, entry(h.node)...), ", "...)
	}
	peer := o.Peer.Unmap().WithZone("")
	b = appendPeer(b, peer)
	n := len(b)
	for _, h := range said {
		b = append(appendElement(b, h), ", "...)
	}
	b = appendOwn(b, peer, own)
	lists := string(b)

	proto, host := false, false
	head.DelFunc(func(l h1.Line) bool {
		switch {
		case is(l.Name, "X-Forwarded-For"), is(l.Name, "Forwarded"), is(l.Name, "X-Request-Id"):
			return true
		case is(l.Name, "X-Forwarded-Proto"):
			proto = true
		case is(l.Name, "X-Forwarded-Host"):
			host = true
		}
		return false
	})
	head.Add("X-Forwarded-For", lists[:n])
	if !proto {
		head.Add("X-Forwarded-Proto", first.proto)
	}
	if !host {
		head.Add("X-Forwarded-Host", first.host)
	}
	head.Add("Forwarded", lists[n:])
	head.Add("X-Request-Id", o.ID)
}

// appendPeer writes who is at the other end of the connection.
func appendPeer(b []byte, peer netip.Addr) []byte {
	if !peer.IsValid() {
		return append(b, "unknown"...)
	}
	return peer.AppendTo(b)
}

// appendOwn writes the element of Forwarded that is ours: appendElement for an address that need not be read first.
func appendOwn(b []byte, peer netip.Addr, own hopBefore) []byte {
	if peer.Is6() {
		b = append(peer.AppendTo(append(b, `for="[`...)), `]"`...)
	} else {
		b = appendPeer(append(b, "for="...), peer)
	}
	if own.host != "" {
		b = appendValue(append(b, ";host="...), own.host)
	}
	return append(append(b, ";proto="...), own.proto...)
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
