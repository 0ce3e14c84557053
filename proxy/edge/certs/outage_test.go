package certs

import (
	"bytes"
	"testing"
	"time"
)

// TestDirectoryAway stops pebble when a certificate comes due: the old one is served on, also when the settings are loaded again and by
// a process that starts meanwhile, and renewal follows when pebble is back.
func TestDirectoryAway(t *testing.T) {
	t.Parallel()
	p := pebbles(t, pebbleSettings{lifetime: 12 * time.Second})
	k, log := keep(t)
	k.pace.round = 100 * time.Millisecond
	const name = "away.example.test"
	names := Names{Domains: []string{name}}
	set := p.settings(t, name)
	p.answer(k, names)
	commit(t, k, set)
	eventually(t, "a first certificate", func() bool { return p.served(name) != nil })
	p.stop()
	old := k.Status()[0]
	eventually(t, "the certificate is due", func() bool { return k.Status()[0].Error != "" })
	if left := time.Until(old.NotAfter); left > 7*time.Second {
		t.Errorf("it was due %v before its end", left)
	}
	for range 50 {
		if p.served(name) == nil {
			t.Fatal("the old certificate is served no more")
		}
	}
	commit(t, k, set)
	other, _ := keep(t)
	commit(t, other, set)
	for _, one := range []*Keeper{k, other} {
		if s := one.Status()[0]; s.Missing || !s.NotAfter.Equal(old.NotAfter) {
			t.Errorf("status while pebble is away: %+v", s)
		}
	}
	other.Close()
	p.start()
	eventually(t, "renewal", func() bool { s := k.Status()[0]; return s.NotAfter.After(old.NotAfter) && s.Error == "" })
	if leaf := p.served(name); leaf == nil || !leaf.NotAfter.After(old.NotAfter) {
		t.Errorf("served %v", leaf)
	}
	if log.lines("no certificate can be obtained or renewed now") != 1 || log.lines("answers again") != 1 {
		t.Errorf("the log:\n%s", log)
	}
}

// TestADirectoryForgetsWhatIsReplaced: one that fails of orders that name a certificate is asked again without.
func TestADirectoryForgetsWhatIsReplaced(t *testing.T) {
	t.Parallel()
	p := pebbles(t, pebbleSettings{lifetime: 12 * time.Second, hints: true, forgets: true})
	k, log := keep(t)
	const name = "forgotten.example.test"
	set := p.settings(t, name)
	p.answer(k, Names{Domains: set.Domains})
	commit(t, k, set)
	eventually(t, "a first certificate", func() bool { return p.served(name) != nil })
	first := p.served(name)
	eventually(t, "it is renewed", func() bool {
		now := p.served(name)
		return now != nil && !now.Equal(first)
	})
	if n := log.lines("level=ERROR"); n != 0 || p.orders.Load() < 3 {
		t.Errorf("%d orders; the log:\n%s", p.orders.Load(), log)
	}
}

// TestDirectoryStartsAnew replaces pebble by one that knows no accounts and signs with another key.
func TestDirectoryStartsAnew(t *testing.T) {
	t.Parallel()
	p := pebbles(t, pebbleSettings{})
	k, log := keep(t)
	names := Names{Domains: []string{"one.example.test", "two.example.test"}}
	set := p.settings(t, "one.example.test")
	p.answer(k, names)
	commit(t, k, set)
	eventually(t, "a first certificate", func() bool { return p.served("one.example.test") != nil })
	p.stop()
	p.fresh(pebbleSettings{})
	p.start()
	set.Domains = names.Domains
	commit(t, k, set)
	eventually(t, "a certificate of the new one", func() bool { return p.served("two.example.test") != nil })
	if n := log.lines("level=ERROR"); n != 0 {
		t.Errorf("errors were logged:\n%s", log)
	}
}

// TestAnotherDirectory loads settings that name another directory: what the old one issued is served until the new one has issued.
func TestAnotherDirectory(t *testing.T) {
	t.Parallel()
	first, second := pebbles(t, pebbleSettings{}), pebbles(t, pebbleSettings{})
	second.web, second.tls = first.web, first.tls
	second.stop()
	second.fresh(pebbleSettings{})
	k, _ := keep(t)
	const name = "moves.example.test"
	set := first.settings(t, name)
	first.answer(k, Names{Domains: []string{name}})
	commit(t, k, set)
	eventually(t, "a certificate of the first", func() bool { return first.served(name) != nil })
	set.ACME.Directory, set.ACME.CAFile = second.settings(t).ACME.Directory, second.caFile
	commit(t, k, set)
	eventually(t, "the second is missed", func() bool { return k.Status()[0].Error != "" })
	if first.served(name) == nil {
		t.Error("the first directory's certificate is gone")
	}
	second.start()
	eventually(t, "a certificate of the second", func() bool { return second.served(name) != nil })
}

// TestLostInBetween cuts pebble off in the middle of an order.
func TestLostInBetween(t *testing.T) {
	t.Parallel()
	p := pebbles(t, pebbleSettings{})
	k, log := keep(t)
	const name = "lost.example.test"
	lost, done := make(chan struct{}), p.done
	p.onOrder = func() {
		if p.orders.Load() == 1 {
			go func() { p.stop(); close(lost) }()
			<-done
		}
	}
	p.answer(k, Names{Domains: []string{name}})
	commit(t, k, p.settings(t, name))
	<-lost
	eventually(t, "the loss is told", func() bool { return k.Status()[0].Error != "" })
	p.start()
	eventually(t, "a certificate after all", func() bool { return p.served(name) != nil })
	if s := k.Status()[0]; s.Error != "" || s.Missing {
		t.Errorf("%+v\n%s", s, log)
	}
}

// TestUnproved has a challenge that nobody answers: the line says which ports, pebble is not asked again, files are served.
func TestUnproved(t *testing.T) {
	t.Parallel()
	p := pebbles(t, pebbleSettings{})
	k, log := keep(t)
	const name = "nobody.example.test"
	set := p.settings(t, name)
	file := today(t, "there.example.test").file(t, t.TempDir(), "there")
	set.Files = []File{file}
	commit(t, k, set)
	address := listen(t, k.Config(ClientAuth{}, 0, Names{Files: set.Files, Domains: set.Domains}))
	eventually(t, "the failure is told", func() bool { return k.Status()[1].Error != "" })
	s := k.Status()[1]
	for _, want := range []string{name, "port 80 (http-01) or port 443 (tls-alpn-01)", "DNS must lead " + name + " here"} {
		if !bytes.Contains([]byte(s.Error), []byte(want)) || log.lines(want) == 0 {
			t.Errorf("%q is not said in %q", want, s.Error)
		}
	}
	if !s.Missing || time.Until(s.Next) < 10*time.Minute {
		t.Errorf("status %+v", s)
	}
	if n := p.orders.Load(); n > 2 {
		t.Errorf("%d orders", n)
	}
	if n := log.lines("level=ERROR"); n != 1 {
		t.Errorf("%d lines of errors:\n%s", n, log)
	}
	if shows(address, "there.example.test") == nil {
		t.Error("the certificate of a file is not served")
	}
	if _, err := meet(address, tlsName(name)); err == nil || !bytes.Contains([]byte(err.Error()), []byte("unrecognized name")) {
		t.Errorf("a handshake by the missing name: %v", err)
	}
}
