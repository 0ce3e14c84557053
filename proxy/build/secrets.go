package build

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"

	"gatehouse/config"
)

// secrets are where the passwords of a store are found, by whose they are: a reload may move them. It is safe for concurrent use; the
// zero value has none.
type secrets struct {
	mu sync.Mutex
	at map[string]config.Secret
}

// keep notes where all of them are from here on.
func (s *secrets) keep(c *config.Store) {
	at := map[string]config.Secret{}
	note := func(whose string, r config.Redis, sentinel *config.Sentinel) {
		at[whose] = r.Password
		if sentinel != nil {
			at[whose+sentinelsOwn] = sentinel.Access.Password
		}
	}
	note("", c.Redis, c.Sentinel)
	for _, m := range c.Members {
		note(m.Name, m.Redis, m.Sentinel)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at = at
}

// sentinelsOwn is added to whose Sentinels they are.
const sentinelsOwn = "\x00sentinels"

// of returns what reads a password anew each time.
func (s *secrets) of(whose string) func() (string, error) {
	return func() (string, error) {
		s.mu.Lock()
		at := s.at[whose]
		s.mu.Unlock()
		return secret(at)
	}
}

var errNoSecret = errors.New("is empty")

// secret reads a secret from where the file says it is. Its errors name the place and never the secret.
func secret(s config.Secret) (string, error) {
	switch {
	case s.File != "":
		b, err := readFile(s.File)
		if err != nil {
			return "", fmt.Errorf("password_file: %w", err)
		}
		if v := strings.TrimRight(string(b), "\r\n"); v != "" {
			return v, nil
		}
		return "", fmt.Errorf("password_file %s: %w", s.File, errNoSecret)
	case s.Env != "":
		if v := os.Getenv(s.Env); v != "" {
			return v, nil
		}
		return "", fmt.Errorf("password_env %s: %w", s.Env, errNoSecret)
	default:
		return "", nil
	}
}
