package test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// What is known of visitors and of the store goes over: a place in the line is kept although the file names no keys, and sign-ins
// that come back by the ramp go on to.
func TestNobodyLosesHisPlaceByATakeover(t *testing.T) {
	store := startRedis(t)
	d := found(t, fmt.Sprintf(`
listen: [{address: "ADDRESS", health: /ready}]
admin: {address: "ADMIN"}
session:
  cookies: [sid]
  store: {redis: {address: %q}, recovery: {after: 100ms, ramp: {from: 1/m, to: 1/m, over: 1h}}}
pools: {app: {backends: [%q]}}
routes: [{name: sign-in, match: {path: /login}, pool: app, needs: write}, {name: all, pool: app}]
log: {access: "off"}
`, store.address(), longSite(t).URL), "--takeover-grace", "0s")
	status := func(part string) func() bool {
		return func() bool { return strings.Contains(get(t, "http://"+d.admin+"/status"), part) }
	}
	store.do("REPLICAOF", "127.0.0.1", "9")
	eventually(t, patience, "the store is closed", status(`"state": "read-only"`))
	v := arrive("http://"+d.address, roads(), 1)
	defer v.http.CloseIdleConnections()
	if r := v.get("/login"); r.outcome != "degraded" {
		t.Fatalf("while the store is closed: %v", r)
	}
	since := standsSince(v.jar[placeCookie])
	eventually(t, patience, "a place given anew says another time", func() bool { return time.Now().UnixMilli() > since.UnixMilli() })
	d.succeed()
	eventually(t, patience, "the store is closed in the new process", status(`"state": "read-only"`))
	v.get("/login")
	if got := standsSince(v.jar[placeCookie]); !got.Equal(since) {
		t.Errorf("the new process believes that he stands since %v; want %v", got, since)
	}
	store.do("REPLICAOF", "NO", "ONE")
	eventually(t, patience, "sign-ins come back by the ramp", status(`"recovering": true`))
	d.succeed()
	eventually(t, patience, "the new process knows the store", status(`"state": "writable"`))
	if !status(`"recovering": true`)() {
		t.Error("the new process lets everybody in at once")
	}
}

// A balancer that asks over a connection that it has goes on to hear that all is well: the address is served.
func TestHealthIsWellDuringATakeover(t *testing.T) {
	d := found(t, fmt.Sprintf(takenSite, longSite(t).URL), "--takeover-grace", "20s")
	r := roads()
	defer r.CloseIdleConnections()
	ask := func() (last bool) {
		t.Helper()
		req, err := http.NewRequest("GET", "http://"+d.address+"/ready", nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := r.RoundTrip(req)
		if err != nil || readAll(t, res) != "ready\n" {
			t.Fatalf("the health path: %v, %v", res, err)
		}
		return res.Close
	}
	if ask() {
		t.Fatal("a connection ends for no reason")
	}
	d.succeed()
	eventually(t, patience, "the old process ends the connection with an answer", ask)
	if ask() {
		t.Error("the new process ends a connection for no reason")
	}
	eventually(t, patience, "the old process ends with its last connection, long before its grace", func() bool {
		return strings.Contains(d.log(), `"msg":"stopped"`)
	})
}
