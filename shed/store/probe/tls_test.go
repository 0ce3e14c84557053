package probe

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"gatehouse/shed"
)

const day = 24 * time.Hour

func TestATLSStore(t *testing.T) {
	a := newAuthority(t)
	then := time.Now().Add(day / 2)
	s, addr := a.serveTLS(a.issue("store", then))
	for _, set := range []TLS{{CAFile: a.file}, {CAFile: a.file, ServerName: "store.test"}} {
		p := probing(t, Settings{Address: addr, TLS: &set})
		for range 3 {
			if e := p.writable(); e.Expires.Unix() != then.Unix() {
				t.Errorf("ends %v, want %v", e.Expires, then)
			}
		}
		s.do("config", "set", "min-replicas-to-write", "1")
		if e := p.want(shed.ReadOnly, shed.CauseNoReplicas, true, true); e.Expires.Unix() != then.Unix() {
			t.Errorf("ends %v, want %v", e.Expires, then)
		}
		s.do("config", "set", "min-replicas-to-write", "0")
	}
	if e := s.probing().writable(); !e.Expires.IsZero() {
		t.Errorf("a certificate without TLS, until %v", e.Expires)
	}
}

func TestCertificatesThatAreNotBelieved(t *testing.T) {
	a, other := newAuthority(t), newAuthority(t)
	then := time.Now().Add(day / 2)
	_, addr := a.serveTLS(a.issue("store", then))
	for name, set := range map[string]TLS{
		"of an authority nobody believes": {},
		"of another authority":            {CAFile: other.file},
		"of another name":                 {CAFile: a.file, ServerName: "another.test"},
	} {
		t.Run(name, func(t *testing.T) {
			p := probing(t, Settings{Address: addr, TLS: &set})
			for range 3 {
				e := p.want(shed.Down, shed.CauseTLS, true, true)
				var refused *tls.CertificateVerificationError
				if !errors.As(e.Err, &refused) || e.Expires.Unix() != then.Unix() {
					t.Errorf("%v, ends %v", e.Err, e.Expires)
				}
			}
		})
	}
}

// What cannot be read is our own fault, whatever the store is like.
func TestTLSFilesThatCannotBeUsed(t *testing.T) {
	a := newAuthority(t)
	own := a.issue("own", time.Now().Add(day))
	_, addr := a.serveTLS(a.issue("store", time.Now().Add(day)))
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, set := range map[string]TLS{
		"no CA file":     {CAFile: empty + ".not"},
		"an empty one":   {CAFile: empty},
		"no certificate": {CAFile: a.file, CertFile: empty + ".not", KeyFile: own.key},
		"no key":         {CAFile: a.file, CertFile: own.cert},
		"another's key":  {CAFile: a.file, CertFile: own.cert, KeyFile: a.issue("other", time.Now().Add(day)).key},
	} {
		t.Run(name, func(t *testing.T) {
			p := probing(t, Settings{Address: addr, TLS: &set})
			if e := p.want(shed.Unknown, shed.CauseTLS, false, false); !errors.Is(e.Err, errSettings) {
				t.Errorf("%v", e.Err)
			}
		})
	}
}

func TestTLSWithoutAName(t *testing.T) {
	a := newAuthority(t)
	path := filepath.Join(t.TempDir(), "store.sock")
	p := probing(t, Settings{Address: path, TLS: &TLS{CAFile: a.file}})
	if e := p.want(shed.Unknown, shed.CauseTLS, false, false); !errors.Is(e.Err, errSettings) {
		t.Errorf("%v", e.Err)
	}
}

// Files that vanish, or are half written, leave the link as it is, and that is told.
func TestTLSFilesVanishBehindALivingLink(t *testing.T) {
	a := newAuthority(t)
	s, addr := a.serveTLS(a.issue("store", time.Now().Add(day)))
	p := probing(t, Settings{Address: addr, TLS: &TLS{CAFile: a.file}})
	p.writable()
	if err := os.Rename(a.file, a.file+".old"); err != nil {
		t.Fatal(err)
	}
	p.grow()
	s.eventually("the renewal that failed", func() bool {
		e := p.probe(64)
		if e.State != shed.Writable || e.Err != nil && !errors.Is(e.Err, errSettings) {
			t.Fatalf("%+v", e)
		}
		return e.Err != nil
	})
	if err := os.Rename(a.file+".old", a.file); err != nil {
		t.Fatal(err)
	}
	well := func() bool { p.writable(); p.mu.Lock(); defer p.mu.Unlock(); return p.failed == nil }
	s.eventually("a new link", well)
}

// A server without a slot cuts a connection before the handshake. Where TLS was spoken before, that is not TLS's fault.
func TestATLSStoreHasNoSlot(t *testing.T) {
	a := newAuthority(t)
	s, addr := a.serveTLS(a.issue("store", time.Now().Add(day)))
	p := probing(t, Settings{Address: addr, TLS: &TLS{CAFile: a.file}})
	p.writable()
	s.do("config", "set", "maxclients", "1")
	s.do("client", "kill", "type", "normal", "skipme", "yes")
	for range 5 {
		p.want(shed.Down, shed.CauseRefused, false, false)
	}
	fresh := probing(t, Settings{Address: addr, TLS: &TLS{CAFile: a.file}})
	fresh.want(shed.Down, shed.CauseTLS, false, false)
	s.do("config", "set", "maxclients", "100")
	p.writable()
	fresh.writable()
}

// A store that asks for our certificate: refusing it, it refuses us, and says nothing of itself. Up to TLS 1.2 that ends the
// handshake, from 1.3 on it comes after it.
func TestOurOwnCertificate(t *testing.T) {
	a, other := newAuthority(t), newAuthority(t)
	good, bad := a.issue("good", time.Now().Add(day)), other.issue("bad", time.Now().Add(day))
	for _, version := range []string{"TLSv1.2", "TLSv1.3"} {
		_, addr := a.serveTLS(a.issue("store", time.Now().Add(day)), "--tls-auth-clients", "yes", "--tls-protocols", version)
		p := probing(t, Settings{Address: addr, TLS: &TLS{CAFile: a.file, CertFile: good.cert, KeyFile: good.key}})
		p.writable()
		for name, set := range map[string]TLS{"none": {}, "another authority's": {CertFile: bad.cert, KeyFile: bad.key}} {
			t.Run(version+", "+name, func(t *testing.T) {
				set.CAFile = a.file
				p := probing(t, Settings{Address: addr, TLS: &set})
				for range 10 {
					p.want(shed.Unknown, shed.CauseTLS, true, true)
				}
			})
		}
	}
}

// An expired certificate stops new connections only: the old one is kept, it is told that no new one is to be had, and the
// end was seen before it came.
func TestACertificateEndsWhileTheLinkHolds(t *testing.T) {
	a := newAuthority(t)
	then := time.Now().Add(2 * time.Second)
	s, addr := a.serveTLS(a.issue("store", then))
	p := probing(t, Settings{Address: addr, TLS: &TLS{CAFile: a.file}})
	if e := p.writable(); e.Expires.Unix() != then.Unix() {
		t.Errorf("ends %v, want %v", e.Expires, then)
	}
	s.eventually("the end", func() bool { return time.Now().Unix() > then.Unix() })
	fresh := probing(t, Settings{Address: addr, TLS: &TLS{CAFile: a.file}})
	fresh.want(shed.Down, shed.CauseTLS, true, true)

	p.grow()
	var told int
	s.eventually("the renewal that failed", func() bool {
		e := p.probe(64)
		if e.State != shed.Writable || e.Cause != shed.OK || e.Lost {
			t.Fatalf("%+v", e)
		}
		if e.Err != nil {
			var ended x509.CertificateInvalidError
			if !errors.Is(e.Err, errRenewal) || !errors.As(e.Err, &ended) || ended.Reason != x509.Expired {
				t.Fatal(e.Err)
			}
			told++
		}
		return told > 0
	})
	for range 20 {
		if e := p.probe(64); e.State != shed.Writable || e.Err != nil {
			t.Fatalf("told again, or worse: %+v", e)
		}
	}

	renewed := a.issue("store", time.Now().Add(day)) // in place
	s.do("config", "set", "tls-cert-file", renewed.cert, "tls-key-file", renewed.key)
	s.eventually("the new certificate", func() bool { return p.probe(64).Expires.After(then) })
	fresh.writable()
}

// grow makes the idle link as old as a link gets.
func (p *prober) grow() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.idle == nil {
		p.t.Fatal("there is no idle link")
	}
	p.idle.life, p.renewed = 0, time.Time{}
}

// silent accepts connections and never says a word.
func silent(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
		}
	})
	t.Cleanup(func() { _ = l.Close(); all.Wait() })
	return l.Addr().String()
}

func TestTLSWhereNoneIsSpoken(t *testing.T) {
	a := newAuthority(t)
	p := probing(t, Settings{Address: silent(t), TLS: &TLS{CAFile: a.file}})
	p.timeout = 150 * time.Millisecond
	for range 3 {
		p.want(shed.Down, shed.CauseTLS, false, false)
	}
	// A real server reads the handshake as commands: it waits for the rest, or says that it knows none such.
	s := serve(t)
	p = probing(t, Settings{Address: s.addr(), TLS: &TLS{CAFile: a.file}})
	p.timeout = 150 * time.Millisecond
	for range 5 {
		if e := p.probe(64); e.State != shed.Down || e.Cause != shed.CauseTLS || e.Definite != e.Reached {
			t.Errorf("%+v", e)
		}
	}
	if e := undialled(errors.Join(errHandshake, tls.RecordHeaderError{Msg: "no TLS"}), false); !e.Definite || e.Cause != shed.CauseTLS {
		t.Errorf("%+v", e)
	}
}

func TestPlainWhereTLSIsSpoken(t *testing.T) {
	a := newAuthority(t)
	_, addr := a.serveTLS(a.issue("store", time.Now().Add(day)))
	plain := probing(t, Settings{Address: addr})
	for range 5 { // whether Redis says goodbye is a matter of timing
		if e := plain.probe(64); e.State != shed.Down || e.Cause != shed.CauseRefused && e.Cause != shed.CauseTLS {
			t.Errorf("%+v", e)
		}
	}
	// A server that says it in TLS's own words: an alert, fatal, of the protocol's version.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 1024))
			_, _ = conn.Write([]byte{21, 3, 1, 0, 2, 2, 70})
			_ = conn.Close()
		}
	})
	defer all.Wait()
	defer l.Close()
	plain = probing(t, Settings{Address: l.Addr().String()})
	for range 5 {
		if e := plain.probe(64); e.State != shed.Down || e.Cause != shed.CauseTLS || !e.Reached {
			t.Errorf("%+v", e)
		}
	}
}

// A hung server does not answer a handshake either; that is no trouble with TLS where one was made before.
func TestATLSStoreHangs(t *testing.T) {
	a := newAuthority(t)
	s, addr := a.serveTLS(a.issue("store", time.Now().Add(day)))
	p := probing(t, Settings{Address: addr, TLS: &TLS{CAFile: a.file}})
	p.writable()
	p.timeout = 100 * time.Millisecond
	s.signal(syscall.SIGSTOP)
	for range 5 {
		if e := p.want(shed.Down, shed.CauseHung, false, false); e.Err == nil {
			t.Errorf("%+v", e)
		}
	}
	s.signal(syscall.SIGCONT)
	s.eventually("writable again", func() bool { return p.probe(64).State == shed.Writable })
}
