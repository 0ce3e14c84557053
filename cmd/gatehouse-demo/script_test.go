package main

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// unprotected stands in Gatehouse's place and does what a plain load balancer does, to see that the script notices.
func unprotected(_ context.Context, configPath string, _ io.Writer) (string, func(), error) {
	raw, err := os.ReadFile(configPath)
	if err != nil {
		return "", nil, err
	}
	var backends []string
	for _, m := range regexp.MustCompile(`- http://(\S+)`).FindAllSubmatch(raw, -1) {
		backends = append(backends, string(m[1]))
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	balancer := newPlain(backends)
	s := serveSite(l, balancer)
	return s.addr, func() { s.stop(); balancer.idle() }, nil
}

func openScene(t *testing.T, start starter) *Scene {
	t.Helper()
	const free = "127.0.0.1:0"
	scene, err := OpenScene(context.Background(), SceneOptions{Listen: free, Plain: free, Control: free, Admin: free, Start: start})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(scene.Close)
	return scene
}

// shortScript is the usual one with its acts cut short and half its load.
func shortScript(acts ...Act) Script {
	s := usualScript(0.5)
	s.Acts = acts
	return s
}

func TestScriptNoticesThatNobodyProtects(t *testing.T) {
	scene := openScene(t, unprotected)
	script := shortScript(Act{Well, 500 * time.Millisecond}, Act{ReadOnly, time.Second}, Act{Well, 500 * time.Millisecond}, Act{Away, time.Second})
	var out strings.Builder
	if code := play(context.Background(), scene, script, &out); code != exitBroken {
		t.Errorf("exit code %d; want %d", code, exitBroken)
	}
	for _, want := range []string{`BROKEN: \d+ bare errors for sign-ins with Gatehouse`, `BROKEN: \d+ members signed out with Gatehouse`,
		`BROKEN: read-only: nobody was given the page`, `BROKEN: away: nobody was given the page`} {
		if !regexp.MustCompile(want).MatchString(out.String()) {
			t.Errorf("no %q in\n%s", want, &out)
		}
	}
}

func TestScriptEndsWhenItIsToldTo(t *testing.T) {
	scene := openScene(t, unprotected)
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	begun := time.Now()
	if _, err := shortScript(Act{Hung, time.Minute}).Run(ctx, scene, io.Discard); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v; want the context's", err)
	}
	if took := time.Since(begun); took > 20*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestSceneLeavesNothingBehind(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	for name, start := range map[string]starter{
		"closed": unprotected,
		"not opened": func(context.Context, string, io.Writer) (string, func(), error) {
			return "", nil, errors.New("no")
		},
	} {
		scene, err := OpenScene(context.Background(), SceneOptions{Listen: "127.0.0.1:0", Plain: "127.0.0.1:0", Control: "127.0.0.1:0",
			Admin: "127.0.0.1:0", Start: start})
		if (err != nil) != (name == "not opened") {
			t.Fatalf("%s: %v", name, err)
		}
		if err == nil {
			scene.Close()
		}
		left, err := filepath.Glob(filepath.Join(os.TempDir(), "*"))
		if err != nil || len(left) > 0 {
			t.Errorf("%s: left behind: %v, %v", name, left, err)
		}
	}
}

func TestSceneTakesAnotherPortWhereOneIsTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	taken := l.Addr().String()
	other, moved, err := listenNear(taken)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if !moved || other.Addr().String() == taken {
		t.Errorf("listening on %s, moved %v", other.Addr(), moved)
	}
	if _, _, err := listenNear("127.0.0.1:nonsense"); err == nil {
		t.Error("no error for a bad address")
	}
}

func TestRunRefusesWrongUsage(t *testing.T) {
	for _, args := range [][]string{{"-rate", "0"}, {"-rate", "x"}, {"extra"}, {"-nonsense"}} {
		if code := run(context.Background(), args, io.Discard, io.Discard); code != exitUsage {
			t.Errorf("%q: exit code %d; want %d", args, code, exitUsage)
		}
	}
	if code := run(context.Background(), []string{"-h"}, io.Discard, io.Discard); code != exitKept {
		t.Errorf("-h: exit code %d", code)
	}
}
