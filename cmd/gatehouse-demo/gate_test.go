package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// await asks until it is so, and fails the test where that takes too long.
func await(t *testing.T, what string, so func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !so() {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain until %s", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestGatehouseStandsInFront(t *testing.T) {
	scene := openScene(t, startGatehouse)
	b := newBrowser(t, scene.Links.With)
	sees := func(state string) func() bool {
		return func() bool { return scene.Status.Read(context.Background()).State == state }
	}
	await(t, "the store is seen to be well", sees("writable"))
	b.signIn()
	id := b.session()

	set(t, scene.Store, ReadOnly)
	resp, body := b.ask("POST", "/notes", url.Values{"text": {"ebb"}})
	if resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" || reasonIn(resp.Header.Get("Gatehouse-Outcome")) != "read_only" {
		t.Errorf("a note in a read-only store: %s %v\n%s", resp.Status, resp.Header, body)
	}
	if resp, _ := b.ask("GET", "/members", nil); resp.StatusCode != http.StatusOK {
		t.Errorf("members in a read-only store: %s", resp.Status)
	}
	await(t, "Gatehouse says so", sees("read-only"))

	set(t, scene.Store, Away)
	await(t, "Gatehouse says so", sees("down"))
	if resp, _ := b.ask("GET", "/members", nil); resp.StatusCode != http.StatusServiceUnavailable || resp.Header.Get("Retry-After") == "" {
		t.Errorf("members without a store: %s %v", resp.Status, resp.Header)
	}
	for _, path := range []string{"/", "/assets/harbour.css"} {
		if resp, _ := b.ask("GET", path, nil); resp.StatusCode != http.StatusOK {
			t.Errorf("%s without a store: %s", path, resp.Status)
		}
	}
	if b.session() != id {
		t.Errorf("the session was %q and is %q", id, b.session())
	}

	set(t, scene.Store, Well)
	await(t, "members are served again", func() bool {
		resp, _ := b.ask("GET", "/members", nil)
		return resp.StatusCode == http.StatusOK
	})
	if resp, _ := b.ask("POST", "/logout", url.Values{}); resp.StatusCode != http.StatusSeeOther || b.session() != "" {
		t.Errorf("signing out: %s", resp.Status)
	}
}

func TestGatehouseReadsItsFileAgain(t *testing.T) {
	scene := openScene(t, startGatehouse)
	text, err := os.ReadFile(scene.Links.Config)
	if err != nil {
		t.Fatal(err)
	}
	changed := bytes.Replace(text, []byte("degrade:\n"), []byte("degrade:\n  status: 429\n"), 1)
	if err := os.WriteFile(scene.Links.Config, changed, 0o600); err != nil {
		t.Fatal(err)
	}
	sum := fmt.Sprintf("%x", sha256.Sum256(changed))
	admin := newBrowser(t, scene.Links.Admin)
	await(t, "the changed file is in force", func() bool {
		_, body := admin.ask("GET", "/status", nil)
		return strings.Contains(body, sum)
	})
	set(t, scene.Store, Away)
	// A client may ask only for so many pages, so it asks once.
	resp, _ := newBrowser(t, scene.Links.With).ask("GET", "/login", nil)
	if resp.StatusCode != http.StatusTooManyRequests || !strings.HasPrefix(resp.Header.Get("Gatehouse-Outcome"), "degraded") {
		t.Errorf("the page: %s %v; want the changed file's 429", resp.Status, resp.Header)
	}
}

// TestScriptWithGatehouse plays every fault, each shorter than -script does, and at half its load.
func TestScriptWithGatehouse(t *testing.T) {
	scene := openScene(t, startGatehouse)
	const s, ms = time.Second, time.Millisecond
	script := shortScript(Act{Well, s}, Act{ReadOnly, 1500 * ms}, Act{Well, 2 * s}, Act{Full, 1500 * ms}, Act{Well, 2 * s}, Act{Slow, 3 * s},
		Act{Well, 2 * s}, Act{Hung, 3 * s}, Act{Well, 2 * s}, Act{Away, 1500 * ms}, Act{Well, 2 * s}, Act{Empty, 1500 * ms})
	var out strings.Builder
	if code := play(context.Background(), scene, script, &out); code != exitKept {
		t.Errorf("exit code %d", code)
	}
	t.Log("\n" + out.String())
}

func TestRunGreetsAndStops(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	r, w := io.Pipe()
	ended := make(chan int, 1)
	var errs bytes.Buffer
	go func() {
		ended <- run(ctx, []string{"-listen", "127.0.0.1:0"}, w, &errs)
		w.Close()
	}()
	var once sync.Once
	said, err := io.ReadAll(readerFunc(func(p []byte) (int, error) {
		n, err := r.Read(p)
		if bytes.Contains(p[:n], []byte("Ctrl-C")) {
			once.Do(cancel)
		}
		return n, err
	}))
	cancel()
	if code := <-ended; code != exitKept || err != nil {
		t.Fatalf("exit code %d, %v: %s", code, err, &errs)
	}
	for _, want := range []string{"Break the store", "The site, with ", "gatehouse.yaml", "Stopping."} {
		if !strings.Contains(string(said), want) {
			t.Errorf("no %q in\n%s", want, said)
		}
	}
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
