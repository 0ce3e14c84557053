package session

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

func keys(t *testing.T, text string) *Seal {
	t.Helper()
	s, err := ParseKeys([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// knows reports whether the one believes what the other signs.
func knows(s, of *Seal) bool {
	good, _ := s.Proves(of.Proof(sid, now), sid, now)
	return good
}

func TestKeyFile(t *testing.T) {
	key := make([]byte, 40)
	for {
		if _, _ = rand.Read(key); bytes.ContainsAny([]byte(base64.StdEncoding.EncodeToString(key)), "+/") {
			break
		}
	}
	plain := &Seal{keys: []*keyed{newKeyed(key)}}
	other := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("other key "), 4))
	for name, text := range map[string]string{
		"base64":                  base64.StdEncoding.EncodeToString(key) + "\n",
		"without a line end":      base64.StdEncoding.EncodeToString(key),
		"without padding":         base64.RawStdEncoding.EncodeToString(key),
		"for URLs":                base64.URLEncoding.EncodeToString(key),
		"hex":                     hex.EncodeToString(key),
		"capital hex":             strings.ToUpper(hex.EncodeToString(key)),
		"comments":                "\n# made by hand\n \t\n  " + hex.EncodeToString(key) + "\t# in May\r\n\r\n#" + other,
		"a mark at the beginning": "\ufeff" + hex.EncodeToString(key) + "\r\n",
		"another after it":        hex.EncodeToString(key) + "\n" + other,
	} {
		s := keys(t, text)
		if !knows(s, plain) || !knows(plain, s) {
			t.Errorf("%s: another key", name)
		}
	}
	for _, command := range []string{"head -c 32 /dev/urandom | base64", "head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \\n'"} {
		out, err := exec.Command("sh", "-c", command).Output()
		if err != nil {
			t.Fatal(err)
		}
		if s := keys(t, string(out)); !knows(s, s) {
			t.Errorf("%s: no key", command)
		}
	}
}

func TestBadKeyFiles(t *testing.T) {
	good := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("k"), 32)) + "\n"
	for _, c := range []struct{ name, text, says string }{
		{"empty", "", "session key: there is none"},
		{"only comments", "# none\n\n", "there is none"},
		{"a short one", "c2VjcmV0LXNlY3JldC0\n", "line 1: a key of 14 bytes is too short"},
		{"31 bytes", "#\n\n" + base64.StdEncoding.EncodeToString(make([]byte, 31)), "line 3: a key of 31 bytes is too short"},
		{"31 bytes in hex, which base64 would take for more", strings.Repeat("ab", 31), "line 1: a key of 31 bytes is too short"},
		{"half a byte of hex", strings.Repeat("ab", 32) + "a", "line 1: neither base64 nor hex"},
		{"words", good + "correct horse battery staple correct horse\n", "line 2: neither base64 nor hex"},
		{"words without spaces", good + "correct-horse-battery-staple", "line 2: a key of 21 bytes is too short"},
		{"PEM", "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIHNlY3JldA\n", "line 1: neither base64 nor hex"},
		{"binary", "\xff\x00secret" + strings.Repeat("\x01", 40), "line 1: neither base64 nor hex"},
		{"a key that was broken into two lines", base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("x"), 60))[:60] + "\n" + "eHh4eHh4eHh4eHh4eHh4eHh4", "line 2: a key of 18 bytes"},
		{"nine", strings.Repeat(good, 9), "line 9: there are more than 8 keys"},
	} {
		s, err := ParseKeys([]byte(c.text))
		if !errors.Is(err, ErrKey) || s != nil {
			t.Errorf("%s: accepted, or another error: %v", c.name, err)
			continue
		}
		says := err.Error()
		if !strings.Contains(says, c.says) || strings.Contains(says, "\n") {
			t.Errorf("%s: %q does not say %q in one line", c.name, says, c.says)
		}
		if c.name != "nine" && !strings.Contains(says, "`head -c 32 /dev/urandom | base64`") {
			t.Errorf("%s: %q does not say what is wanted", c.name, says)
		}
		for _, secret := range []string{"secret", "horse", "BEGIN", "c2Vj", "abab"} {
			if strings.Contains(says, secret) {
				t.Errorf("%s: %q tells what stands in the file", c.name, says)
			}
		}
	}
	keys(t, strings.Repeat(good, 8))
}

// The three steps by which a key is changed, on two Gatehouses that are not reloaded at once: at every moment each believes
// what the other signs.
func TestKeysAreChangedWithoutForgettingAnybody(t *testing.T) {
	a, b := hex.EncodeToString(bytes.Repeat([]byte("a"), 32)), hex.EncodeToString(bytes.Repeat([]byte("b"), 32))
	steps := []string{a, a + "\n" + b, b + "\n" + a, b}
	for i := range steps[1:] {
		one, two := keys(t, steps[i]), keys(t, steps[i+1])
		if i < 2 && !knows(one, two) || !knows(two, one) {
			t.Errorf("step %d: one knows the other's %v, and %v", i+1, knows(one, two), knows(two, one))
		}
	}
	if !knows(keys(t, steps[2]), keys(t, steps[0])) || knows(keys(t, steps[3]), keys(t, steps[0])) {
		t.Error("the old key is not believed while it stands there, or still is when it is gone")
	}
	if !knows(keys(t, steps[2]), keys(t, steps[3])) {
		t.Error("who has not dropped the old key yet does not believe the new one")
	}
	if knows(NewSeal(), NewSeal()) {
		t.Error("two random keys are the same")
	}
}

func FuzzParseKeys(f *testing.F) {
	f.Add([]byte("# a\n\n" + strings.Repeat("ab", 32)))
	f.Add([]byte(base64.StdEncoding.EncodeToString(make([]byte, 33)) + "=\r\n#"))
	// Nothing else is said, and so nothing of what stands there.
	want := regexp.QuoteMeta(wanted)
	sayings := regexp.MustCompile("^session key: (there is none; " + want + ", on a line of its own|line [0-9]+: (neither base64 nor hex; " + want +
		"|a key of [0-9]+ bytes is too short; " + want + "|there are more than 8 keys; remove those that are no longer in use))$")
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := ParseKeys(text)
		if err != nil {
			if !errors.Is(err, ErrKey) || s != nil || !sayings.MatchString(err.Error()) {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		if len(s.keys) == 0 || len(s.keys) > maxKeys || !knows(s, s) {
			t.Errorf("%q: %d keys", text, len(s.keys))
		}
		for _, k := range s.keys {
			if len(k.key) < leastKey {
				t.Errorf("%q: a key of %d bytes", text, len(k.key))
			}
		}
	})
}
