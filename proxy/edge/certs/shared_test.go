package certs

import (
	"crypto/tls"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestShared has two Gatehouses show the same name with one Redis: one of them asks, both serve, and whichever the directory comes to
// answers. In a folder that is so for the old and the new process of a takeover.
func TestShared(t *testing.T) {
	t.Parallel()
	n := redisServer(t)
	dir := filepath.Join(t.TempDir(), "acme")
	for _, c := range []struct {
		name string
		set  func(*ACME)
	}{
		{"redis, http-01", func(a *ACME) { set := n.settings(); a.Redis, a.KeyPrefix, a.TLSALPN = &set, "one:", false }},
		{"redis, tls-alpn-01", func(a *ACME) { set := n.settings(); a.Redis, a.KeyPrefix, a.HTTP = &set, "two:", false }},
		{"folder", func(a *ACME) { a.Folder = dir }},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := pebbles(t, pebbleSettings{})
			const name = "shared.example.test"
			set := p.settings(t, name)
			c.set(&set.ACME)
			asks, _ := keep(t)
			answers, log := keep(t)
			answers.pace.settle = time.Hour // it never asks
			p.answer(answers, Names{Domains: set.Domains})
			commit(t, answers, set)
			commit(t, asks, set)
			eventually(t, "who asked has it", func() bool { return !asks.Status()[0].Missing })
			if _, ok := answers.Challenge("other.example.test", "/.well-known/acme-challenge/x"); ok {
				t.Error("a stranger's challenge is answered")
			}
			commit(t, answers, set)
			eventually(t, "the other has it too", func() bool { return p.served(name) != nil })
			if orders := p.orders.Load(); orders != 1 {
				t.Errorf("%d orders for one name of two Gatehouses\n%s", orders, log)
			}
		})
	}
}

// TestFirstStartAlone starts where nothing can be reached: it blocks nothing, serves files, and says what is missing and why.
func TestFirstStartAlone(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and says nothing, as a network does that swallows everything
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, nil)
	good := filepath.Join(t.TempDir(), "acme")
	for _, c := range []struct {
		name    string
		acme    ACME
		problem string
		warning string
	}{
		{"refused", ACME{Directory: "https://127.0.0.1:" + freePort(t) + "/dir", Folder: good},
			"connection refused; look at the network, DNS and any proxy", ""},
		{"swallowed", ACME{Directory: "https://" + l.Addr().String() + "/dir", Folder: good}, "cannot be asked", ""},
		{"unwritable", ACME{Directory: "https://127.0.0.1:1/dir", Folder: filepath.Join(file, "acme")},
			"not a directory; make it a folder that belongs to Gatehouse's user, mode 0700", "not a directory; make it a folder"},
		{"no Redis", ACME{Directory: "https://127.0.0.1:1/dir", Redis: &Redis{Address: "127.0.0.1:" + freePort(t)}},
			"connection refused; look at that Redis", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			k, log := keep(t)
			c.acme.HTTP = true
			f := today(t, "file.test", "covered.test").file(t, t.TempDir(), "f")
			set := Settings{Files: []File{f}, Domains: []string{"missing.test", "covered.test"}, ACME: c.acme}
			warnings := commit(t, k, set)
			if (c.warning != "") != (len(warnings) == 1) || c.warning != "" && !strings.Contains(warnings[0], c.warning) {
				t.Errorf("warnings %q", warnings)
			}
			address := listen(t, k.Config(ClientAuth{}, 0, Names{Files: set.Files, Domains: set.Domains}))
			eventually(t, "the reason is told", func() bool { s := k.Status(); return s[1].Error != "" && s[2].Error != "" })
			for _, s := range k.Status()[1:] {
				if !s.Missing || !strings.Contains(s.Error, c.problem) || time.Until(s.Next) > time.Minute {
					t.Errorf("status %+v", s)
				}
			}
			for _, name := range []string{"file.test", "covered.test", "unknown.test", ""} {
				if shows(address, name) == nil {
					t.Errorf("%q is not served", name)
				}
			}
			if _, err := meet(address, tlsName("missing.test")); err == nil || !strings.Contains(err.Error(), "unrecognized name") {
				t.Errorf("a handshake by the missing name: %v", err)
			}
			time.Sleep(3 * k.pace.retry)
			if log.lines("level=ERROR") != 1 || log.lines(`missing="[missing.test covered.test]"`) != 1 {
				t.Errorf("the log:\n%s", log)
			}
		})
	}
}

// TestUnknownAuthority asks a private directory whose authority was not named.
func TestUnknownAuthority(t *testing.T) {
	t.Parallel()
	p := pebbles(t, pebbleSettings{})
	k, _ := keep(t)
	set := p.settings(t, "a.example.test")
	set.ACME.CAFile = ""
	commit(t, k, set)
	eventually(t, "the reason is told", func() bool { return strings.Contains(k.Status()[0].Error, "name it in acme.ca_file") })
}

// TestBadACME has every mistake of the settings said at once.
func TestBadACME(t *testing.T) {
	t.Parallel()
	k, _ := keep(t)
	_, err := k.Plan(Settings{Domains: []string{"good.test", "*.a.test", "192.0.2.1", "Upper.test", ""},
		ACME: ACME{Directory: "http://a.test", CAFile: filepath.Join(t.TempDir(), "none"), Folder: "relative"}})
	if err == nil {
		t.Fatal("no mistake was found")
	}
	for _, want := range []string{`"*.a.test": a wildcard`, `"192.0.2.1": an IP`, `"Upper.test": this is no domain`, `"": this is no domain`,
		`"http://a.test": this is no ACME directory`, "port 80", "cannot be read", `"relative": want the absolute path`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not said:\n%v", want, err)
		}
	}
	if lines := strings.Split(err.Error(), "\n"); len(lines) != 8 {
		t.Errorf("%d lines:\n%v", len(lines), err)
	}
	open := t.TempDir()
	if err := os.Chmod(open, 0o755); err != nil {
		t.Fatal(err)
	}
	c, err := k.Plan(Settings{Domains: []string{"good.test"}, ACME: ACME{Directory: "https://a.test", Folder: open, HTTP: true}})
	if err != nil || len(c.Warnings) != 1 || !strings.Contains(c.Warnings[0], "chmod 700") {
		t.Errorf("a folder that is open to others: %v, %v", c, err)
	}
	c.Discard()
}

// TestDamaged spoils what is kept of a name: it is issued anew, and meanwhile what was read before is served.
func TestDamaged(t *testing.T) {
	t.Parallel()
	p := pebbles(t, pebbleSettings{})
	const name = "damaged.example.test"
	set := p.settings(t, name)
	k, _ := keep(t)
	stand := p.answer(k, Names{Domains: set.Domains})
	commit(t, k, set)
	eventually(t, "a first certificate", func() bool { return p.served(name) != nil })
	k.Close()
	stand()
	kept, err := filepath.Glob(filepath.Join(set.ACME.Folder, "certificates", "*", name, name+".key"))
	if err != nil || len(kept) != 1 {
		t.Fatalf("%v %v", kept, err)
	}
	write(t, kept[0], today(t).keyPEM)
	again, _ := keep(t)
	p.answer(again, Names{Domains: set.Domains})
	commit(t, again, set)
	eventually(t, "another certificate", func() bool { return p.served(name) != nil })
	if n := p.orders.Load(); n != 2 {
		t.Errorf("%d orders", n)
	}
}

// TestStartServesAtOnce starts anew with what was kept: the first handshake is served, and nobody is asked.
func TestStartServesAtOnce(t *testing.T) {
	t.Parallel()
	p := pebbles(t, pebbleSettings{})
	const name = "kept.example.test"
	set := p.settings(t, name)
	k, _ := keep(t)
	p.answer(k, Names{Domains: set.Domains})
	commit(t, k, set)
	eventually(t, "a first certificate", func() bool { return p.served(name) != nil })
	p.stop()
	again, log := keep(t)
	commit(t, again, set)
	address := listen(t, again.Config(ClientAuth{}, 0, Names{Domains: set.Domains}))
	state, err := meet(address, &tls.Config{ServerName: name, RootCAs: p.roots})
	if err != nil {
		t.Errorf("the first handshake: %v\n%s", err, log)
	}
	_ = state
	time.Sleep(5 * again.pace.round)
	if log.lines("level=ERROR") != 0 {
		t.Errorf("the log:\n%s", log)
	}
	p.start()
}
