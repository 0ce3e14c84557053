package build

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"

	"gatehouse/config"
	"gatehouse/proxy/edge/certs"
	"gatehouse/proxy/upstream"
	"gatehouse/routing"
	"gatehouse/shed/store/probe"
)

// Check says what is wrong with a file beyond its words, as far as can be told without opening or starting anything: the
// page's template, the routes as a table, the places of secrets.
func Check(cfg *config.Config) (warnings []string, err error) {
	_, tableErr := Table(cfg)
	_, pageErr := planPage(cfg)
	_, tokenErr := AdminToken(cfg.Admin)
	_, placesErr := places(cfg)
	_, sealErr := readSeal(cfg)
	warnings, certErr := checkCerts(cfg)
	return warnings, errors.Join(tableErr, pageErr, placesErr, sealErr, checkSecrets(cfg), checkQuotaStore(cfg), certErr, checkPools(cfg), tokenErr, checkLog(cfg.Log))
}

// AdminToken reads the token of the admin listener; "" where the file asks for none.
func AdminToken(cfg config.Admin) (string, error) {
	if cfg.TokenFile == "" {
		return "", nil
	}
	b, err := readFile(cfg.TokenFile)
	if err != nil {
		return "", fmt.Errorf("admin.token_file: %w", err)
	}
	token := strings.TrimSpace(string(b))
	if len(token) < minToken {
		return "", fmt.Errorf("admin.token_file: %s: it holds %d characters; at least %d are wanted", cfg.TokenFile, len(token), minToken)
	}
	return token, nil
}

// minToken is how many characters a token has at least: one that can be guessed is none.
const minToken = 16

// checkLog says whether the access log's folder is there. Whether the file can be written is seen by writing it.
func checkLog(cfg config.Log) error {
	switch cfg.Access {
	case "stdout", "stderr", "off":
		return nil
	}
	if info, err := os.Stat(filepath.Dir(cfg.Access)); err != nil {
		return fmt.Errorf("log.access: %w", err)
	} else if !info.IsDir() {
		return fmt.Errorf("log.access: %s is no folder", filepath.Dir(cfg.Access))
	}
	return nil
}

// checkCerts says which certificates of visitors' listeners cannot be used, and what is to be known of those that can.
func checkCerts(cfg *config.Config) (warnings []string, all error) {
	s, all := certSettings(cfg)
	keeper := certs.New(slog.New(slog.DiscardHandler))
	defer keeper.Close()
	change, err := keeper.Plan(s)
	if err != nil {
		return nil, errors.Join(all, fmt.Errorf("listen: %w", err))
	}
	change.Discard()
	return change.Warnings, all
}

func checkPools(cfg *config.Config) (all error) {
	for _, p := range cfg.Pools {
		if p.TLS == nil {
			continue
		}
		if err := (*upstream.TLS)(p.TLS).Check(); err != nil {
			all = errors.Join(all, fmt.Errorf("pools.%s.tls: %w", p.Name, err))
		}
	}
	return all
}

// checkSecrets says which secrets and certificates are not where the file says.
func checkSecrets(cfg *config.Config) error {
	s := cfg.Session.Store
	if s == nil {
		return nil
	}
	all := checkNode("session.store", s.Redis, s.Sentinel, s.Cluster)
	for _, m := range s.Members {
		all = errors.Join(all, checkNode("session.store.members."+m.Name, m.Redis, m.Sentinel, nil))
	}
	return all
}

func checkNode(where string, r config.Redis, s *config.Sentinel, c *config.Cluster) error {
	switch {
	case c != nil: // which node it will be is not known yet; any name will do to look at the files
		return checkAccount(where+".cluster", r.Password, r.TLS, host(c.Addresses[0]))
	case s != nil:
		a := s.Access
		first := host(s.Addresses[0])
		return errors.Join(checkAccount(where+".sentinel", r.Password, r.TLS, first), checkAccount(where+".sentinel.access", a.Password, a.TLS, first))
	}
	return checkAccount(where+".redis", r.Password, r.TLS, host(r.Address))
}

// host is the name in an address.
func host(a config.Address) string {
	name, _, _ := net.SplitHostPort(a.Address)
	return name
}

func checkAccount(where string, password config.Secret, secured *config.TLS, host string) error {
	var all error
	if _, err := secret(password); err != nil {
		all = fmt.Errorf("%s: %w", where, err)
	}
	if secured != nil {
		if err := (*probe.TLS)(secured).Check(host); err != nil {
			all = errors.Join(all, fmt.Errorf("%s.tls: %w", where, err))
		}
	}
	return all
}

// Table returns the file's routes as a table over themselves, for those who only want to know which one matches.
func Table(cfg *config.Config) (*routing.Table[config.Route], error) {
	rules := make([]routing.Rule, 0, len(cfg.Routes))
	for _, r := range cfg.Routes {
		rules = append(rules, Rule(r))
	}
	t, err := routing.New(rules, cfg.Routes)
	if err != nil {
		return nil, placed(cfg, err)
	}
	return t, nil
}

// placed says where in the file each mistake of the routes is.
func placed(cfg *config.Config, err error) error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return fmt.Errorf("routes: %w", err)
	}
	var all error
	for _, e := range joined.Unwrap() {
		var mistake *routing.RuleError
		if errors.As(e, &mistake) && mistake.Index < len(cfg.Routes) {
			e = fmt.Errorf("%s:%d: routes[%d].match.%s: %q: %w", cfg.Path, cfg.Routes[mistake.Index].Line, mistake.Index, mistake.Key,
				mistake.Value, mistake.Err)
		}
		all = errors.Join(all, e)
	}
	return all
}
