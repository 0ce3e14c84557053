package test

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

//go:embed page_audit.js
var pageAudit string

// demo is the running demo program and where its parts are.
type demo struct{ with, without, control, admin string }

// startDemo runs the demo and waits for its greeting.
func startDemo(t *testing.T) demo {
	t.Helper()
	path := filepath.Join(t.TempDir(), "gatehouse-demo")
	if out, err := exec.Command("go", "build", "-o", path, "gatehouse/cmd/gatehouse-demo").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	cmd := exec.Command(path, "-listen", "127.0.0.1:"+freePort(t))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("the demo ended with %v", err)
		}
	})
	var d demo
	link := regexp.MustCompile(`http://\S+`)
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		found := link.FindString(lines.Text())
		switch line := lines.Text(); {
		case strings.Contains(line, "Break the store"):
			d.control = found
		case strings.Contains(line, "The site, without"):
			d.without = found
		case strings.Contains(line, "The site, with"):
			d.with = found
		case strings.Contains(line, "own page"):
			d.admin = found
		case strings.Contains(line, "Ctrl-C"):
			go func() { // until the pipe closes, with the program
				for lines.Scan() {
				}
			}()
			return d
		}
	}
	t.Fatal("the demo ended before it said where it is")
	return d
}

// browser is a tab of a real browser that remembers what went wrong in it.
type browser struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	problems []string
}

func openBrowser(t *testing.T) *browser {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("disable-quic", true), chromedp.WSURLReadTimeout(60*time.Second))
	alloc, cancelAlloc := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancelTab := chromedp.NewContext(alloc)
	t.Cleanup(func() {
		cancelTab()
		cancelAlloc()
	})
	b := &browser{t: t, ctx: ctx}
	if err := chromedp.Listen(ctx, b.hear); err != nil {
		t.Fatalf("chromium: %v (make test installs it)", err)
	}
	ctx, cancelTime := context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancelTime)
	b.ctx = ctx
	if _, err := chromedp.Call(ctx, log.Enable, cdp.Empty{}); err != nil {
		t.Fatal(err)
	}
	return b
}

// hear remembers what the browser complains of.
func (b *browser) hear(event any) {
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		b.problem("exception: " + e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.ConsoleAPICalledTypeError {
			b.problem(fmt.Sprintf("console.error: %v", e.Args))
		}
	case *log.EventEntryAdded:
		// The browser notes every status of 500 and above; that the page has one is what it is for.
		if e.Entry.Level == log.EntryLevelError && !strings.Contains(e.Entry.Text, "status of 503") {
			b.problem("log: " + e.Entry.Text)
		}
	}
}

func (b *browser) problem(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.problems = append(b.problems, text)
}

func (b *browser) do(actions ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

func (b *browser) text(selector chromedp.CSS) string {
	b.t.Helper()
	text, err := chromedp.Run(b.ctx, chromedp.Text(selector))
	if err != nil {
		b.t.Fatal(err)
	}
	return text
}

// look sets how the visitor looks at pages.
func (b *browser) look(scheme string, width int64) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(width, 800))
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, media); err != nil {
		b.t.Fatal(err)
	}
}

// audit has the page looked at as an accessibility checker does, and reports what it finds.
func (b *browser) audit(what string) {
	b.t.Helper()
	b.do(chromedp.KeyEvent("\t"))
	found, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]string](pageAudit))
	if err != nil {
		b.t.Fatal(err)
	}
	for _, f := range found {
		b.t.Errorf("%s: %s", what, f)
	}
}

// TestAuditFinds proves that the audit can fail: a page with a mistake of each kind is given to it.
func TestAuditFinds(t *testing.T) {
	b := openBrowser(t)
	bad := `<body style="background:#fff"><h1>a</h1><h3 style="color:#999">b</h3><input name=c><a href=/ style="outline:none"></a><div style="width:3000px">d</div>`
	b.do(chromedp.Navigate("data:text/html," + url.PathEscape(bad)))
	found, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]string](pageAudit))
	if err != nil {
		t.Fatal(err)
	}
	all := strings.Join(found, "\n")
	for _, want := range []string{"language", "title", "main", "level 3 follows", "no label", "no name", "wider", "contrast 2.85"} {
		if !strings.Contains(all, want) {
			t.Errorf("the audit does not find %q:\n%s", want, all)
		}
	}
}

// breakStore presses a button of the control page and waits until Gatehouse has seen it.
func (d demo) breakStore(t *testing.T, fault, state string) {
	t.Helper()
	res, err := client.PostForm(d.control+"/store", url.Values{"fault": {fault}})
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	eventually(t, 20*time.Second, "Gatehouse sees "+state, func() bool {
		var s struct {
			Stores []struct {
				State      string
				Recovering bool
			}
		}
		if json.Unmarshal([]byte(get(t, d.admin+"/status")), &s) != nil || len(s.Stores) != 1 {
			return false
		}
		return s.Stores[0].State == state && !s.Stores[0].Recovering
	})
}

// TestBrowser is a person with a browser before the demo: signs in by the form, goes on while the store is read-only, meets the
// page, and is still signed in when it is over.
func TestBrowser(t *testing.T) {
	d := startDemo(t)
	b := openBrowser(t)
	b.look("light", 1000)
	b.do(chromedp.Navigate(d.with+"/login"), chromedp.WaitVisible(chromedp.CSS("#name")),
		chromedp.SendKeys(chromedp.CSS("#name"), "Ada"), chromedp.SendKeys(chromedp.CSS("#password"), "demo"),
		chromedp.Submit(chromedp.CSS("#password")), chromedp.WaitVisible(chromedp.CSS("h1")))
	eventually(t, 10*time.Second, "Ada is signed in", func() bool {
		heading, err := chromedp.Run(b.ctx, chromedp.Text(chromedp.CSS("h1")))
		return err == nil && strings.Contains(heading, "Ada") // the form's page may be on its way out
	})
	b.audit("the members' page")

	d.breakStore(t, "read-only", "read-only")
	b.do(chromedp.Navigate(d.with + "/members"))
	if h := b.text("h1"); !strings.Contains(h, "Ada") {
		t.Errorf("while the store is read-only a member sees %q", h)
	}
	for _, scheme := range []string{"light", "dark"} {
		for _, width := range []int64{1000, 360} {
			b.look(scheme, width)
			b.do(chromedp.Navigate(d.with + "/login"))
			what := fmt.Sprintf("the page, %s, %d wide", scheme, width)
			if h := b.text("h1"); strings.Contains(h, "Sign in") || h == "" {
				t.Errorf("%s: the heading is %q", what, h)
			}
			b.audit(what)
		}
	}
	link, err := chromedp.Run(b.ctx, chromedp.AttributeValue(chromedp.CSS("main a"), "href"))
	if err != nil || link.Value != "/login" {
		t.Errorf("the page leads back to %q, %v; want /login", link.Value, err)
	}

	d.breakStore(t, "away", "down")
	b.look("light", 1000)
	b.do(chromedp.Navigate(d.with + "/members"))
	if h := b.text("h1"); strings.Contains(h, "Ada") {
		t.Errorf("with the store away a member sees %q; want the page", h)
	}
	b.audit("the page for a member")

	b.do(chromedp.Navigate(d.admin), chromedp.WaitVisible(chromedp.CSS("main")))
	if text := b.text("main"); !strings.Contains(text, "Down") || !strings.Contains(text, "refused") {
		t.Errorf("the admin page does not say that the store is down, and why: %.300s", text)
	}
	b.audit("the admin page")

	d.breakStore(t, "well", "writable")
	b.do(chromedp.Navigate(d.with + "/members"))
	if h := b.text("h1"); !strings.Contains(h, "Ada") {
		t.Errorf("after the outage the member sees %q; want to be signed in still", h)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, p := range b.problems {
		t.Errorf("the browser complains: %s", p)
	}
}
