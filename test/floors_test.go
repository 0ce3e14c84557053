package test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The rules of the house that a machine can keep.

// pkg is what go list says of a package.
type pkg struct {
	ImportPath, Dir, Doc               string
	Imports, Deps                      []string
	GoFiles, TestGoFiles, XTestGoFiles []string
}

const module = "gatehouse"

func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Dir,Doc,Imports,Deps,GoFiles,TestGoFiles,XTestGoFiles", "./...")
	cmd.Dir = ".."
	var problems bytes.Buffer
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, problems.String())
	}
	var all []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) < 15 {
		t.Fatalf("go list found only %d packages: the rules below would prove nothing", len(all))
	}
	return all
}

// within reports whether path is folder or lies below it.
func within(path, folder string) bool {
	return path == folder || strings.HasPrefix(path, folder+"/")
}

// thirdParty reports whether an import path is neither the standard library's nor ours.
func thirdParty(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return strings.Contains(first, ".")
}

// TestFloors keeps the floors apart: who may import whom.
func TestFloors(t *testing.T) {
	for _, p := range packages(t) {
		from := strings.TrimPrefix(p.ImportPath, module+"/")
		for _, imported := range p.Imports {
			if !within(imported, module) {
				continue
			}
			to := strings.TrimPrefix(imported, module+"/")
			if problem := floor(from, to); problem != "" {
				t.Errorf("%s imports %s: %s", from, to, problem)
			}
		}
	}
}

func floor(from, to string) string {
	pure := func(p string) bool { return within(p, "routing") || within(p, "shed") || within(p, "proxy/h1") }
	switch {
	case within(from, "cmd"), within(from, "test"):
		return ""
	case within(to, "cmd"), within(to, "test"):
		return "nothing below may look up to the programs"
	case from == "config":
		return "config stands alone"
	case within(from, "routing"), within(from, "proxy/h1"):
		return "the ground floor imports only the standard library"
	case within(from, "shed"):
		if !within(from, to) {
			return "under shed a package imports its ancestors and nobody else of ours"
		}
		return ""
	case from == "proxy/build":
		return ""
	case to == "config", to == "proxy/build":
		return "only build and the programs know the operator's file"
	case from == "proxy":
		return ""
	case within(from, "proxy"):
		if !pure(to) {
			return "a room imports the ground floor and no other room"
		}
		return ""
	}
	return "a folder that the floors do not know"
}

// TestThirdPartiesLiveInOneRoom keeps each library where its own room is.
func TestThirdPartiesLiveInOneRoom(t *testing.T) {
	rooms := map[string][]string{
		"github.com/redis/go-redis":      {"shed/store/probe", "shed/quota", "proxy/edge/certs", "cmd/gatehouse-demo"}, // the demo's app is a stranger's app
		"github.com/caddyserver":         {"proxy/edge/certs"},
		"github.com/mholt/acmez":         {"proxy/edge/certs"},
		"go.uber.org/zap":                {"proxy/edge/certs"},
		"github.com/coreos/go-systemd":   {"proxy/edge/sockets"},
		"github.com/pires/go-proxyproto": {"proxy/edge", "proxy/upstream"},
		"golang.org/x/net/http2":         {"proxy/edge", "test/bench"},
		"google.golang.org/grpc":         {"test/bench"},
		"golang.org/x/time":              {"shed/quota"},
		"github.com/prometheus":          {"proxy/record", "proxy/admin"},
		"gopkg.in/yaml.v3":               {"config"},
		"github.com/fsnotify/fsnotify":   {"cmd/internal/serve"},
		"github.com/spf13/cobra":         {"cmd/gatehouse"},
		"github.com/alicebob/miniredis":  {"cmd/gatehouse-demo"},
	}
	for _, p := range packages(t) {
		from := strings.TrimPrefix(p.ImportPath, module+"/")
		for _, imported := range p.Imports {
			if !thirdParty(imported) {
				continue
			}
			known := false
			for lib, where := range rooms {
				if within(imported, lib) {
					known = true
					if !slices.Contains(where, from) {
						t.Errorf("%s imports %s, which lives in %v", from, imported, where)
					}
				}
			}
			if !known {
				t.Errorf("%s imports %s, which has no room: name one here and say in CONTRIBUTING.md what it is for", from, imported)
			}
		}
	}
}

// TestNoTestingInABinary keeps the test machinery out of what operators run.
func TestNoTestingInABinary(t *testing.T) {
	for _, p := range packages(t) {
		if !within(p.ImportPath, module+"/cmd") {
			continue
		}
		for _, banned := range []string{"testing", "testing/synctest", "net/http/httptest", "go.uber.org/goleak"} {
			if slices.Contains(p.Deps, banned) {
				t.Errorf("%s depends on %s", p.ImportPath, banned)
			}
		}
		if strings.HasSuffix(p.ImportPath, "/cmd/gatehouse") {
			for _, d := range p.Deps {
				if strings.Contains(d, "miniredis") || d == "net/http/httputil" {
					t.Errorf("the program depends on %s", d)
				}
			}
		}
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	for _, p := range packages(t) {
		if len(p.GoFiles) > 0 && len(p.Doc) < 20 {
			t.Errorf("%s has no package comment", p.ImportPath)
		}
	}
}

func TestAFileIsOneNoun(t *testing.T) {
	for _, p := range packages(t) {
		for _, f := range slices.Concat(p.GoFiles, p.TestGoFiles, p.XTestGoFiles) {
			n, err := countLines(filepath.Join(p.Dir, f))
			if err != nil {
				t.Fatal(err)
			}
			if n > 400 {
				t.Errorf("%s/%s has %d lines; 400 is the most", p.ImportPath, f, n)
			}
			if strings.Contains(f, "util") || strings.Contains(f, "helper") || strings.Contains(f, "misc") {
				t.Errorf("%s/%s: a file is named for what it holds", p.ImportPath, f)
			}
		}
	}
}

func countLines(path string) (int, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	n := 0
	for s := bufio.NewScanner(f); s.Scan(); {
		n++
	}
	return n, nil
}

// TestOneWordPerThing keeps out the words for which the house has another, where they would name a thing in the code.
func TestOneWordPerThing(t *testing.T) {
	banned := regexp.MustCompile(`(?i)\b(upstream host|target group|semaphore|snapshot|brownout)\b`)
	for _, p := range packages(t) {
		for _, f := range p.GoFiles {
			path := filepath.Join(p.Dir, f)
			fset := token.NewFileSet()
			parsed, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range parsed.Comments {
				if w := banned.FindString(c.Text()); w != "" {
					t.Errorf("%s: a comment says %q", fset.Position(c.Pos()), w)
				}
			}
		}
	}
}

// TestNoInitAndNoSkip: nothing registers itself, and a test that is skipped is a test that never fails.
func TestNoInitAndNoSkip(t *testing.T) {
	skip := regexp.MustCompile(`\bt\.Skip(f|Now)?\(`)
	initFunc := regexp.MustCompile(`(?m)^func init\(\)`)
	for _, p := range packages(t) {
		for _, f := range slices.Concat(p.GoFiles, p.TestGoFiles, p.XTestGoFiles) {
			b, err := os.ReadFile(filepath.Join(p.Dir, f))
			if err != nil {
				t.Fatal(err)
			}
			if initFunc.Match(b) {
				t.Errorf("%s/%s has an init function", p.ImportPath, f)
			}
			if f != "floors_test.go" && skip.Match(b) {
				t.Errorf("%s/%s skips a test", p.ImportPath, f)
			}
		}
	}
}

// TestTopLevel keeps the first thing a newcomer sees short.
func TestTopLevel(t *testing.T) {
	allowed := strings.Fields("cmd proxy routing shed config configs test go.mod go.sum Dockerfile README.md LICENSE CHANGELOG.md " +
		"CONTRIBUTING.md Makefile .ci .gitignore .dockerignore .git staticcheck.conf bin")
	entries, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	var extra []string
	for _, e := range entries {
		// What the toolchain leaves there by default is nobody's doing, and ignored by git.
		left := strings.HasSuffix(e.Name(), ".prof") || strings.HasSuffix(e.Name(), ".test") ||
			!e.IsDir() && (e.Name() == "gatehouse" || e.Name() == "gatehouse-demo")
		if !left && !slices.Contains(allowed, e.Name()) {
			extra = append(extra, e.Name())
		}
	}
	if len(extra) > 0 {
		t.Error(fmt.Errorf("at the top level stands what does not belong there: %v", extra))
	}
}
