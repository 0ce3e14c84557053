package config

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got\n%+v\nwant\n%+v", what, got, want)
	}
}

// messages returns the formats of every call of fail and warn in this package, by where the call stands.
func messages(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found, set := map[string]string{}, token.NewFileSet()
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		tree, err := parser.ParseFile(set, file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(tree, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			name, ok := call.Fun.(*ast.SelectorExpr)
			if !ok || name.Sel.Name != "fail" && name.Sel.Name != "warn" {
				return true
			}
			at := set.Position(call.Pos()).String()
			format, ok := call.Args[0].(*ast.BasicLit)
			if !ok {
				t.Errorf("%s: the format is no literal", at)
				return true
			}
			found[at], err = strconv.Unquote(format.Value)
			if err != nil {
				t.Error(err)
			}
			return true
		})
	}
	return found
}

// TestEveryMessage holds each place that can complain to two things: it says what is wrong and what is wanted, and there
// is a file that makes it complain.
func TestEveryMessage(t *testing.T) {
	var seen strings.Builder
	for _, folder := range []string{"bad", "warn"} {
		for _, name := range cases(t, folder) {
			text, err := os.ReadFile(filepath.Join("testdata", folder, name+".txt"))
			if err != nil {
				t.Fatal(err)
			}
			seen.Write(text)
		}
	}
	found := messages(t)
	if len(found) < 50 {
		t.Errorf("%d messages found; that cannot be all", len(found))
	}
	for at, format := range found {
		if !strings.Contains(format, "; ") {
			t.Errorf("%s: %q does not say what is wanted after a semicolon", at, format)
		}
		parts := regexp.MustCompile(`%[a-z]`).Split(format, -1)
		for i := range parts {
			parts[i] = regexp.QuoteMeta(parts[i])
		}
		if !regexp.MustCompile(`(?m): ` + strings.Join(parts, ".*") + `$`).MatchString(seen.String()) {
			t.Errorf("%s: no file under testdata makes it say %q", at, format)
		}
	}
}

// TestSecretsStayUntold writes a secret wherever somebody might, and looks for it in what is said.
func TestSecretsStayUntold(t *testing.T) {
	const secret = "hunter2xyz"
	for _, text := range []string{
		"password: §", "password: [§]", "password: {§: §}", "password: '*§'", "password_file: [§]", "password_env: '§-1'", "pasword: §",
		"PASSWORD: §", "pass-word: §", "db: 1\n      password: §", "username: [1]\n      token: §", "'password:§': 1", "address: 'redis://u:§@h:1'",
		"password: *§", "password: !§ x", "password: &§ x", "password: §: §", "password: \"§\n", "? password: §\n      : 1", "db: password=§",
		"db:\n        password:§", "client_secret: {a: §}", "address: 'h:1 --token § --token=§'", "password: @§", "db: secret:§",
	} {
		file := minimal + "session:\n  cookies: [sid]\n  store:\n    redis:\n      " + strings.ReplaceAll(text, "§", secret) + "\n"
		list := problems(t, file)
		if len(list) == 0 {
			t.Errorf("%s: loaded", text)
		}
		if strings.Contains(list.Error(), secret) {
			t.Errorf("%s: told in\n%v", text, list)
		}
	}
}

func TestSyntaxErrorsNameTheLine(t *testing.T) {
	for text, line := range map[string]int{
		"a: [1, 2\nb: 3\n": 1, "x: 1\n\ta: 1\n": 2, "a: 1\nb: 2\n c: 3\n": 3, "a: 1\nb: \"x\nc: 2\n": 2, "a: 1\n]\n": 2,
		"x: 1\nfoo\nbar: 1\n": 2, "{a: 1}\nb: 2\n": 2, "a: {\n  b: 1,\n}\nc: [\n": 4, "a: 'x' y\n": 1, "a: 1\r\nb: @x\r\n": 2,
	} {
		list := problems(t, text)
		if len(list) != 1 || list[0].Line != line || list[0].Column < 1 {
			t.Errorf("%q: got %v, want one problem in line %d", text, list, line)
		}
	}
}
