package config

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// shown returns the value for a message: quoted and short, and never if it may be a secret.
func (v value) shown() string {
	if v.node.Kind == yaml.ScalarNode && v.node.Value != "" && v.hidden {
		return "a value that is not shown here"
	}
	return quote(v.node.Value)
}

// quote returns a stranger's text for a message.
func quote(s string) string {
	const most = 80
	if mayTellSecret(s) {
		return "a value that is not shown here"
	}
	if len(s) > most {
		cut := most
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		return strconv.Quote(s[:cut]) + "…"
	}
	return strconv.Quote(s)
}

// keyWord returns a key as part of a where: plain if it is a plain word.
func keyWord(key string) string {
	plain := key != "" && len(key) <= 64
	for i := 0; plain && i < len(key); i++ {
		c := key[i]
		plain = c == '-' || c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
	}
	if plain {
		return key
	}
	return "[" + quote(key) + "]"
}

// secretName reports whether what stands under such a key may be a secret.
func secretName(key string) bool {
	key = strings.ToLower(strings.NewReplacer("-", "", "_", "", " ", "").Replace(key))
	for _, word := range []string{"passw", "pasw", "passphrase", "pwd", "secret", "token", "credential", "apikey", "privatekey", "authorization"} {
		if strings.Contains(key, word) {
			return true
		}
	}
	return false
}

// mayTellSecret reports whether a text that stands where no secret belongs holds one all the same: user and password in a
// URL, or "password:x" with the space forgotten, which YAML reads as one word.
func mayTellSecret(s string) bool {
	if strings.Contains(s, "@") {
		return true
	}
	return regexp.MustCompile(`(?i)(passw|pasw|passphrase|pwd|secret|token|credential|api[-_]?key)[a-z_-]*\s*[:=]`).MatchString(s)
}
