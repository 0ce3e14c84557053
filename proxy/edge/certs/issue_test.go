package certs

import (
	"os"
	"path/filepath"
	"testing"
)

// TestIssued has pebble issue for several names, by each challenge alone and by both, through listeners that are not certmagic's.
func TestIssued(t *testing.T) {
	for _, c := range []struct {
		name          string
		http, tlsALPN bool
	}{{"http-01", true, false}, {"tls-alpn-01", false, true}, {"both", true, true}} {
		t.Run(c.name, func(t *testing.T) {
			p := pebbles(t, pebbleSettings{hints: true})
			k, log := keep(t)
			names := []string{"one.example.test", "two.example.test", "three.example.test"}
			set := p.settings(t, names...)
			set.ACME.HTTP, set.ACME.TLSALPN = c.http, c.tlsALPN
			p.answer(k, Names{Domains: names})
			commit(t, k, set)
			for _, name := range names {
				eventually(t, name+" is served", func() bool { return p.served(name) != nil })
			}
			for _, s := range k.Status() {
				if s.Missing || s.Error != "" || s.NotAfter.IsZero() || s.Source != "acme" {
					t.Errorf("status %+v", s)
				}
			}
			if n := p.orders.Load(); n != 3 {
				t.Errorf("%d orders for three names", n)
			}
			if info, err := os.Stat(set.ACME.Folder); err != nil || info.Mode().Perm() != 0o700 {
				t.Errorf("the folder: %v %v", info, err)
			}
			open, _ := filepath.Glob(filepath.Join(set.ACME.Folder, "acme", "*", "challenges", "*", "*.json"))
			if len(open) != 0 {
				t.Errorf("challenges are left: %v", open)
			}
			if t.Failed() {
				t.Log(log)
			}
		})
	}
}
