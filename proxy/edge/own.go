package edge

import (
	"net/netip"
	"strings"
	"time"

	"gatehouse/proxy/h1"
)

const challenges = "/.well-known/acme-challenge/"

// answerOwn answers what is not the handler's, and reports whether it did.
func (c *conn) answerOwn(v Visitor) bool {
	l := c.server.live.Load()
	method, target := v.Method(), v.Target()
	if asks := method == "GET" || method == "HEAD"; asks {
		if l.Health != "" && target == l.Health {
			c.answerHealth(v)
			return true
		}
		if l.Challenge != nil && strings.HasPrefix(target, challenges) {
			path, _, _ := strings.Cut(target, "?")
			if answer, ok := l.Challenge(v.Host(), path); ok {
				answerText(v, 200, nil, answer)
				return true
			}
		}
	}
	if l.redirect && c.facts == nil {
		c.redirect(v, l)
		return true
	}
	return false
}

// answerHealth tells a balancer whether more visitors are welcome.
func (c *conn) answerHealth(v Visitor) {
	if c.server.ready.Load() {
		answerText(v, 200, nil, "ready\n")
	} else {
		answerText(v, 503, nil, "draining\n")
	}
}

// redirect sends a visitor to the same place by way of TLS. Where that place cannot be told he is refused.
func (c *conn) redirect(v Visitor, l *live) {
	told := Refused{
		At: time.Now(), Status: 308, Reason: "https_wanted", Method: strings.Clone(v.Method()), Target: strings.Clone(v.Target()),
	}
	if v.Proto() == "HTTP/2.0" {
		told.Proto = v.Proto()
	}
	var head h1.Head
	host, ok := nameOf(v.Host())
	switch {
	case !ok || !strings.HasPrefix(v.Target(), "/"):
		told.Status = 400
	default:
		if v.Method() == "GET" || v.Method() == "HEAD" {
			told.Status = 301
		}
		head.Add("Location", "https://"+host+l.port+v.Target())
	}
	head.Add("Gatehouse-Outcome", "rejected; reason="+told.Reason)
	text := statusText(told.Status)
	if v.Method() != "HEAD" {
		told.BytesOut = int64(len(text))
	}
	answerText(v, told.Status, head, text)
	c.tell(told)
}

// answerText answers with a few words of ours, which nobody may keep. A visitor who has gone meanwhile is no matter.
func answerText(v Visitor, status int, head h1.Head, text string) {
	head = append(head, h1.Line{Name: "Content-Type", Value: "text/plain; charset=utf-8"}, h1.Line{Name: "Cache-Control", Value: "no-store"})
	if err := v.Answer(status, head, int64(len(text)), false); err == nil && v.Method() != "HEAD" {
		_, _ = v.Write([]byte(text))
	}
}

// nameOf returns the host of a Host field without its port: a name, an IPv4 address or an IPv6 address in brackets. It reports
// false for everything else.
func nameOf(host string) (string, bool) {
	name, port := host, ""
	if strings.HasPrefix(host, "[") {
		end := strings.IndexByte(host, ']')
		if end < 0 {
			return "", false
		}
		if a, err := netip.ParseAddr(host[1:end]); err != nil || !a.Is6() || a.Zone() != "" {
			return "", false
		}
		name, port = host[:end+1], host[end+1:]
		if port != "" && port[0] != ':' {
			return "", false
		}
	} else {
		if i := strings.IndexByte(host, ':'); i >= 0 {
			name, port = host[:i], host[i:]
		}
		for i := range len(name) {
			c := name[i]
			if letter := c|0x20 >= 'a' && c|0x20 <= 'z'; !letter && (c < '0' || c > '9') && c != '-' && c != '.' && c != '_' {
				return "", false
			}
		}
		if strings.Trim(name, ".") == "" || len(name) > 253 {
			return "", false
		}
	}
	for i := 1; i < len(port); i++ {
		if port[i] < '0' || port[i] > '9' || i > 5 {
			return "", false
		}
	}
	return name, port != ":"
}
