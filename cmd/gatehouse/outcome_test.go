package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const explained = `
listen: [{address: "127.0.0.1:0"}]
session:
  cookies: [sid]
  remember_cookies: [keep]
  max_age: 48h
  store: {redis: {address: "127.0.0.1:6379"}, strained: {rate: 50/s}}
pools: {app: {backends: ["http://127.0.0.1:1"]}}
routes:
  - {name: sign-in, match: {path: /login}, pool: app, needs: write, restart: /login}
  - {name: callback, match: {path: /callback}, pool: app, needs: write, wait: 30s, restart: /login}
  - {name: notes, match: {path: /notes}, pool: app, needs: write, sign_in: false}
  - {name: sign-out, match: {path: /logout}, pool: app, sign_out: true}
  - {name: sign-out-late, match: {path: /leave}, pool: app, sign_out: true, needs: write, wait: 5s}
  - {name: unwatched, match: {path: /raw}, pool: app, guard: false}
  - {name: app, pool: app}
`

func TestExplainSaysWhatBecomesOfIt(t *testing.T) {
	file := filepath.Join(t.TempDir(), "gatehouse.yaml")
	if err := os.WriteFile(file, []byte(explained), 0o600); err != nil {
		t.Fatal(err)
	}
	member := []string{"-H", "Cookie: sid=1"}
	for _, c := range []struct {
		path   string
		member bool
		says   []string
		hush   []string
	}{
		{
			"/login", false,
			[]string{"writable   pass\n", "strained   pass, at most 50 sign-ins a second; the others get the page\n", "read-only  degrade: the page, with status 503, leading back to /login\n"},
			[]string{"The guard", "held"},
		},
		{"/callback", false, []string{"down       degrade: held up to 30s first, then the page, with status 503, leading back to /login\n", "unknown    pass\n"}, nil},
		{"/notes", true, []string{"strained   pass\n", "read-only  degrade: the page", "The guard watches it", "a 401, a redirect to /login)"}, []string{"sign-ins a second"}},
		{
			"/logout", true,
			[]string{"; a sign-out", "read-only  pass\n", "down       sign out: Gatehouse expires the cookies itself\n", "honoured in every state", "(sid, keep)", "for 48h."},
			[]string{"The guard", "degrade", "the page"},
		},
		{"/leave", false, []string{"read-only  sign out: held up to 5s first, then Gatehouse expires the cookies itself\n", "honoured in every state"}, []string{"degrade"}},
		{"/raw", true, []string{"The guard does not watch it (guard: false)"}, []string{"The guard watches"}},
		{"/raw", false, []string{"down       pass"}, []string{"The guard"}},
		{"/", true, []string{"down       degrade: the page, with status 503\n", "The guard watches it"}, []string{"honoured"}},
	} {
		args := []string{"-c", file, c.path}
		if c.member {
			args = append(args, member...)
		}
		out, err := say(explainCommand(), args...)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range c.says {
			if !strings.Contains(out, want) {
				t.Errorf("%s: no %q in\n%s", c.path, want, out)
			}
		}
		for _, hush := range c.hush {
			if strings.Contains(out, hush) {
				t.Errorf("%s: %q in\n%s", c.path, hush, out)
			}
		}
	}
}
