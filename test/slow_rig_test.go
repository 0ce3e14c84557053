package test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// slowness is one kind of attack of slowhttptest.
type slowness struct {
	name  string
	words []string
	path  string
}

var (
	slowHeads   = slowness{"slow heads", []string{"-H", "-i", "1", "-x", "10"}, "/"}
	slowBodies  = slowness{"slow bodies", []string{"-B", "-i", "3", "-x", "10", "-s", "100000", "-t", "POST"}, "/upload"}
	slowReaders = slowness{"slow readers", []string{"-X", "-w", "512", "-y", "1024", "-n", "2", "-z", "32"}, "/big"}
)

// slowSite is an app with a page that is large and a form that takes much, behind Gatehouse, and members.
type slowSite struct {
	*gatehouse
	members []*visitor
	roads   *http.Transport // the members'
	direct  *visitor        // a member who goes to the app itself
}

// startSlowSite starts a site whose pool has so many places.
func startSlowSite(t *testing.T, p places) *slowSite {
	t.Helper()
	store := startRedis(t)
	a := startApp(t, store.address(), ordinary)
	large := bytes.Repeat([]byte("large "), 70_000)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /big", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(large) })
	mux.HandleFunc("POST /upload", func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) })
	mux.Handle("/", a.Config.Handler)
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	g := startGatehouse(t, site{backend: s.URL, store: store.address(), top: crowd, pool: string(p)}.text())
	out := &slowSite{gatehouse: g, roads: roads()}
	t.Cleanup(out.roads.CloseIdleConnections)
	out.direct = arrive(s.URL, out.roads, 0)
	if r := out.direct.signIn(); !r.ok() {
		t.Fatalf("a member cannot sign in at the app: %v", r)
	}
	for n := range 20 {
		v := arrive(g.url, out.roads, n)
		if r := v.signIn(); !r.ok() || v.jar["sid"] == "" {
			t.Fatalf("a member cannot sign in before anything happens: %v", r)
		}
		out.members = append(out.members, v)
	}
	return out
}

// visit has members ask 100 times a second for so long, whatever becomes of it, and one ask the app itself, to see what the machine
// and the app make of it.
func (s *slowSite) visit(long time.Duration) (members, direct []reply) {
	got := rush(long, map[string]stream{
		"members": {100, func(n int) reply {
			m := s.members[n%len(s.members)]
			return m.twin(m.from).get("/members")
		}},
		"direct": {50, func(int) reply { return s.direct.twin("").get("/members") }},
	})
	return got["members"], got["direct"]
}

// siege is what an attack was like.
type siege struct {
	before, during time.Duration // the members' 99th percentile
	direct         time.Duration // that of who went to the app itself meanwhile
	refused        []reply       // members who got something else than their page
	conns          int           // of visitors, as many as were open at once
	files          int           // that the process opened beside what it had: those, and connections to the app
	grew           int           // bytes of memory that the process grew by meanwhile
}

func (v siege) String() string {
	return fmt.Sprintf("members' p99 %v before, %v with it, %v without Gatehouse, %d refused; %d connections at once, %d kB each; with those to the app %d, %d kB each",
		v.before.Round(time.Microsecond), v.during.Round(time.Microsecond), v.direct.Round(time.Microsecond), len(v.refused),
		v.conns, v.grew/max(1, v.conns)>>10, v.files, v.grew/max(1, v.files)>>10)
}

// ownGrowth is what the heap of the process grows by for the members alone, in bytes.
const ownGrowth = 8 << 20

// besiege attacks for so long with so many connections, again and again where they are cut before.
func (s *slowSite) besiege(t *testing.T, how slowness, conns int, long time.Duration) siege {
	t.Helper()
	var v siege
	before, _ := s.visit(long / 3)
	v.before = p99(before)
	files, memory := s.openFiles(t), s.memory(t)
	over := make(chan struct{})
	var work sync.WaitGroup
	work.Go(func() {
		defer close(over)
		for end := time.Now().Add(long); time.Until(end) > time.Second; {
			creep(t, how, s.url+how.path, conns, time.Until(end))
		}
	})
	work.Go(func() {
		for tick := time.NewTicker(100 * time.Millisecond); ; {
			select {
			case <-over:
				tick.Stop()
				return
			case <-tick.C:
				v.conns, v.files, v.grew = max(v.conns, s.visitors(t)), max(v.files, s.openFiles(t)-files), max(v.grew, s.memory(t)-memory)
			}
		}
	})
	during, direct := s.visit(long)
	work.Wait()
	v.during, v.direct = p99(during), p99(direct)
	for _, r := range slices.Concat(before, during) {
		if !r.ok() {
			v.refused = append(v.refused, r)
		}
	}
	s.roads.CloseIdleConnections()
	eventually(t, patience, "all connections are gone", func() bool { return s.visitors(t) == 0 })
	return v
}

// judge says what was not as promised. The members' 99th percentile may be twice what it was, or is
// without Gatehouse, and in any case so much.
func (v siege) judge(least int, may time.Duration) (wrong []string) {
	if v.conns < least {
		wrong = append(wrong, fmt.Sprintf("only %d connections were open at once: this proves nothing", v.conns))
	}
	if allowed := max(2*v.before, 2*v.direct, may); v.during > allowed {
		wrong = append(wrong, fmt.Sprintf("the members' p99 went from %v to %v, and %v without Gatehouse", v.before, v.during, v.direct))
	}
	if len(v.refused) > 0 {
		wrong = append(wrong, fmt.Sprintf("%d members did not get their page, the first %v", len(v.refused), v.refused[0]))
	}
	if v.grew > 64<<10*v.files+ownGrowth {
		wrong = append(wrong, fmt.Sprintf("the process grew by %d kB for %d connections", v.grew>>10, v.files))
	}
	return wrong
}

func p99(replies []reply) time.Duration {
	took := make([]time.Duration, 0, len(replies))
	for _, r := range replies {
		took = append(took, r.took)
	}
	slices.Sort(took)
	return took[len(took)*99/100]
}

// creep runs slowhttptest once, until its connections are all cut or the time is over.
func creep(t *testing.T, how slowness, url string, conns int, long time.Duration) {
	words := append(slices.Clone(how.words), "-c", strconv.Itoa(conns), "-r", strconv.Itoa(conns/3), "-l", strconv.Itoa(int(long.Seconds())), "-p", "20", "-v", "0", "-u", url)
	cmd := exec.Command("/bin/sh", append([]string{"-c", `ulimit -S -n 8192; exec "$@"`, "sh", program(t, "slowhttptest")}, words...)...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("slowhttptest: %v\n%s", err, out)
	}
}

// openFiles is how many files the process holds open, its connections among them.
func (g *gatehouse) openFiles(t *testing.T) int {
	all, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", g.cmd.Process.Pid))
	if err != nil {
		t.Error(err)
	}
	return len(all)
}

// visitors is how many connections to the first listener stand, those included whose end it has not seen (proc_pid_net(5), states
// ESTABLISHED and CLOSE_WAIT).
func (g *gatehouse) visitors(t *testing.T) (n int) {
	text, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		t.Error(err)
	}
	port, _ := strconv.Atoi(g.url[strings.LastIndex(g.url, ":")+1:])
	local := fmt.Sprintf("0100007F:%04X", port)
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 3 && f[1] == local && (f[3] == "01" || f[3] == "08") {
			n++
		}
	}
	return n
}

// memory is how much of the process is in memory, in bytes (proc_pid_status(5), VmRSS).
func (g *gatehouse) memory(t *testing.T) int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", g.cmd.Process.Pid))
	_, after, _ := strings.Cut(string(text), "VmRSS:")
	fields := strings.Fields(after)
	if err != nil || len(fields) == 0 {
		t.Errorf("no VmRSS: %v", err)
		return 0
	}
	kB, _ := strconv.Atoi(fields[0])
	return kB << 10
}

// asShipped has the program built as it is shipped, for one test that runs alone: the race detector takes memory of its own.
func asShipped(t *testing.T) {
	t.Helper()
	was, path := binary, filepath.Join(t.TempDir(), "gatehouse")
	if out, err := exec.Command("go", "build", "-o", path, "gatehouse/cmd/gatehouse").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	binary = path
	t.Cleanup(func() { binary = was })
}
