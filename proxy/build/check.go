package build

import (
	"errors"
	"fmt"

	"gatehouse/config"
	"gatehouse/routing"
)

// Check says what is wrong with a file beyond its words, as far as can be told without opening or starting anything: the
// page's template, the routes as a table, the places of secrets.
func Check(cfg *config.Config) error {
	_, tableErr := Table(cfg)
	_, pageErr := planPage(cfg)
	return errors.Join(tableErr, pageErr, checkSecrets(cfg))
}

// checkSecrets says which secrets are not where the file says.
func checkSecrets(cfg *config.Config) error {
	s := cfg.Session.Store
	if s == nil {
		return nil
	}
	if _, err := secret(s.Redis.Password); err != nil {
		return fmt.Errorf("session.store.redis: %w", err)
	}
	return nil
}

// Table returns the file's routes as a table over themselves, for those who only want to know which one matches.
func Table(cfg *config.Config) (*routing.Table[config.Route], error) {
	rules := make([]routing.Rule, 0, len(cfg.Routes))
	for _, r := range cfg.Routes {
		rules = append(rules, Rule(r))
	}
	t, err := routing.New(rules, cfg.Routes)
	if err != nil {
		return nil, fmt.Errorf("routes: %w", err)
	}
	return t, nil
}
