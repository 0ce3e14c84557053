package test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// withStore is the file of a site with a session store, whose backend is one.
func withStore(backend, store string) string {
	return simple(backend, everything) + fmt.Sprintf("session: {cookies: [sid], store: {redis: {address: %q}}}\n", store)
}

// A folder in which something is written all the time, such as the access log, is heard in all the same.
func TestReloadInABusyFolder(t *testing.T) {
	one, _ := saying(t, "one")
	two, _ := saying(t, "two")
	g := startGatehouse(t, simple(one.URL, everything))
	f, err := os.Create(filepath.Join(filepath.Dir(g.config), "access.log"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for tick := time.NewTicker(50 * time.Millisecond); ; {
			select {
			case <-stop:
				tick.Stop()
				return
			case <-tick.C:
				_, _ = f.WriteString("line\n")
			}
		}
	})
	defer wg.Wait()
	defer close(stop)
	g.write(simple(two.URL, everything))
	eventually(t, 4*time.Second, "the changed file is live", g.says("two"))
}

// A file that is edited while its last edit is still being taken live is loaded again.
func TestAnEditDuringAReloadIsNotLost(t *testing.T) {
	one, _ := saying(t, "one")
	two, _ := saying(t, "two")
	hung, err := net.Listen("tcp", "127.0.0.1:0") // a store that answers nothing: its first verdict is waited for
	if err != nil {
		t.Fatal(err)
	}
	defer hung.Close()
	g := startGatehouse(t, simple(one.URL, everything))
	g.write(withStore(one.URL, hung.Addr().String()))
	done := make(chan struct{})
	go func() {
		defer close(done)
		if res, err := client.Post(g.admin+"/reload", "", nil); err == nil {
			_ = res.Body.Close()
		}
	}()
	_ = hung.(*net.TCPListener).SetDeadline(time.Now().Add(patience))
	c, err := hung.Accept() // the store is asked, so the file has been read
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	g.write(withStore(two.URL, hung.Addr().String()))
	<-done
	eventually(t, 12*time.Second, "the second edit is live", g.says("two"))
}

// A store that a reload replaced is kept for who still uses it, and says nothing any more.
func TestAStoreThatWasReplacedIsSilent(t *testing.T) {
	one, goOn := saying(t, "one")
	before, after := startRedis(t), startRedis(t)
	g := startGatehouse(t, withStore(one.URL, before.address()))
	inFlight, err := client.Get(g.url + "/slow")
	if err != nil {
		t.Fatal(err)
	}
	defer inFlight.Body.Close()
	g.write(withStore(one.URL, after.address()))
	eventually(t, 10*time.Second, "the other store is asked", func() bool { return g.event("reloaded") != nil })
	before.kill()
	after.do("REPLICAOF", "127.0.0.1", "9")
	eventually(t, 5*time.Second, "the other store is seen", func() bool { return g.storeState(t) == "read-only" })
	g.checksOn(t)
	if strings.Contains(g.log(), `"to":"down"`) {
		t.Errorf("the store that was replaced still speaks:\n%s", g.log())
	}
	goOn()
	if body := readAll(t, inFlight); body != "one" {
		t.Errorf("the request in flight ended with %q", body)
	}
}

// What keeps a file from going live may lie outside it: once that is mended, nobody has to touch the file again.
func TestAReloadIsTriedAgainWhenItsReasonIsMended(t *testing.T) {
	one, _ := saying(t, "one")
	two, _ := saying(t, "two")
	g := startGatehouse(t, simple(one.URL, everything))
	page := filepath.Join(filepath.Dir(g.config), "page.html")
	g.write(simple(two.URL, everything) + "degrade: {page: ./page.html}\n")
	eventually(t, 10*time.Second, "the reload failed", func() bool {
		return strings.Contains(g.log(), "reload failed")
	})
	writeFile(t, page, "<!doctype html><html lang=en><title>{{.Title}}</title><main><h1>{{.Title}}</h1><p>{{.Lead}}</p><a href=\"{{.Restart}}\">{{.Label}}</a></main></html>")
	eventually(t, 15*time.Second, "the file is live", g.says("two"))
	if n := strings.Count(g.log(), "reload failed"); n > 2 {
		t.Errorf("the same failure was told %d times", n)
	}
}

// A listener that a reload dropped has no more time than the others when the program ends.
func TestDrainHoldsForDroppedListenersToo(t *testing.T) {
	one, _ := saying(t, "one")
	g := startGatehouse(t, simple(one.URL, everything), "--drain-timeout", "1s")
	inFlight, err := client.Get(g.url + "/slow")
	if err != nil {
		t.Fatal(err)
	}
	defer inFlight.Body.Close()
	g.write(strings.Replace(simple(one.URL, everything), `"127.0.0.1:0"`, `"127.0.0.1:`+freePort(t)+`"`, 1))
	eventually(t, 10*time.Second, "the listener is dropped", func() bool { return g.event("reloaded") != nil })
	began := time.Now()
	g.terminate()
	<-g.exited
	if took := time.Since(began); took > 8*time.Second {
		t.Errorf("it ended after %v; --drain-timeout is 1s", took)
	}
}
