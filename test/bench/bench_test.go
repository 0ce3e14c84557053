//go:build linux

package main

import (
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestReadStanding(t *testing.T) {
	line := "42 (a) (b) c) S 7 42 42 0 -1 4194304 1 2 3 4 100 20 3 1 20 0 1 0 5 6 7\n"
	s, err := readStanding([]byte(line))
	if want := (standing{pid: 42, parent: 7, cpu: 1240 * time.Millisecond}); err != nil || s != want {
		t.Errorf("%+v, %v; want %+v", s, err, want)
	}
	for _, bad := range []string{"", "42", "42 (x", "x (y) S 1", "42 (x) S 7 1 1", strings.Replace(line, "100", "1OO", 1)} {
		if _, err := readStanding([]byte(bad)); !errors.Is(err, errStat) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// What a process used is accounted, that of its children too.
func TestAFamilyIsAccounted(t *testing.T) {
	shell := exec.Command("/bin/sh", "-c", "while :; do :; done & while :; do :; done")
	if err := shell.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		all, _ := family(shell.Process.Pid)
		for _, s := range slices.Backward(all) {
			p, _ := os.FindProcess(s.pid)
			_ = p.Kill()
		}
		_ = shell.Wait()
	}()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		all, err := family(shell.Process.Pid)
		if err != nil || time.Now().After(deadline) {
			t.Fatalf("%+v, %v", all, err)
		}
		if len(all) == 2 && all[0].cpu > 0 && all[1].cpu > 0 {
			break
		}
	}
	if n, err := memoryOf(shell.Process.Pid, "VmHWM"); err != nil || n < 200<<10 {
		t.Errorf("%d bytes, %v", n, err)
	}
}

func TestField(t *testing.T) {
	head := []byte("HTTP/1.1 200 OK\r\nX-Content-Length: 1\r\nCONTENT-length:  12 \r\nConnection: close\r\n\r\n")
	if n, ok := fieldLength(head); n != 12 || !ok {
		t.Errorf("length %d, %v", n, ok)
	}
	if got := field(head, "connection"); string(got) != "close" {
		t.Errorf("%q", got)
	}
	if got := field(head, "length"); got != nil {
		t.Errorf("%q", got)
	}
}

// self is this process with the backend in it, as if it were a proxy.
func self(t *testing.T) *process {
	t.Helper()
	b, err := newBackend()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.close)
	me, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	return &process{address: b.address(), cmd: &exec.Cmd{Process: me}}
}

func TestLoads(t *testing.T) {
	p := self(t)
	big := newQuestion("GET", "/100k", true, nil, 200, 100_000)
	form := newQuestion("POST", "/post", true, []byte(strings.Repeat("x", 40_000)), 200, 100)
	for _, ask := range []*question{small(), big, form} {
		if r, err := closed(p, ask, 200*time.Millisecond); err != nil || r.done == 0 || r.failed > 0 || r.cpu == 0 || r.peak == 0 {
			t.Errorf("closed: %+v, %v", r, err)
		}
	}
	r, err := open(p, small(), time.Second, 500, 1)
	if err != nil || r.failed > 0 || r.p50 <= 0 || r.p99 < r.p50 {
		t.Errorf("open: %+v, %v", r, err)
	}
	if r.done < 100 || r.done > 1500 {
		t.Errorf("%d answers in a second at 500 a second", r.done)
	}
}

// An answer that is not the wanted one is a failure, whatever else is fast.
func TestAWrongAnswerIsNone(t *testing.T) {
	p := self(t)
	for name, ask := range map[string]*question{
		"status": newQuestion("GET", "/1k", true, nil, 503, -1),
		"length": newQuestion("GET", "/1k", true, nil, 200, 999),
	} {
		if r, err := closed(p, ask, 50*time.Millisecond); err == nil || r.done > 0 || r.failed == 0 {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
}

func TestQuantile(t *testing.T) {
	var all []time.Duration
	if quantile(all, 0.99) != 0 {
		t.Error("none")
	}
	for i := range 100 {
		all = append(all, time.Duration(i))
	}
	if a, b, c := quantile(all, 0.5), quantile(all, 0.99), quantile(all, 1); a != 50 || b != 99 || c != 99 {
		t.Error(a, b, c)
	}
}

func TestTheBetterRoundCounts(t *testing.T) {
	of := func(name string, cpu, p99 time.Duration) *cell {
		took := func(worse time.Duration) run {
			return run{cpu: 10 * (cpu + worse), done: 10, took: time.Second, p50: 1, p99: p99 + worse, peak: int64(worse)}
		}
		return &cell{at: &process{name: name}, closed: []run{took(5000), took(0)}, open: []run{took(0), took(9000)}}
	}
	m := &measure{name: "1 kB", base: "nginx", cells: []*cell{of(ours, 30_000, 4000), of("nginx", 20_000, 1000), of("haproxy", 25_000, 2000)}}
	m.setRate()
	if m.rate != 5 {
		t.Errorf("half load is %v", m.rate)
	}
	all := goals([]*measure{m}, []resting{{name: ours, each: 8 << 10}})
	for i, want := range []float64{1.5, 0, 0, 0, 2, 8} {
		if all[i].seen != want {
			t.Errorf("%s: %v, want %v", all[i].what, all[i].seen, want)
		}
	}
	if f := m.cells[0].figures(); f.peak != 9000 {
		t.Errorf("peak %d", f.peak)
	}
	if cpu, p99 := noise([]*measure{m}); cpu < 1.44 || cpu > 1.46 || p99 != 10 {
		t.Errorf("noise %v, %v", cpu, p99)
	}
	var b strings.Builder
	if err := printTable(&b, []*measure{m}); err != nil || !strings.Contains(b.String(), "1.50×") || strings.Contains(b.String(), " \n") {
		t.Errorf("%v\n%s", err, b.String())
	}
}
