package certs

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

// TestIssued has pebble issue for several names, by each challenge alone and by both, through listeners that are not certmagic's.
func TestIssued(t *testing.T) {
	t.Parallel()
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

// TestAdvice has pebble want a certificate renewed that is new, as directories do that are about to revoke (RFC 9773).
func TestAdvice(t *testing.T) {
	t.Parallel()
	p := pebbles(t, pebbleSettings{hints: true})
	const name = "advised.example.test"
	set := p.settings(t, name)
	k, _ := keep(t)
	stand := p.answer(k, Names{Domains: set.Domains})
	commit(t, k, set)
	eventually(t, "a first certificate", func() bool { return p.served(name) != nil })
	first := p.served(name)
	k.Close()
	stand()
	found, err := filepath.Glob(filepath.Join(set.ACME.Folder, "certificates", "*", name, name+".json"))
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	kept, err := os.ReadFile(found[0])
	if err != nil || !bytes.Contains(kept, []byte("_retryAfter")) {
		t.Fatalf("%v in %s", err, kept)
	}

	again, log := keep(t)
	p.answer(again, Names{Domains: set.Domains})
	commit(t, again, set)
	time.Sleep(5 * again.pace.round)
	if n := p.orders.Load(); n != 1 {
		t.Errorf("%d orders before anything was advised", n)
	}
	again.Close()
	window, _ := json.Marshal(map[string]any{"suggestedWindow": map[string]any{
		"start": time.Now().Add(-2 * time.Hour).UTC(), "end": time.Now().Add(-time.Hour).UTC()}})
	body, _ := json.Marshal(map[string]string{
		"Certificate": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: first.Raw})), "ARIResponse": string(window)})
	rec := httptest.NewRecorder()
	req := httptest.NewRequest("POST", "/set-renewal-info/", bytes.NewReader(body))
	req.Header.Set("User-Agent", agent)
	p.manage.ServeHTTP(rec, req)
	if rec.Code != 200 {
		t.Fatalf("pebble: %d %s", rec.Code, rec.Body)
	}
	write(t, found[0], regexp.MustCompile(`"_retryAfter": "2\d\d\d`).ReplaceAll(kept, []byte(`"_retryAfter": "2001`)))
	third, _ := keep(t)
	commit(t, third, set)
	eventually(t, "it is renewed", func() bool { return !third.table.Load().domains[name].Leaf.Equal(first) })
	if n := p.orders.Load(); n != 2 {
		t.Errorf("%d orders\n%s", n, log)
	}
}

// TestChallengeBeforeClients answers tls-alpn-01 on a listener that lets nobody in without a client certificate.
func TestChallengeBeforeClients(t *testing.T) {
	t.Parallel()
	p := pebbles(t, pebbleSettings{})
	const name = "clients.example.test"
	set := p.settings(t, name)
	set.ACME.HTTP = false
	p.auth = ClientAuth{CAFile: today(t).file(t, t.TempDir(), "ca").CertFile, Require: true}
	set.Clients = []ClientAuth{p.auth}
	k, _ := keep(t)
	p.answer(k, Names{Domains: set.Domains})
	commit(t, k, set)
	eventually(t, "a certificate", func() bool { return !k.Status()[0].Missing })
	if p.served(name) != nil {
		t.Error("somebody without a client certificate came in")
	}
	if _, err := meet("127.0.0.1:"+p.tls, &tls.Config{ServerName: name, NextProtos: []string{acmeTLS}}); err == nil {
		t.Error("a challenge that nobody asked for was answered")
	}
}
