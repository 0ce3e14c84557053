package intake

import (
	"net/netip"
	"strings"
	"testing"

	"gatehouse/proxy/h1"
)

// usualHead is what a browser sends.
func usualHead() h1.Head {
	return head("Host: www.example.com", "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
		"Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "Accept-Language: en-US,en;q=0.5",
		"Accept-Encoding: gzip, deflate, br", "Referer: https://www.example.com/", "Connection: keep-alive",
		"Cookie: theme=dark; sid=0123456789abcdef0123456789abcdef", "Upgrade-Insecure-Requests: 1", "Sec-Fetch-Dest: document")
}

// through is what every request goes through here.
func through(room h1.Head, from h1.Head, o Origin) string {
	t, _ := ReadTarget("GET", "/some/page?a=b", "www.example.com")
	to := append(room[:0], from...)
	_, _ = Clean(&to, false, nil)
	o.Tell(&to)
	return t.Origin()
}

func TestCost(t *testing.T) {
	from, room := usualHead(), make(h1.Head, 0, 32)
	from = from[:6] // Connection is a list, which is read
	o := Origin{Peer: netip.MustParseAddr("192.0.2.1"), Host: "www.example.com", ID: "0a1b"}
	if n := testing.AllocsPerRun(200, func() { through(room, from, o) }); n > 1 {
		t.Errorf("%v allocations, want 1: what a backend is told of the visitor", n)
	}
}

func BenchmarkThrough(b *testing.B) {
	from, room := usualHead(), make(h1.Head, 0, 32)
	o := Origin{Peer: netip.MustParseAddr("192.0.2.1"), Host: "www.example.com", ID: "0a1b"}
	b.ReportAllocs()
	for b.Loop() {
		through(room, from, o)
	}
}

// What is compared with no list must be in none.
func TestSuspect(t *testing.T) {
	names := append(append([]string{}, hop[:]...), never[:]...)
	names = append(names, "Gatehouse-", "Gatehouse-Outcome", "X-Forwarded-", "X-Forwarded-For", "Forwarded", "X-Real-Ip", "X-Client-Ip",
		"True-Client-Ip", "X-Request-Id", "Client-Cert", "Client-Cert-Chain", "X-Client-Cert", "X-Ssl-Client-", "Ssl-Client-", "Ssl-Client-Verify")
	for _, name := range names {
		for _, name := range []string{name, strings.ToLower(name), strings.ToUpper(name)} {
			if !suspect(name) {
				t.Errorf("%q is not looked at", name)
			}
			h := h1.Head{{Name: name, Value: "trailers"}}
			if name := strings.ToLower(name); name == "expect" {
				h[0].Value = "100-continue"
			}
			if _, err := Clean(&h, false, nil); err != nil || len(h) != 0 {
				t.Errorf("%q stays: %v", name, err)
			}
		}
	}
}

func FuzzSuspect(f *testing.F) {
	for _, name := range hop {
		f.Add(name)
	}
	f.Add("Ssl-Client-\u017f")
	f.Add("\u212aeep-Alive")
	f.Fuzz(func(t *testing.T, name string) {
		if !suspect(name) && (isAny(name, hop[:]) || isAny(name, never[:]) || ours(name) || onlyTrusted(name)) {
			t.Errorf("%q is not looked at", name)
		}
	})
}
