package test

import (
	"encoding/json"
	"testing"
	"time"
)

// partStatus is what /status says of a store, or of a part of one.
type partStatus struct {
	Name     string `json:"name"`
	PartOf   string `json:"part_of"`
	State    string `json:"state"`
	Cause    string `json:"cause"`
	Observed string `json:"observed_state"`
	Diverged *struct {
		Since time.Time `json:"since"`
		At    string    `json:"at"`
		Of    string    `json:"of"`
		Lag   float64   `json:"lag_seconds"`
	} `json:"diverged"`
	Lags []struct {
		Of   string    `json:"of"`
		Seen time.Time `json:"seen"`
		MS   float64   `json:"ms"`
	} `json:"lags"`
	Reports []struct {
		Backend string `json:"backend"`
	} `json:"reports"`
	Transitions []transition `json:"transitions"` // the latest first
}

// transition is one of the last changes that /status shows.
type transition struct {
	To  string `json:"to"`
	Why string `json:"why"`
}

// stores asks the admin listener for the store and its parts.
func (g *gatehouse) stores(t *testing.T) []partStatus {
	t.Helper()
	text := get(t, g.admin+"/status")
	var all struct {
		Stores []partStatus `json:"stores"`
	}
	if err := json.Unmarshal([]byte(text), &all); err != nil || len(all.Stores) == 0 {
		t.Fatalf("/status: %v: %s", err, text)
	}
	return all.Stores
}

// parts are the parts alone.
func (g *gatehouse) parts(t *testing.T) []partStatus {
	t.Helper()
	return g.stores(t)[1:]
}

// part is the part of that name, or the whole.
func (g *gatehouse) part(t *testing.T, name string) partStatus {
	t.Helper()
	for _, s := range g.stores(t) {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("/status has no store %s: %+v", name, g.stores(t))
	return partStatus{}
}
