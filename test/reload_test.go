package test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// simple is the file of a site before one backend.
func simple(backend, routes string) string {
	return fmt.Sprintf(`
listen: [{address: "127.0.0.1:0"}]
admin: {address: "127.0.0.1:0"}
pools: {app: {backends: [%q]}}
routes: [%s]
`, backend, routes)
}

const everything = "{name: all, pool: app}"

// saying is a backend that says one word, and holds requests for /slow until it is told to go on.
func saying(t *testing.T, word string) (server *httptest.Server, goOn func()) {
	t.Helper()
	hold := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			w.WriteHeader(200)
			_ = http.NewResponseController(w).Flush()
			select {
			case <-hold:
			case <-r.Context().Done():
				return
			}
		}
		fmt.Fprint(w, word)
	}))
	once := sync.OnceFunc(func() { close(hold) })
	t.Cleanup(func() {
		once()
		s.Close()
	})
	return s, once
}

func (g *gatehouse) write(text string) { writeFile(g.t, g.config, text) }

func (g *gatehouse) says(word string) func() bool {
	return func() bool { return get(g.t, g.url+"/") == word }
}

func TestReloadThreeWaysAndRequestsInFlightEndAsTheyBegan(t *testing.T) {
	one, goOn := saying(t, "one")
	two, _ := saying(t, "two")
	g := startGatehouse(t, simple(one.URL, everything))
	if !g.says("one")() {
		t.Fatal("the first file does not serve")
	}
	inFlight, err := client.Get(g.url + "/slow")
	if err != nil {
		t.Fatal(err)
	}
	defer inFlight.Body.Close()

	g.write(simple(two.URL, everything)) // heard of by itself
	eventually(t, 10*time.Second, "the changed file is live", g.says("two"))

	g.write(simple(one.URL, everything))
	if err := g.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	eventually(t, 10*time.Second, "SIGHUP loads the file", g.says("one"))

	g.write(simple(two.URL, everything))
	res, err := client.Post(g.admin+"/reload", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if body := readAll(t, res); res.StatusCode != 200 || !strings.Contains(body, `"ok": true`) {
		t.Fatalf("POST /reload: %d %s", res.StatusCode, body)
	}
	if !g.says("two")() {
		t.Fatal("POST /reload answered before the file was live")
	}

	goOn()
	if body := readAll(t, inFlight); body != "one" {
		t.Fatalf("the request that was in flight ended with %q", body)
	}
}

func TestABadFileKeepsTheLastGoodOne(t *testing.T) {
	one, _ := saying(t, "one")
	g := startGatehouse(t, simple(one.URL, everything))
	g.write("pools: {}\nrutes: []\n")
	res, err := client.Post(g.admin+"/reload", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	body := readAll(t, res)
	if res.StatusCode != 422 || !strings.Contains(body, "rutes") || !strings.Contains(body, "gatehouse.yaml:2:1") {
		t.Fatalf("POST /reload of a bad file: %d %s", res.StatusCode, body)
	}
	if !g.says("one")() {
		t.Fatal("the last good file does not serve any more")
	}
	if m := get(t, g.admin+"/metrics"); !strings.Contains(m, "gatehouse_config_reload_success 0") {
		t.Error("the metrics do not say that the reload failed")
	}
	if s := get(t, g.admin+"/status"); !strings.Contains(s, `"ok": false`) || !strings.Contains(s, "rutes") {
		t.Errorf("/status does not say what is wrong: %s", s)
	}
	if e := g.event("reload failed, the last good file stays live"); e == nil {
		t.Error("the log does not say that the reload failed")
	}

	if err := os.Remove(g.config); err != nil {
		t.Fatal(err)
	}
	res, err = client.Post(g.admin+"/reload", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if body := readAll(t, res); res.StatusCode != 422 {
		t.Fatalf("POST /reload of a missing file: %d %s", res.StatusCode, body)
	}
	if !g.says("one")() {
		t.Fatal("the last good file does not serve any more")
	}
	g.write(simple(one.URL, everything))
	eventually(t, 15*time.Second, "the file that came back is loaded", func() bool {
		return strings.Contains(get(t, g.admin+"/metrics"), "gatehouse_config_reload_success 1")
	})
}

// A Kubernetes ConfigMap is a symlink to a file below a symlink that is swapped: the file's own folder entry never changes.
func TestReloadHearsASymlinkSwap(t *testing.T) {
	one, _ := saying(t, "one")
	two, _ := saying(t, "two")
	dir := t.TempDir()
	for version, backend := range map[string]string{"..v1": one.URL, "..v2": two.URL} {
		if err := os.Mkdir(filepath.Join(dir, version), 0o700); err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(dir, version, "gatehouse.yaml"), simple(backend, everything))
	}
	link := func(to, name string) {
		t.Helper()
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	link("..v1", "..data")
	link("..data/gatehouse.yaml", "gatehouse.yaml")
	g := startGatehouseAt(t, filepath.Join(dir, "gatehouse.yaml"))
	if !g.says("one")() {
		t.Fatal("the first file does not serve")
	}
	link("..v2", "..data_tmp")
	if err := os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")); err != nil {
		t.Fatal(err)
	}
	eventually(t, 10*time.Second, "the swapped file is live", g.says("two"))
}

func TestSigtermTurnsReadinessFirstAndCutsNothing(t *testing.T) {
	one, goOn := saying(t, "one")
	g := startGatehouse(t, simple(one.URL, everything), "--drain-delay", "1s")
	if ready := get(t, g.url+"/.gatehouse/ready"); ready != "ready\n" {
		t.Fatalf("the health path says %q", ready)
	}
	inFlight, err := client.Get(g.url + "/slow")
	if err != nil {
		t.Fatal(err)
	}
	defer inFlight.Body.Close()
	g.terminate()
	eventually(t, 900*time.Millisecond, "the health path and /readyz turn while visitors are still accepted", func() bool {
		health, err := client.Get(g.url + "/.gatehouse/ready")
		if err != nil {
			return false
		}
		_ = health.Body.Close()
		ready, err := client.Get(g.admin + "/readyz")
		if err != nil {
			return false
		}
		_ = ready.Body.Close()
		return health.StatusCode == 503 && ready.StatusCode == 503 && g.says("one")()
	})
	eventually(t, 5*time.Second, "nobody new is accepted", func() bool {
		res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}).Get(g.url + "/")
		if err == nil {
			_ = res.Body.Close()
		}
		return err != nil
	})
	goOn()
	if body, err := io.ReadAll(inFlight.Body); err != nil || string(body) != "one" {
		t.Fatalf("the request in flight ended with %q, %v", body, err)
	}
}

// State that is not the file's survives: what a caller took of a quota, and where the store stands.
func TestStateSurvivesAReload(t *testing.T) {
	store := startRedis(t)
	one, _ := saying(t, "one")
	file := func(note string) string {
		return fmt.Sprintf(`# %s
listen: [{address: "127.0.0.1:0"}]
admin: {address: "127.0.0.1:0"}
session: {cookies: [sid], store: {redis: {address: %q}}}
pools: {app: {backends: [%q]}}
quotas: {few: {key: client_ip, rate: 1/h, burst: 2}}
routes:
  - {name: counted, match: {path: /counted}, pool: app, needs: none, quotas: [few]}
  - {name: write, match: {path: /write}, pool: app, needs: write}
  - {name: all, pool: app}
`, note, store.address(), one.URL)
	}
	g := startGatehouse(t, file("first"))
	statuses := func(path string, n int) (all []int) {
		for range n {
			res, err := client.Get(g.url + path)
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close()
			all = append(all, res.StatusCode)
		}
		return all
	}
	if got := fmt.Sprint(statuses("/counted", 3)); got != "[200 200 429]" {
		t.Fatalf("a quota of two: %s", got)
	}
	store.do("REPLICAOF", "127.0.0.1", "9")
	eventually(t, 5*time.Second, "the store is seen to be read-only", func() bool { return g.storeState(t) == "read-only" })
	changes := strings.Count(g.log(), "store state changed")

	g.write(file("second"))
	eventually(t, 10*time.Second, "reloaded", func() bool { return g.event("reloaded") != nil })
	if got := fmt.Sprint(statuses("/counted", 1), statuses("/write", 1)); got != "[429] [503]" {
		t.Fatalf("after a reload the quota and the store's state say %s; want [429] [503]", got)
	}
	if now := strings.Count(g.log(), "store state changed"); now != changes {
		t.Errorf("the reload changed the store's state: %s", g.log())
	}
}
