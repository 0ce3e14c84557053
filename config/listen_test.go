package config

import (
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// listening returns the Config of a file with these listeners, written beside the files that they name.
func listening(t *testing.T, listeners, more string) *Config {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"a.pem", "a.key", "b.pem"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o640); err != nil {
			t.Fatal(err)
		}
	}
	text := "listen: [" + listeners + "]\npools: {app: {backends: ['http://10.0.0.1:8080']}}\nroutes: [{name: app, pool: app}]\n" + more
	c, err := Parse(filepath.Join(dir, "test.yaml"), []byte(text))
	if err != nil {
		t.Fatalf("%v\nin\n%s", err, text)
	}
	if broken := broken(c); broken != "" {
		t.Errorf("%s in\n%s", broken, text)
	}
	for i := range c.Listen {
		if l := c.Listen[i].TLS; l != nil {
			for j := range l.Certificates {
				l.Certificates[j].CertFile = strings.TrimPrefix(l.Certificates[j].CertFile, dir+"/")
				l.Certificates[j].KeyFile = strings.TrimPrefix(l.Certificates[j].KeyFile, dir+"/")
			}
			if l.Clients != nil {
				l.Clients.CAFile = strings.TrimPrefix(l.Clients.CAFile, dir+"/")
			}
		}
	}
	if a := c.ACME; a != nil {
		a.Folder, a.CAFile = strings.TrimPrefix(a.Folder, dir+"/"), strings.TrimPrefix(a.CAFile, dir+"/")
	}
	return c
}

// TestListenValues reads what a listener may say beside its address.
func TestListenValues(t *testing.T) {
	const at = "address: ':443', "
	file := []Certificate{{"a.pem", "a.key"}}
	for text, want := range map[string]Listen{
		at + "http2: false":                              {HTTP2: "off"},
		at + "http2: cleartext":                          {HTTP2: "cleartext"},
		at + "redirect: https":                           {HTTP2: "off", Redirect: "https"},
		at + "redirect: 'https:443'":                     {HTTP2: "off", Redirect: "https"},
		at + "redirect: 'https:8443', http2: cleartext":  {HTTP2: "cleartext", Redirect: "https:8443"},
		at + "proxy_protocol: []":                        {HTTP2: "off"},
		at + "proxy_protocol: [10.0.0.0/8, '::1']":       {HTTP2: "off", ProxyProtocol: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")}},
		at + "tls: {domains: [Example.com, xn--a.b.c]}":  {HTTP2: "on", TLS: &ListenTLS{Domains: []string{"example.com", "xn--a.b.c"}, MinVersion: "1.2"}},
		at + "tls: {domains: [localhost]}, http2: false": {HTTP2: "off", TLS: &ListenTLS{Domains: []string{"localhost"}, MinVersion: "1.2"}},
		at + "http2: true, tls: {domains: [], certificates: [{cert_file: a.pem, key_file: ./a.key}], min_version: 1.3}": {HTTP2: "on",
			TLS: &ListenTLS{Certificates: file, MinVersion: "1.3"}},
		at + "tls: {certificates: [{cert_file: a.pem, key_file: a.key}, {cert_file: b.pem, key_file: b.pem}], domains: [a.b]}": {HTTP2: "on",
			TLS: &ListenTLS{Domains: []string{"a.b"}, Certificates: []Certificate{{"a.pem", "a.key"}, {"b.pem", "b.pem"}}, MinVersion: "1.2"}},
		at + "tls: {certificates: [{cert_file: a.pem, key_file: a.key}], clients: {ca_file: b.pem}}": {HTTP2: "on",
			TLS: &ListenTLS{Certificates: file, MinVersion: "1.2", Clients: &Clients{"b.pem", true}}},
		at + "tls: {certificates: [{cert_file: a.pem, key_file: a.key}], clients: {ca_file: b.pem, require: false}}": {HTTP2: "on",
			TLS: &ListenTLS{Certificates: file, MinVersion: "1.2", Clients: &Clients{"b.pem", false}}},
		at + "tls: {certificates: [{cert_file: a.pem, key_file: a.key}], hsts: {max_age: 0s}}": {HTTP2: "on",
			TLS: &ListenTLS{Certificates: file, MinVersion: "1.2", HSTS: &HSTS{}}},
		at + "tls: {certificates: [{cert_file: a.pem, key_file: a.key}], hsts: {max_age: 8760h, include_subdomains: true, preload: true}}": {HTTP2: "on",
			TLS: &ListenTLS{Certificates: file, MinVersion: "1.2", HSTS: &HSTS{8760 * time.Hour, true, true}}},
	} {
		more := ""
		if want.TLS != nil && want.TLS.Domains != nil {
			more = "acme: {}\n"
		}
		c := listening(t, "{"+text+"}, {address: ':8443', tls: {certificates: [{cert_file: a.pem, key_file: a.key}]}}", more)
		want.Address, want.Health = Address{"tcp", ":443"}, "/.gatehouse/ready"
		same(t, text, c.Listen[0], want)
		if w := c.Warnings; len(w) > 0 && (want.TLS.Clients == nil || !strings.Contains(w[0].Error(), "without a certificate")) {
			t.Errorf("%s: %v", text, w)
		}
	}
}

// TestACME reads who issues certificates, and holds the challenges that nobody names to what the listeners can answer.
func TestACME(t *testing.T) {
	const (
		directory = "https://acme-v02.api.letsencrypt.org/directory"
		prefix    = "gatehouse:acme:"
		secure    = "{address: ':443', tls: {domains: [a.b]}}"
		both      = "{address: ':80'}, " + secure
	)
	one, two := []string{"tls-alpn-01"}, []string{"http-01", "tls-alpn-01"}
	for _, c := range []struct {
		listeners, text string
		want            ACME
	}{
		{both, "{}", ACME{Directory: directory, Folder: "acme", KeyPrefix: prefix, Challenges: two}},
		{both, "{email: Ops+acme@Example.com, folder: /var/lib/acme}", ACME{Email: "Ops+acme@Example.com", Directory: directory, Folder: "/var/lib/acme", KeyPrefix: prefix, Challenges: two}},
		{both, "{directory: 'https://[::1]:14000/dir?a=1', ca_file: a.pem}", ACME{Directory: "https://[::1]:14000/dir?a=1", CAFile: "a.pem", Folder: "acme", KeyPrefix: prefix, Challenges: two}},
		{both, "{directory: https://CA.internal., folder: ./certs}", ACME{Directory: "https://CA.internal.", Folder: "certs", KeyPrefix: prefix, Challenges: two}},
		{both, "{redis: {address: '10.0.4.1:6379', db: 3}, key_prefix: 'a:'}", ACME{Directory: directory, Redis: &Redis{Address: Address{"tcp", "10.0.4.1:6379"}, DB: 3}, KeyPrefix: "a:", Challenges: two}},
		{secure, "{}", ACME{Directory: directory, Folder: "acme", KeyPrefix: prefix, Challenges: one}},
		{"{address: ':8080'}, " + secure, "{challenges: [tls-alpn-01]}", ACME{Directory: directory, Folder: "acme", KeyPrefix: prefix, Challenges: one}},
		{"{address: '127.0.0.1:80'}, {address: ':8443', tls: {domains: [a.b]}}", "{challenges: [http-01]}", ACME{Directory: directory, Folder: "acme", KeyPrefix: prefix, Challenges: two[:1]}},
		{"{address: unix:/run/plain.sock}, {address: ':8443', tls: {domains: [a.b]}}", "{}", ACME{Directory: directory, Folder: "acme", KeyPrefix: prefix, Challenges: two}},
		{"{address: unix:/run/tls.sock, tls: {domains: [a.b]}}", "{}", ACME{Directory: directory, Folder: "acme", KeyPrefix: prefix, Challenges: one}},
	} {
		got := listening(t, c.listeners, "acme: "+c.text+"\n")
		same(t, c.listeners+" acme: "+c.text, *got.ACME, c.want)
		if len(got.Warnings) > 0 {
			t.Errorf("%s: %v", c.text, got.Warnings)
		}
	}
	if c := listening(t, "{address: ':80'}", "acme: {}\n"); !reflect.DeepEqual(c.ACME.Challenges, two) || len(c.Warnings) != 1 {
		t.Errorf("%+v with %v; want the default of one that nobody asks, and a warning", c.ACME, c.Warnings)
	}
	if c := listening(t, "{address: ':80'}", ""); c.ACME != nil {
		t.Errorf("%+v; want none where the file speaks of none", c.ACME)
	}
}
