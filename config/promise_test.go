package config

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"
)

// broken says which promise of its types a Config breaks that Parse let through; "" for none.
func broken(c *Config) string {
	for _, p := range c.Pools {
		s := p.Shares
		switch sum := s.Member + s.SignIn + s.Unproved + s.Anonymous + s.Background; {
		case p.Adaptive != nil && p.MaxInFlight != 0:
			return "two limits"
		case p.Adaptive != nil && (p.Adaptive.Min < 1 || p.Adaptive.Min > p.Adaptive.Max):
			return "bounds that hold nothing"
		case min(s.Member, s.SignIn, s.Unproved, s.Anonymous, s.Background, p.Reserve, p.Retries.Budget) < 0:
			return "less than nothing"
		case sum > 1+1e-9 || p.Reserve > 1 || p.Retries.Budget > 1:
			return "more than the whole"
		case p.Adaptive == nil && p.MaxInFlight == 0 && (p.Queue != Queue{} || s != Shares{} || p.Reserve != 0):
			return "parts of no limit"
		case p.Eject != nil && (p.Eject.Failures < 1 || p.Eject.For <= 0 || p.Eject.Most <= 0 || p.Eject.Most > 1):
			return "an ejection by nothing, or of nobody"
		}
	}
	for _, q := range c.Quotas {
		if q.Shared && c.QuotaStore == nil {
			return "shared nowhere"
		}
	}
	if q := c.QuotaStore; q != nil && (q.Redis.Address == Address{} || q.Timeout <= 0 || q.StandIn <= 0 || q.StandIn > 1) {
		return "a quota store without its parts"
	}
	for _, r := range c.Routes {
		switch {
		case r.Members && (r.SignIn || r.SignOut || r.Needs == "none" || len(c.Session.Cookies)+len(c.Session.Headers) == 0):
			return "members without a proof"
		case r.Background && r.SignIn:
			return "a sign-in in the background"
		}
	}
	return cmp.Or(brokenListener(c), brokenPool(c), brokenStore(&c.Session))
}

func brokenListener(c *Config) string {
	for _, l := range c.Listen {
		switch {
		case !slices.Contains([]string{"on", "off", "cleartext"}, l.HTTP2):
			return "HTTP/2 in no known way"
		case l.HTTP2 == "on" && l.TLS == nil || l.HTTP2 == "cleartext" && l.TLS != nil:
			return "HTTP/2 that nobody learns of"
		case l.Redirect != "" && l.TLS != nil:
			return "a redirect without end"
		case l.Address.Network == "unix" && l.ProxyProtocol != nil:
			return "networks of a socket"
		case l.TLS == nil:
			continue
		case len(l.TLS.Domains)+len(l.TLS.Certificates) == 0 || l.TLS.MinVersion == "":
			return "TLS without a certificate"
		case len(l.TLS.Domains) > 0 && c.ACME == nil:
			return "domains without an authority"
		case l.TLS.Clients != nil && !filepath.IsAbs(l.TLS.Clients.CAFile):
			return "clients of no authority"
		case l.TLS.HSTS != nil && (l.TLS.HSTS.MaxAge < 0 || l.TLS.HSTS.Preload && !l.TLS.HSTS.IncludeSubdomains):
			return "something no browser can remember"
		}
		for _, f := range l.TLS.Certificates {
			if !filepath.IsAbs(f.CertFile) || !filepath.IsAbs(f.KeyFile) {
				return "half a certificate"
			}
		}
	}
	if a := c.ACME; a != nil && (len(a.Challenges) == 0 || (a.Folder == "") == (a.Redis == nil) || !strings.HasPrefix(a.Directory, "https://") || a.KeyPrefix == "") {
		return "an authority without its parts"
	}
	return ""
}

func brokenPool(c *Config) string {
	for _, p := range c.Pools {
		kinds := map[string]int{}
		for _, b := range p.Backends {
			kinds[b.Scheme]++
			if (b.Network == "unix") != (b.Scheme == "unix") || b.Address == "" || !strings.HasPrefix(b.URL, b.Scheme+":") || !strings.HasSuffix(b.URL, b.Address) {
				return "a backend that is two things"
			}
		}
		switch {
		case p.TLS != nil && kinds["https"]+kinds["h2"] == 0:
			return "TLS with nobody"
		case p.ProxyProtocol != "" && kinds["h2"]+kinds["h2c"] > 0:
			return "a PROXY header for many"
		case p.Store != "" && (c.Session.Store == nil || !slices.ContainsFunc(c.Session.Store.Members, func(m Member) bool { return m.Name == p.Store })):
			return "a store that is no member"
		}
	}
	return ""
}

func brokenStore(s *Session) string {
	if r := s.Reports; r != nil && (s.Store == nil || len(r.Pools) == 0 || r.Quorum < 1 || r.Max <= 0) {
		return "reports of nothing"
	}
	if s.Store == nil {
		return ""
	}
	kinds, none := 0, Address{}
	for _, is := range []bool{s.Store.Redis.Address != none, s.Store.Sentinel != nil, s.Store.Cluster != nil, s.Store.Members != nil} {
		if is {
			kinds++
		}
	}
	m := len(s.Store.Members)
	switch {
	case kinds != 1:
		return "a store that is not one thing"
	case s.Store.Cluster != nil && (len(s.Store.Cluster.Addresses) == 0 || s.Store.Redis.DB != 0 || s.Store.Cluster.MinShards < 0):
		return "a cluster without its parts"
	case m == 1 || s.Store.Require > m || s.Store.Require < 0 || m == 0 && s.Store.Convergence != Convergence{}:
		return "more members than there are"
	}
	for _, m := range s.Store.Members {
		if m.Name == "" || (m.Redis.Address != none) == (m.Sentinel != nil) {
			return "a member without its parts"
		}
	}
	return ""
}
