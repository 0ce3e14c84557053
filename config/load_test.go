package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// minimal is the smallest file that is right.
const minimal = `
listen: [{address: ":8080"}]
pools: {app: {backends: ["http://10.0.0.1:8080"]}}
routes: [{name: app, pool: app}]
`

// parsed returns the Config of a text that must be right.
func parsed(t *testing.T, text string) *Config {
	t.Helper()
	c, err := Parse("test.yaml", []byte(text))
	if err != nil {
		t.Fatalf("%v\nin\n%s", err, text)
	}
	return c
}

// problems returns what is wrong with a text.
func problems(t *testing.T, text string) Problems {
	t.Helper()
	c, err := Parse("test.yaml", []byte(text))
	if err == nil {
		return nil
	}
	list, ok := err.(Problems)
	if !ok || len(list) == 0 || c != nil {
		t.Fatalf("Parse returned %v and the error %#v; want no Config and Problems", c, err)
	}
	return list
}

// cases returns the names of a folder's YAML files without their endings, each of which has a text beside it.
func cases(t *testing.T, folder string) (names []string) {
	t.Helper()
	files, err := os.ReadDir(filepath.Join("testdata", folder))
	if err != nil {
		t.Fatal(err)
	}
	endings := map[string]int{}
	for _, f := range files {
		name, ending := strings.TrimSuffix(f.Name(), filepath.Ext(f.Name())), filepath.Ext(f.Name())
		endings[ending]++
		if ending == ".yaml" {
			names = append(names, name)
		}
	}
	if endings[".yaml"] == 0 || endings[".yaml"] != endings[".txt"] {
		t.Fatalf("%s holds %v; want as many texts as files", folder, endings)
	}
	return names
}

func wanted(t *testing.T, folder, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", folder, name+".txt"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(string(text), "\n")
}

// TestBadFiles takes the files to stand in a folder of their own, beside a page that is too large to be one, and a certificate.
func TestBadFiles(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "bad")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, size := range map[string]int{"large.html": maxSize + 1, "a.pem": 0, "a.key": 0} {
		if err := os.WriteFile(filepath.Join(folder, name), make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range cases(t, "bad") {
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join("testdata", "bad", name+".yaml"))
			if err != nil {
				t.Fatal(err)
			}
			_, err = Parse(filepath.Join(folder, name+".yaml"), data)
			if err == nil {
				t.Fatal("loaded")
			}
			got := strings.ReplaceAll(err.Error(), folder+string(filepath.Separator), "")
			if want := wanted(t, "bad", name); got != want {
				t.Errorf("got\n%s\nwant\n%s\nfor\n%s", got, want, data)
			}
			if strings.Contains(got, "hunter") {
				t.Errorf("a secret is told: %s", got)
			}
		})
	}
}

// TestWarnings takes the files to stand in a folder of their own, beside a key that anybody can read.
func TestWarnings(t *testing.T) {
	folder := t.TempDir()
	key := filepath.Join(folder, "open.key")
	if err := os.WriteFile(key, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(key, 0o604); err != nil {
		t.Fatal(err)
	}
	for _, name := range cases(t, "warn") {
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join("testdata", "warn", name+".yaml"))
			if err != nil {
				t.Fatal(err)
			}
			c, err := Parse(filepath.Join(folder, name+".yaml"), data)
			if err != nil {
				t.Fatal(err)
			}
			got := strings.ReplaceAll(c.Warnings.Error(), folder+string(filepath.Separator), "")
			if want := wanted(t, "warn", name); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// TestEveryMistakeAtOnce holds the file of many mistakes to what makes it worth having: they all come, in order.
func TestEveryMistakeAtOnce(t *testing.T) {
	_, err := Load(filepath.Join("testdata", "bad", "many.yaml"))
	list, ok := err.(Problems)
	if !ok || len(list) < 35 {
		t.Fatalf("%d problems; want at least 35", len(list))
	}
	sections := map[string]bool{}
	for i, p := range list {
		if i > 0 && (p.Line < list[i-1].Line || p.Line == list[i-1].Line && p.Column < list[i-1].Column) {
			t.Errorf("%v comes after %v", p, list[i-1])
		}
		if p.Line < 1 || p.Column < 1 || p.Where == "" || !strings.ContainsAny(p.What, ";?") {
			t.Errorf("%#v lacks its place, or what is wanted", p)
		}
		sections[strings.FieldsFunc(p.Where, func(c rune) bool { return c == '.' || c == '[' })[0]] = true
	}
	for _, s := range []string{"listen", "acme", "admin", "trusted_proxies", "log", "session", "pools", "quotas", "quota_store", "routes", "degrade", "colour"} {
		if !sections[s] {
			t.Errorf("nothing about %s", s)
		}
	}
}

func TestLoadMissingFile(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{filepath.Join(dir, "none.yaml"), dir} {
		c, err := Load(path)
		list, ok := err.(Problems)
		if !ok || len(list) != 1 || c != nil || list[0].Path != path || !strings.Contains(err.Error(), "cannot be read: ") {
			t.Errorf("%v, %v; want one Problem that says it cannot be read", c, err)
		}
		if strings.Count(err.Error(), path) != 1 {
			t.Errorf("%v names the path more than once", err)
		}
	}
}

func TestLoadLargeFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "large.yaml")
	text := minimal + strings.Repeat("#", maxSize-len(minimal))
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); err != nil {
		t.Errorf("a file as large as may be: %v", err)
	}
	if err := os.WriteFile(path, []byte(text+"#"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); err == nil || !strings.Contains(err.Error(), "at most 1048576 bytes") {
		t.Errorf("a file that is larger: %v", err)
	}
}

func TestSum(t *testing.T) {
	a, b, c := parsed(t, minimal), parsed(t, minimal), parsed(t, minimal+"# more\n")
	if a.Sum != b.Sum || a.Sum == c.Sum || a.Sum == [32]byte{} {
		t.Error("the sum does not tell a change from a touch")
	}
	if c.Sum = a.Sum; !reflect.DeepEqual(a, c) {
		t.Error("a comment changed more than the sum")
	}
}

func TestProblemError(t *testing.T) {
	for want, p := range map[string]Problem{
		"f.yaml:3:7: a.b: wrong; right": {"f.yaml", 3, 7, "a.b", "wrong; right"},
		"f.yaml:3: wrong; right":        {"f.yaml", 3, 0, "", "wrong; right"},
		"f.yaml: wrong; right":          {"f.yaml", 0, 0, "", "wrong; right"},
	} {
		if got := p.Error(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
