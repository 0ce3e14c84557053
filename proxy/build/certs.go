package build

import (
	"crypto/tls"
	"fmt"
	"slices"
	"strconv"

	"gatehouse/config"
	"gatehouse/proxy/admin"
	"gatehouse/proxy/edge/certs"
	"gatehouse/proxy/record"
	"gatehouse/shed/store/probe"
)

// planCerts reads the certificates that the file names, of all listeners together.
func (p *Plan) planCerts() error {
	s, err := certSettings(p.cfg)
	if err != nil {
		return err
	}
	change, err := p.living.certs.Plan(s)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	p.certs = change
	p.undo = append(p.undo, change.Discard)
	p.Warnings = append(p.Warnings, change.Warnings...)
	return nil
}

func certSettings(cfg *config.Config) (certs.Settings, error) {
	var s certs.Settings
	plain, secure := false, false
	for _, l := range cfg.Listen {
		if l.TLS == nil {
			plain = true
			continue
		}
		secure = true
		n := names(l.TLS)
		s.Files, s.Domains = append(s.Files, n.Files...), append(s.Domains, n.Domains...)
		if l.TLS.Clients != nil {
			s.Clients = append(s.Clients, clients(l.TLS))
		}
	}
	a := cfg.ACME
	if a == nil {
		return s, nil
	}
	s.ACME = certs.ACME{
		Email: a.Email, Directory: a.Directory, CAFile: a.CAFile, Folder: a.Folder, KeyPrefix: a.KeyPrefix,
		HTTP:    plain && slices.Contains(a.Challenges, "http-01"),
		TLSALPN: secure && slices.Contains(a.Challenges, "tls-alpn-01"),
	}
	if r := a.Redis; r != nil {
		s.ACME.Redis = &certs.Redis{
			Network: r.Address.Network, Address: r.Address.Address, Username: r.Username, DB: r.DB,
			Password: func() (string, error) { return secret(r.Password) },
		}
		if r.TLS != nil {
			c, err := (*probe.TLS)(r.TLS).Config(host(r.Address))
			if err != nil {
				return s, fmt.Errorf("acme.redis.tls: %w", err)
			}
			s.ACME.Redis.TLS = c
		}
	}
	return s, nil
}

func names(t *config.ListenTLS) certs.Names {
	n := certs.Names{Domains: t.Domains}
	for _, f := range t.Certificates {
		n.Files = append(n.Files, certs.File(f))
	}
	return n
}

func clients(t *config.ListenTLS) certs.ClientAuth {
	if t.Clients == nil {
		return certs.ClientAuth{}
	}
	return certs.ClientAuth(*t.Clients)
}

func version(word string) uint16 {
	if word == "1.3" {
		return tls.VersionTLS13
	}
	return tls.VersionTLS12
}

// hsts is the value of Strict-Transport-Security (RFC 6797 section 6.1).
func hsts(h *config.HSTS) string {
	if h == nil {
		return ""
	}
	s := "max-age=" + strconv.FormatInt(int64(h.MaxAge.Seconds()), 10)
	if h.IncludeSubdomains {
		s += "; includeSubDomains"
	}
	if h.Preload {
		s += "; preload"
	}
	return s
}

// certificates are those that visitors are shown, for a person.
func (l *Living) certificates() []admin.Cert {
	var out []admin.Cert
	for _, c := range l.certs.Status() {
		out = append(out, admin.Cert{Names: c.Names, Source: c.Source, NotAfter: c.NotAfter, Missing: c.Missing, Error: c.Error, ErrorAt: c.ErrorAt})
	}
	return out
}

// certSamples are the same for a scrape. Two certificates of one name are one series: the one that ends first.
func (l *Living) certSamples() []record.CertSample {
	var out []record.CertSample
	for _, c := range l.certs.Status() {
		if len(c.Names) == 0 {
			continue
		}
		i := slices.IndexFunc(out, func(o record.CertSample) bool { return o.Name == c.Names[0] })
		switch {
		case i < 0:
			out = append(out, record.CertSample{Name: c.Names[0], NotAfter: c.NotAfter})
		case c.NotAfter.Before(out[i].NotAfter):
			out[i].NotAfter = c.NotAfter
		}
	}
	return out
}
