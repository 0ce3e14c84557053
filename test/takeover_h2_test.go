package test

import (
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// On HTTP/2 a visitor is told which of his requests were not taken (RFC 9113 section 6.8), and asks those again by himself.
func TestATakeoverCutsNobodyOnHTTP2(t *testing.T) {
	ca := newAuthority(t, "ca")
	ca.certificate(t, "site", visited)
	d := found(t, fmt.Sprintf(`
listen: [{address: "ADDRESS", tls: {certificates: [{%s}]}}]
admin: {address: "ADMIN"}
pools: {app: {backends: [%q]}}
routes: [{name: all, pool: app}]
log: {access: "off"}
`, ca.files("site"), longSite(t).URL), "--takeover-grace", "5s")
	quit := make(chan struct{})
	var answered atomic.Int64
	var wg sync.WaitGroup
	for range 4 { // connections, each with several requests at a time
		roads := &http.Transport{TLSClientConfig: ca.believed(visited), ForceAttemptHTTP2: true}
		defer roads.CloseIdleConnections()
		for range 4 {
			wg.Go(func() {
				for {
					select {
					case <-quit:
						return
					case <-time.After(5 * time.Millisecond):
					}
					res, err := (&http.Client{Transport: roads, Timeout: patience}).Get("https://" + d.address + "/")
					if err != nil {
						t.Error(err)
						continue
					}
					b, err := io.ReadAll(res.Body)
					_ = res.Body.Close()
					if err != nil || string(b) != "here" || res.ProtoMajor != 2 {
						t.Errorf("%s %q, %v", res.Proto, b, err)
					}
					answered.Add(1)
				}
			})
		}
	}
	busy := func() {
		from := answered.Load()
		eventually(t, patience, "visitors are answered", func() bool { return answered.Load() >= from+200 })
	}
	for range 3 {
		busy()
		d.succeed()
	}
	last := at(d.event(tookOver))
	eventually(t, time.Minute, "the last one's grace is over", func() bool { busy(); return time.Since(last) > 7*time.Second })
	close(quit)
	wg.Wait()
}
