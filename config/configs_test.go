package config

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

const configs = "../configs"

func TestShippedFiles(t *testing.T) {
	for _, name := range []string{"gatehouse.yaml", "minimal.yaml"} {
		c, err := Load(filepath.Join(configs, name))
		if err != nil {
			t.Fatal(err)
		}
		if len(c.Warnings) > 0 {
			t.Errorf("%v", c.Warnings)
		}
	}
}

// shipped returns gatehouse.yaml, with the keys that are commented out switched on where all is set.
func shipped(t *testing.T, all bool) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(configs, "gatehouse.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if !all {
		return string(data)
	}
	return regexp.MustCompile(`(?m)^( *)#((?:- )?[a-z_]+:)`).ReplaceAllString(string(data), "$1$2")
}

// TestShippedFileHasEveryKey puts a key that nobody knows into every mapping, and compares the keys that are then offered
// with those that are there.
func TestShippedFileHasEveryKey(t *testing.T) {
	var root yaml.Node
	if err := yaml.Unmarshal([]byte(shipped(t, true)), &root); err != nil {
		t.Fatal(err)
	}
	keys := map[string][]string{} // by where; a list's number and an operator's own name as *
	own := regexp.MustCompile(`^(pools|quotas)\.[^.]+|\[[0-9]+\]`)
	general := func(where string) string {
		// the file says in words that a member's two are as the store's own
		where = regexp.MustCompile(`^session\.store\.members\[[0-9]+\]\.(redis|sentinel)`).ReplaceAllString(where, "session.store.$1")
		return own.ReplaceAllStringFunc(where, func(s string) string {
			section, _, _ := strings.Cut(s, ".")
			return strings.TrimSuffix(section, s[strings.IndexAny(s+"[", "["):]) + ".*"
		})
	}
	var walk func(n *yaml.Node, where string)
	walk = func(n *yaml.Node, where string) {
		switch n.Kind {
		case yaml.DocumentNode:
			walk(n.Content[0], "")
		case yaml.SequenceNode:
			for _, item := range n.Content {
				walk(item, where+"[0]")
			}
		case yaml.MappingNode:
			for i := 0; i < len(n.Content); i += 2 {
				key := n.Content[i].Value
				keys[general(where)] = append(keys[general(where)], key)
				walk(n.Content[i+1], strings.TrimPrefix(where+"."+key, "."))
			}
			n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: "q9q9q9"}, &yaml.Node{Kind: yaml.ScalarNode, Value: "1"})
		}
	}
	walk(&root, "")
	text, err := yaml.Marshal(&root)
	if err != nil {
		t.Fatal(err)
	}
	mappings := 0
	for _, p := range problems(t, string(text)) {
		offered, is := strings.CutPrefix(p.What, "unknown key; wanted here: ")
		if !is {
			continue
		}
		mappings++
		where := general(strings.TrimSuffix(strings.TrimSuffix(p.Where, "q9q9q9"), "."))
		for key := range strings.SplitSeq(offered, ", ") {
			if !slices.Contains(keys[where], key) {
				t.Errorf("configs/gatehouse.yaml does not show %s.%s; it has %v there", where, key, keys[where])
			}
		}
	}
	if mappings < 20 {
		t.Errorf("keys were offered in %d mappings only", mappings)
	}
}

// TestShippedFileOptions switches on what is commented out: only what excludes each other may be wrong then.
func TestShippedFileOptions(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "degraded.html"), []byte("<p>"), 0o600); err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(dir, "session.key")
	for _, name := range []string{key, "example.pem", "example.key", "clients.pem", "private-ca.pem", "legacy-ca.pem", "gatehouse.pem", "gatehouse.key"} {
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(name)), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text := strings.Replace(shipped(t, true), "/etc/gatehouse/session.key", key, 1)
	_, err := Parse(filepath.Join(dir, "gatehouse.yaml"), []byte(text))
	list, _ := err.(Problems)
	ways := map[string]int{}
	for _, p := range list {
		kind, _, _ := strings.Cut(p.What, ";")
		ways[kind]++
	}
	want := map[string]int{
		"both password_file and password_env": 6, "both folder and redis": 1, "bounds of a limit that does not adapt": 1,
		"both redis and sentinel": 1, "both redis and cluster": 1, "both redis and members": 1,
	}
	if !maps.Equal(ways, want) {
		t.Errorf("got %v; want the places of each password, of certificates and of sessions, and the two kinds of limit to exclude each other, and nothing else", err)
	}
}

// TestShippedFileShowsDefaults takes away every key that has a default, and wants the same Config.
func TestShippedFileShowsDefaults(t *testing.T) {
	whole := parsed(t, shipped(t, false))
	bare := parsed(t, `
listen: [{address: ":8080"}]
session: {cookies: [sid], store: {redis: {address: "127.0.0.1:6379"}}}
pools:
  login: {backends: ["http://10.0.0.11:8080", "http://10.0.0.12:8080"], max_in_flight: 64, health: {path: /healthz}}
  app: {backends: ["http://10.0.1.11:8080", "http://10.0.1.12:8080"]}
quotas: {sign-in-per-client: {key: client_ip, rate: 600/m, burst: 60}}
routes:
  - {name: sign-in, match: {path: [/login, "/oauth/*"]}, pool: login, overflow: app, needs: write, restart: /login, quotas: [sign-in-per-client]}
  - {name: assets, match: {path: "/assets/*"}, pool: app, needs: none}
  - {name: sign-out, match: {path: /logout}, pool: app, sign_out: true}
  - {name: account, match: {path: "/account/*"}, pool: app, members: true}
  - {name: app, pool: app}
`)
	bare.Sum = whole.Sum
	for i := range whole.Routes {
		bare.Routes[i].Line = whole.Routes[i].Line
	}
	same(t, "gatehouse.yaml", whole, bare)
}
