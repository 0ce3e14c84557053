package main

import (
	"strings"
	"testing"
	"time"

	"gatehouse/config"
	"gatehouse/proxy/admin"
)

func TestStatusSaysHowPartsStand(t *testing.T) {
	now := time.Now()
	var b strings.Builder
	printStore(&b, admin.Store{
		Name: "us", PartOf: "store", State: "writable", Cause: "ok", Observed: "writable", BeatError: "i/o timeout",
		Lags:     []admin.Lag{{Of: "eu"}, {Of: "asia", Seen: now, Milliseconds: 20}},
		Reports:  []admin.Report{{Backend: "http://10.0.0.11:8080", Until: now}},
		Diverged: &admin.Diverged{At: "us", Of: "eu", LagSeconds: 7.04, Since: now},
	}, now)
	for _, want := range []string{
		"  us\twritable (ok)", "backend http://10.0.0.11:8080 says that it cannot be written", "us is 7s behind eu",
		"nothing that was written at eu has ever been seen here", "its heartbeat fails: i/o timeout",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in:\n%s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "asia") {
		t.Errorf("what is well is told:\n%s", b.String())
	}
}

func TestStatusSaysWhichCertificateNeedsSomebody(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		cert admin.Cert
		want string
	}{
		{admin.Cert{Names: []string{"a"}, NotAfter: now.Add(time.Hour)}, ""},
		{admin.Cert{Names: []string{"a", "b"}, Missing: true, Error: "no way"}, "certificate\ta, b: there is none yet\n\t"},
		{admin.Cert{Names: []string{"a"}, NotAfter: now.Add(-time.Hour)}, "certificate\ta: ended at "},
		{admin.Cert{Names: []string{"a"}, NotAfter: now.Add(49 * time.Hour), Error: "no way"}, "certificate\ta: ends in 2 days\n\t"},
	} {
		var b strings.Builder
		printCert(&b, c.cert, now)
		if got := b.String(); !strings.HasPrefix(got, c.want) || (got == "") != (c.want == "") || c.cert.Error != "" && !strings.Contains(got, "no way") {
			t.Errorf("%+v: %q, want %q", c.cert, got, c.want)
		}
	}
}

func TestExplainSaysWhichStoreIsMeant(t *testing.T) {
	cfg := &config.Config{
		Pools:   []config.Pool{{Name: "login-eu", Store: "eu"}, {Name: "login-us", Store: "us"}, {Name: "app"}},
		Session: config.Session{Store: &config.Store{Members: []config.Member{{Name: "eu"}, {Name: "us"}}}},
	}
	for _, c := range []struct {
		route config.Route
		want  string
	}{
		{config.Route{Pool: "login-eu", Overflow: "login-us"}, "\nThe store is member eu. Where that cannot give what the request needs and member us can, it goes to pool login-us.\n"},
		{config.Route{Pool: "login-eu"}, "\nThe store is member eu.\n"},
		{config.Route{Pool: "app"}, "\nThe store is all members together.\n"},
	} {
		var b strings.Builder
		explainStores(&b, cfg, c.route)
		if b.String() != c.want {
			t.Errorf("%+v: %q", c.route, b.String())
		}
	}
}
