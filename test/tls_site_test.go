package test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestHSTSAndRedirect: everybody is sent to https but the load balancer, and told to stay there where the file says so.
func TestHSTSAndRedirect(t *testing.T) {
	t.Parallel()
	backend, _ := saying(t, "well")
	ca := newAuthority(t, "ca")
	ca.certificate(t, "site", visited)
	open, secret := loopback(t), loopback(t)
	_, port, _ := net.SplitHostPort(secret)
	startGatehouse(t, secured(backend.URL,
		fmt.Sprintf("{address: %q, redirect: \"https:%s\"}", open, port),
		fmt.Sprintf("{address: %q, tls: {certificates: [{%s}], hsts: {max_age: 8760h, include_subdomains: true}}}", secret, ca.files("site"))))
	f := plainFront(t, open)
	for _, c := range []struct {
		method, path string
		status       int
	}{{"GET", "/a%2Fb?c=d", 301}, {"HEAD", "/", 301}, {"POST", "/login", 308}} {
		r := f.request(t, c.method, c.path, nil)
		r.Host = visited + ":80"
		res := f.do(t, r)
		if res == nil {
			continue
		}
		_ = res.Body.Close()
		if want := "https://" + visited + ":" + port + c.path; res.StatusCode != c.status || res.Header.Get("Location") != want {
			t.Errorf("%s %s: %d to %q; want %d to %q", c.method, c.path, res.StatusCode, res.Header.Get("Location"), c.status, want)
		}
		if h := res.Header.Get("Strict-Transport-Security"); h != "" {
			t.Errorf("plain HTTP says Strict-Transport-Security: %s", h) // RFC 6797 section 7.2
		}
	}
	if res, body := f.ask(t, "GET", "/.gatehouse/ready", nil); res.StatusCode != 200 {
		t.Errorf("the load balancer was sent away: %d %s", res.StatusCode, body)
	}
	for _, major := range []int{1, 2} {
		s := tlsFront(t, secret, major, ca.believed(visited))
		for _, path := range []string{"/", "/%00"} { // an answer of a backend's, and one of ours
			res, _ := s.ask(t, "GET", path, nil)
			if h := res.Header.Values("Strict-Transport-Security"); len(h) != 1 || h[0] != "max-age=31536000; includeSubDomains" {
				t.Errorf("%s %s: %d, Strict-Transport-Security %q", s.name, path, res.StatusCode, h)
			}
		}
	}
}

// TestCertificatesThatChange: a renewed file is served without a reload, and one that does not fit is not.
func TestCertificatesThatChange(t *testing.T) {
	t.Parallel()
	backend, goOn := saying(t, "well")
	defer goOn()
	ca := newAuthority(t, "ca")
	ca.certificate(t, "site", visited)
	address := loopback(t)
	file := secured(backend.URL, fmt.Sprintf("{address: %q, tls: {certificates: [{%s}]}}", address, ca.files("site")))
	g := startGatehouse(t, file)
	f := tlsFront(t, address, 2, ca.believed(visited))
	inFlight := f.do(t, f.request(t, http.MethodGet, "/slow", nil))
	if inFlight == nil {
		t.FailNow()
	}
	defer inFlight.Body.Close()
	serial := func() string {
		seen, err := handshake(address, ca.believed(visited))
		if err != nil {
			t.Errorf("not served: %v", err)
			return ""
		}
		return seen.PeerCertificates[0].SerialNumber.String()
	}
	before := serial()
	ca.certificate(t, "site", visited)
	eventually(t, 30*time.Second, "the renewed certificate is served", func() bool { return serial() != before })

	renewed := serial()
	other, _ := ca.sign(t, "other", &x509.Certificate{Subject: pkix.Name{CommonName: "other"}, NotAfter: time.Now().Add(time.Hour)})
	swap := strings.Replace(file, "site.key", "other.key", 1)
	g.write(swap)
	res, err := client.Post(g.admin+"/reload", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	body := readAll(t, res)
	_ = res.Body.Close()
	if res.StatusCode != 422 || !strings.Contains(body, "other.key") {
		t.Errorf("a key that does not fit: %d %s", res.StatusCode, body)
	}
	if now := serial(); now != renewed || now == other.SerialNumber.String() {
		t.Errorf("after a key that does not fit another certificate is served")
	}
	goOn()
	if body := readAll(t, inFlight); body != "well" {
		t.Errorf("what was in flight when the certificate changed ended with %q", body)
	}
	if _, err := handshake(address, ca.believed("nobody.example")); err == nil {
		t.Error("there is a certificate for a name that nobody has")
	}
}
