package serve

import (
	"testing"
	"time"

	"gatehouse/proxy/admin"
	"gatehouse/shed"
	"gatehouse/shed/store"
)

// TestOverrideMeansWhatItsWordsSay covers every word that the admin listener lets through.
func TestOverrideMeansWhatItsWordsSay(t *testing.T) {
	now := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	want := map[string]shed.State{
		"writable": shed.Writable, "strained": shed.Strained, "read-only": shed.ReadOnly, "down": shed.Down, "unknown": shed.Unknown,
	}
	for _, word := range admin.OverrideWords() {
		got, err := override(admin.Override{State: word, For: 10 * time.Minute, By: "Ada"}, now)
		if word == admin.OverrideOff {
			if err == nil {
				t.Errorf("off is a state: %+v", got)
			}
			continue
		}
		if state, ok := want[word]; !ok || err != nil || got != (store.Override{State: state, Until: now.Add(10 * time.Minute), By: "Ada"}) {
			t.Errorf("%s: %+v, %v", word, got, err)
		}
	}
	if got, err := override(admin.Override{State: "read_only", For: time.Minute}, now); err == nil {
		t.Errorf("a word that is no state became %+v", got)
	}
}
