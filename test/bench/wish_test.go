//go:build linux

package main

import (
	"crypto/tls"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2/hpack"
)

// standIn is a plain Go server in a proxy's place: it passes on to the app, and calls to the gRPC server, over TLS.
func standIn(t *testing.T) (*process, *credentials) {
	t.Helper()
	p := self(t)
	behind, err := newCalls()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(behind.stop)
	secrets, err := newCredentials(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(secrets.cert, secrets.key)
	if err != nil {
		t.Fatal(err)
	}
	clear := &http.Transport{Protocols: new(http.Protocols), DisableCompression: true}
	clear.Protocols.SetUnencryptedHTTP2(true)
	plain := &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: connections}
	t.Cleanup(clear.CloseIdleConnections)
	t.Cleanup(plain.CloseIdleConnections)
	pass := func(to string, by *http.Transport) http.Handler {
		return &httputil.ReverseProxy{Transport: by, FlushInterval: -1, ErrorLog: log.New(io.Discard, "", 0), Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: to})
			r.Out.Host = r.In.Host
		}}
	}
	mux := http.NewServeMux()
	mux.Handle("/", pass(p.address, plain))
	mux.Handle("/bench.Echo/", pass(behind.address, clear))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: mux, TLSConfig: &tls.Config{Certificates: []tls.Certificate{pair}}, ErrorLog: log.New(io.Discard, "", 0)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = s.ServeTLS(l, "", "")
	}()
	t.Cleanup(func() {
		_ = s.Close()
		<-done
	})
	p.secret = l.Addr().String()
	return p, secrets
}

func TestStreams(t *testing.T) {
	p, secrets := standIn(t)
	for name, w := range map[string]wish{
		"TLS": secret{small(), secrets.speaking("http/1.1")}, "h2": newFrames(secrets.speaking("h2"), "/1k", 1000),
		"long": newFrames(secrets.speaking("h2"), "/100k", 100_000), "WebSocket": sockets{}, "gRPC": newCall(secrets.speaking("h2")),
	} {
		if r, err := closed(p, w, 100*time.Millisecond); err != nil || r.done == 0 || r.failed > 0 {
			t.Errorf("%s, closed: %+v, %v", name, r, err)
		}
		if r, err := open(p, w, 300*time.Millisecond, 50, 1); err != nil || r.failed > 0 || r.p50 <= 0 {
			t.Errorf("%s, open: %+v, %v", name, r, err)
		}
	}
}

// A wrong answer is none here either, nor one from whom something else was agreed on with.
func TestAWrongStreamIsNone(t *testing.T) {
	p, secrets := standIn(t)
	wrong := newCall(secrets.speaking("h2"))
	wrong.head = slices.Clone(wrong.head)
	wrong.head[3] = hpack.HeaderField{Name: ":path", Value: "/bench.Echo/Nothing"}
	for name, w := range map[string]wish{
		"length": newFrames(secrets.speaking("h2"), "/1k", 999), "status": newFrames(secrets.speaking("h2"), "/nowhere", 0),
		"grpc-status": wrong, "protocol": newFrames(secrets.speaking("http/1.1"), "/1k", 1000),
	} {
		v := w.begin(p, 0)
		if err := v.ask(); err == nil {
			t.Errorf("%s: taken for the wanted answer", name)
		}
		v.close()
	}
	v := newFrames(&tls.Config{NextProtos: []string{"h2"}, ServerName: host}, "/1k", 1000).begin(p, 0)
	if err := v.ask(); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a certificate of nobody's: %v", err)
	}
}
