package certs

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/mholt/acmez/v3/acme"
)

// FuzzChallenge asks for challenges as strangers do: only the name and the path that are expected are answered.
func FuzzChallenge(f *testing.F) {
	for _, host := range []string{"a.test", "A.test:80", "a.test.", "b.test", "[::1]:80", ":", "", "a.test:a.test:1"} {
		for _, path := range []string{"/.well-known/acme-challenge/abc", "/.well-known/acme-challenge/", "/.well-known/acme-challenge/../abc",
			"/.well-known/acme-challenge/abc/", "/", ""} {
			f.Add(host, path)
		}
	}
	k := New(slog.New(slog.DiscardHandler))
	k.answers.put(question{"a.test", http01}, &challenge{Challenge: acme.Challenge{Type: http01, Token: "abc", KeyAuthorization: "abc.xyz"}})
	f.Fuzz(func(t *testing.T, host, path string) {
		answer, ok := k.Challenge(host, path)
		name, _, _ := strings.Cut(strings.ToLower(host), ":")
		want := path == "/.well-known/acme-challenge/abc" && strings.TrimSuffix(name, ".") == "a.test"
		if ok && !want || ok != (answer == "abc.xyz") || !ok && want && strings.Count(host, ":") < 2 {
			t.Errorf("%q %q: %q, %v", host, path, answer, ok)
		}
	})
}
