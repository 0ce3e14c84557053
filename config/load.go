package config

import (
	"crypto/sha256"
	"errors"
	"io"
	"io/fs"
	"os"

	"gopkg.in/yaml.v3"
)

// maxSize bounds what is read of one file.
const maxSize = 1 << 20

// Load reads and checks a file. The error is Problems.
func Load(path string) (*Config, error) {
	data, err := read(path)
	if err != nil {
		return nil, Problems{{Path: path, What: "cannot be read: " + cause(err) + "; a YAML file is wanted"}}
	}
	return Parse(path, data)
}

var errNoFile = errors.New("it is no regular file")

// read returns at most one byte more than may be: Parse refuses that. A pipe or a device is not opened: that could last for ever.
func read(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errNoFile
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxSize+1))
}

// cause returns an error without the path, which the message names already.
func cause(err error) string {
	if bad := (*fs.PathError)(nil); errors.As(err, &bad) {
		return bad.Err.Error()
	}
	return err.Error()
}

// Parse checks what was read from the file of that path. The path is used in messages and to find what the file names; the
// file itself is not touched. The error is Problems.
func Parse(path string, data []byte) (*Config, error) {
	root, problem := parse(data)
	if problem != nil {
		problem.Path = path
		return nil, Problems{*problem}
	}
	r := &reader{path: path}
	c := r.config(value{r: r, node: root})
	if len(r.problems) > 0 {
		return nil, r.problems.sorted()
	}
	c.Sum = sha256.Sum256(data)
	c.Warnings = r.warnings.sorted()
	return c, nil
}

// config reads the whole file.
func (r *reader) config(root value) *Config {
	c := &Config{
		Path:    r.path,
		Admin:   defaultAdmin(),
		Log:     Log{Access: "stdout", Level: "info"},
		Session: defaultSession(),
		Degrade: defaultDegrade(),
	}
	if !root.readable() {
		return c
	}
	var (
		bounds              []bound
		listeners           []mapping
		pools, quotas       []mapping
		session, quotaStore mapping
		acme                mapping
		reports             value
		known               bool // all of the pools
	)
	m := root.fields(
		field{name: "listen", read: func(v value) { listeners, bounds = v.listen(&c.Listen) }},
		field{name: "acme", read: func(v value) {
			c.ACME = &ACME{}
			acme = v.acme(c.ACME)
		}},
		field{name: "admin", read: func(v value) { bounds = append(bounds, v.admin(&c.Admin)...) }},
		field{name: "trusted_proxies", read: func(v value) { v.proxies(&c.TrustedProxies) }},
		field{name: "log", read: func(v value) { v.log(&c.Log) }},
		field{name: "session", read: func(v value) { session = v.session(&c.Session, &reports) }},
		field{name: "pools", read: func(v value) {
			before := len(r.problems)
			pools = v.pools(&c.Pools, session, c.Session.Store)
			known = len(r.problems) == before
		}},
		field{name: "quotas", read: func(v value) { quotas = v.quotas(&c.Quotas) }},
		field{name: "quota_store", read: func(v value) {
			c.QuotaStore = defaultQuotaStore()
			quotaStore = v.quotaStore(c.QuotaStore)
		}},
		field{name: "routes", read: func(v value) { v.routes(c, session) }},
		field{name: "degrade", read: func(v value) { v.degrade(&c.Degrade) }},
	)
	session.missSignIn(c)
	if reports.r != nil {
		reports.reports(c, session, known)
	}
	m.issue(c, listeners, acme)
	c.leadNowhere(listeners)
	c.unfenced(listeners)
	m.sharing(c, quotas, quotaStore)
	c.unusedQuotas(quotas)
	c.idleLimits(pools)
	m.need("listen", "at least one listener, such as listen: [{address: \":8080\"}],")
	m.need("pools", "at least one pool, such as pools: {app: {backends: [\"http://10.0.0.1:8080\"]}},")
	m.need("routes", "at least one route, such as routes: [{name: app, pool: app}],")
	if _, said := m.has["admin"]; !said {
		nowhere := value{r: r, node: &yaml.Node{}, where: "admin"}
		bounds = append([]bound{{nowhere, c.Admin.Address}}, bounds...)
	}
	collisions(bounds)
	return c
}
