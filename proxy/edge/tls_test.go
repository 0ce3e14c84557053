package edge

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/proxy/h1"
)

func TestHTTP1OverTLS(t *testing.T) {
	facts := make(chan *TLSFacts, 10)
	s := startTLS(t, Settings{}, func(v Visitor) {
		if !v.Secure() || v.TLS() == nil {
			t.Error("the connection is taken for plain")
		}
		facts <- v.TLS()
		body, err := io.ReadAll(v.Body())
		if err != nil {
			t.Error(err)
		}
		reply(v, v.Target()+string(body))
	})
	big := strings.Repeat("x", 100_000)
	raw, over := dial(t, s).secure(clientTLS("http/1.1"))
	for range 2 {
		raw.send("POST /a HTTP/1.1\nHost: a\nContent-Length: 100000\n\n" + big + "GET /b HTTP/1.1\nHost: a\n\n")
		for _, want := range []string{"/a" + big, "/b"} {
			if _, body := raw.answer("GET"); body != want {
				t.Errorf("%d bytes, want %d", len(body), len(want))
			}
		}
	}
	state := over.ConnectionState()
	want := TLSFacts{Version: state.Version, Cipher: state.CipherSuite, Protocol: "http/1.1", ServerName: "localhost"}
	if got := *wait(t, facts); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if err := drain(t, s, patience); err != nil {
		t.Error(err)
	}
	raw.ended()
}

func TestClientCertificatesAndResumption(t *testing.T) {
	facts := make(chan *TLSFacts, 1)
	config := serverTLS()
	config.ClientAuth, config.ClientCAs = tls.RequireAndVerifyClientCert, issue().pool
	s := startTLS(t, Settings{Live: Live{TLS: config}}, func(v Visitor) {
		facts <- v.TLS()
		reply(v, "ok")
	})
	with := clientTLS()
	with.Certificates, with.ClientSessionCache = []tls.Certificate{issue().client}, tls.NewLRUClientSessionCache(1)
	for i := range 3 {
		if i == 2 { // settings that change nothing of TLS keep the tickets
			s.Set(Live{TLS: config, Health: "/ready"})
		}
		c, _ := dial(t, s).secure(with)
		c.send("GET / HTTP/1.1\nHost: a\nConnection: close\n\n")
		c.answer("GET")
		if got := wait(t, facts); got.Client != "CN=visitor" || got.Resumed != (i > 0) || got.Protocol != "" {
			t.Errorf("%d: %+v", i, got)
		}
	}
	over := tls.Client(dial(t, s).Conn, clientTLS())
	io.WriteString(over, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	if _, err := over.Read(make([]byte, 1)); err == nil {
		t.Error("somebody without a certificate was served")
	}
	eventually(t, "it is counted", func() bool { return s.FailedHandshakes() == 1 })
}

func TestPlainHTTPOnATLSPortIsToldSo(t *testing.T) {
	var told refusals
	var log logged
	s := startTLS(t, Settings{Refused: told.add, Log: log.logger()}, func(Visitor) { t.Error("it came through") })
	for _, request := range []string{"GET / HTTP/1.1\nHost: a\n\n", "POST / HTTP/1.1\nHost: a\nContent-Length: 30000\n\n" + strings.Repeat("x", 30000)} {
		c := dial(t, s)
		c.send(request)
		if res, body := c.answer("GET"); res.StatusCode != 400 || !strings.Contains(body, "https") || !res.Close {
			t.Errorf("%d %q", res.StatusCode, body)
		}
		c.ended()
		if all := told.take(); len(all) != 1 || all[0].Reason != "plain_http" || all[0].Status != 400 || !all[0].Peer.IsValid() {
			t.Errorf("told %+v", all)
		}
	}
	c := dial(t, s)
	c.send("\x00\x01\x02\x03 nothing that anybody knows")
	c.Conn.(*net.TCPConn).CloseWrite()
	if got, _ := io.ReadAll(c.br); bytes.Contains(got, []byte("HTTP")) {
		t.Errorf("%q", got)
	}
	if n := s.FailedHandshakes(); n != 3 || log.String() != "" {
		t.Errorf("%d failed; logged %q", n, log.String())
	}
}

func TestAHandshakeIsBounded(t *testing.T) {
	hello := recordHello(t)
	for name, part := range map[string][]byte{"nothing": nil, "half a hello": hello[:len(hello)/2], "a hello and no more": hello} {
		s := startTLS(t, Settings{Limits: Limits{HeadTimeout: 100 * time.Millisecond}}, func(Visitor) { t.Error("it came through") })
		c := dial(t, s)
		c.Write(part)
		_, err := io.Copy(io.Discard, c.br)
		if ne, ok := err.(net.Error); ok && ne.Timeout() {
			t.Errorf("%s: the connection stays open", name)
		}
		c = dial(t, startTLS(t, Settings{}, func(Visitor) {}))
		c.Write(part)
	}
}

// recordHello returns what a client begins with.
func recordHello(t *testing.T) []byte {
	t.Helper()
	here, there := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = tls.Client(here, clientTLS()).Handshake()
	}()
	buf := make([]byte, 4096)
	n, err := there.Read(buf)
	there.Close()
	<-done
	if err != nil {
		t.Fatal(err)
	}
	return buf[:n]
}

// A drain waits neither for handshakes, nor for somebody who does not let himself be told goodbye.
func TestDrainDuringAHandshake(t *testing.T) {
	s := startTLS(t, Settings{}, func(v Visitor) { reply(v, "ok") })
	hello := recordHello(t)
	var open []*client
	for _, part := range [][]byte{nil, hello[:10], hello} {
		c := dial(t, s)
		c.Write(part)
		open = append(open, c)
	}
	idle := dialTLS(t, s)
	idle.send("GET / HTTP/1.1\nHost: a\n\n")
	idle.answer("GET")
	eventually(t, "they are accepted", func() bool { return s.Conns() == len(open)+1 })
	began := time.Now()
	if err := drain(t, s, patience); err != nil {
		t.Errorf("Drain: %v", err)
	}
	if took := time.Since(began); took > patience/2 {
		t.Errorf("Drain took %v", took)
	}
	idle.ended()
}

// A handshake that waits for its certificate ends with the Server.
func TestACutEndsAHandshake(t *testing.T) {
	held := make(chan struct{})
	config := &tls.Config{GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		close(held)
		<-hello.Context().Done()
		return nil, hello.Context().Err()
	}}
	s := startTLS(t, Settings{Live: Live{TLS: config}, Limits: Limits{HeadTimeout: time.Hour}}, func(Visitor) {})
	c := dial(t, s)
	c.Write(recordHello(t))
	wait(t, held)
	if err := drain(t, s, 50*time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Drain: %v", err)
	}
}

func TestAChallengeByTLSEndsWithItsHandshake(t *testing.T) {
	config := serverTLS()
	config.NextProtos = []string{"acme-tls/1"}
	s := startTLS(t, Settings{Live: Live{TLS: config, HTTP2: true}}, func(Visitor) { t.Error("it came through") })
	c, over := dial(t, s).secure(clientTLS("acme-tls/1"))
	if got := over.ConnectionState().NegotiatedProtocol; got != "acme-tls/1" {
		t.Errorf("%q was agreed on", got)
	}
	c.ended()
	if len(config.NextProtos) != 1 {
		t.Errorf("the Config was changed: %q", config.NextProtos)
	}
	other := tls.Client(dial(t, startTLS(t, Settings{}, func(Visitor) {})).Conn, clientTLS("acme-tls/1"))
	if err := other.Handshake(); err == nil {
		t.Error("acme-tls/1 was agreed on where nobody asked for it")
	}
}

func TestAnAbortOverTLSIsAReset(t *testing.T) {
	s := startTLS(t, Settings{}, func(v Visitor) {
		v.Answer(200, nil, -1, false)
		v.Write([]byte("half"))
		v.Flush()
		v.Abort()
	})
	c := dialTLS(t, s)
	c.send("GET / HTTP/1.0\n\n")
	if got, err := io.ReadAll(c.br); err == nil {
		t.Errorf("%q looks whole", got)
	}
}

func TestUpgradeOverTLSIsTransparent(t *testing.T) {
	sent := make([]byte, 1<<20)
	rand.Read(sent)
	for _, early := range []int{0, 5000} {
		s := startTLS(t, Settings{}, echo(t))
		c, over := dial(t, s).secure(clientTLS())
		wrote := make(chan error, 1)
		go func() {
			c.Write(append([]byte(strings.ReplaceAll(wish, "\n", "\r\n")), sent[:early]...))
			_, err := c.Write(sent[early:])
			over.CloseWrite()
			wrote <- err
		}()
		if _, head := c.head(); !slices.Equal(head, switched) {
			t.Errorf("head %q", head)
		}
		got, err := io.ReadAll(c.br)
		if err != nil || !bytes.Equal(got, append(slices.Clone(sent), "last"...)) {
			t.Errorf("%d of %d bytes came back, %v", len(got), len(sent)+4, err)
		}
		if err := wait(t, wrote); err != nil {
			t.Error(err)
		}
	}
}

func TestReadersOverTLS(t *testing.T) {
	failed := make(chan error, 2)
	const size = 12 << 20
	s := startTLS(t, Settings{Limits: Limits{WriteTimeout: time.Second}}, func(v Visitor) {
		v.Answer(200, nil, size, false)
		v.Flush() // so that the rest is sent as it is
		_, err := v.Write(make([]byte, size))
		failed <- err
	})
	steady := dial(t, s)
	_ = steady.Conn.(*net.TCPConn).SetReadBuffer(64 << 10)
	steady, _ = steady.secure(clientTLS())
	steady.send("GET / HTTP/1.1\nHost: a\n\n")
	buf := make([]byte, 32<<10)
	for began := time.Now(); time.Since(began) < 3*time.Second; time.Sleep(50 * time.Millisecond) {
		if _, err := steady.Read(buf); err != nil {
			t.Fatalf("a steady reader was cut after %v: %v", time.Since(began), err)
		}
		select {
		case err := <-failed:
			t.Fatalf("a steady reader was given up after %v: %v", time.Since(began), err)
		default:
		}
	}
	steady.Close()
	if err := wait(t, failed); err == nil {
		t.Error("somebody who had left took everything")
	}
	never := dialTLS(t, s)
	never.send("GET / HTTP/1.1\nHost: a\n\n")
	if err := wait(t, failed); err == nil {
		t.Error("a visitor who does not read is waited for")
	}
}

func TestAnswersOverTLSArriveWhole(t *testing.T) {
	var want strings.Builder
	s := startTLS(t, Settings{}, func(v Visitor) {
		v.Answer(200, h1.Head{{Name: "Long", Value: strings.Repeat("x", 3000)}}, -1, true)
		for _, n := range []int{1, 4000, 100, 40_000, 16 << 10, 3} {
			v.Write(bytes.Repeat([]byte{byte('a' + n%26)}, n))
		}
		v.SendTrailer(h1.Head{{Name: "X-Sum", Value: "1"}})
	})
	for _, n := range []int{1, 4000, 100, 40_000, 16 << 10, 3} {
		want.WriteString(strings.Repeat(string(rune('a'+n%26)), n))
	}
	c := dialTLS(t, s)
	for range 2 {
		c.send("GET / HTTP/1.1\nHost: a\n\n")
		if res, body := c.answer("GET"); body != want.String() || res.Trailer.Get("X-Sum") != "1" {
			t.Errorf("%d bytes, want %d; trailer %v", len(body), want.Len(), res.Trailer)
		}
	}
}

func TestAnIdleTLSConnectionCostsLittle(t *testing.T) {
	const conns, bound = 300, 46 << 10 // the client's side, and what TLS itself keeps, included
	s := startTLS(t, Settings{}, func(v Visitor) { reply(v, "ok") })
	dialTLS(t, s).send("GET / HTTP/1.1\nHost: a\n\n")
	runtime.GC()
	before := memory()
	var open []*client
	for range conns {
		c := dialTLS(t, s)
		c.send(fmt.Sprintf("GET / HTTP/1.1\nHost: a\nCookie: %s\n\n", strings.Repeat("x", 500)))
		c.answer("GET")
		open = append(open, c)
	}
	var each int
	for range 4 {
		each = (memory() - before) / conns
	}
	t.Logf("%d bytes for each of %d idle connections", each, len(open))
	if each > bound {
		t.Errorf("%d bytes for each idle connection, want at most %d", each, bound)
	}
	runtime.KeepAlive(open)
}
