package session

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// ErrKey is the root of every error about a key file.
var ErrKey = errors.New("session key")

const (
	leastKey = 32 // bytes: as many as the hash gives (RFC 2104 section 3)
	maxKeys  = 8  // so that a forged cookie costs eight hashes and no more
	wanted   = "want at least 32 random bytes in base64 or hex, as `head -c 32 /dev/urandom | base64` prints them"
)

// Seal signs Gatehouse's own cookies and tells them from forged ones. It is made by NewSeal or ParseKeys; the zero value
// signs nothing, believes nothing and is safe to ask. It is safe for concurrent use, and no method changes what it says.
//
// What is signed can be read by whoever carries it; it cannot be changed, nor made, nor passed off as a cookie of another kind,
// nor carried to another session (a proof) or another network (an admission, a place).
//
// Every Gatehouse that has the same keys believes what the others signed.
type Seal struct {
	keys []*keyed // the first signs
}

// NewSeal returns a Seal with a random key, which is gone with it: a restart forgets everybody, and a second Gatehouse knows
// nobody.
func NewSeal() *Seal {
	key := make([]byte, leastKey)
	_, _ = rand.Read(key) // never fails: it ends the program instead
	return &Seal{keys: []*keyed{newKeyed(key)}}
}

// ParseKeys reads the text of a key file: one key a line, in base64 (either alphabet, with or without padding) or hex, of at
// least 32 bytes. Blank lines, and what follows a #, are left out. The first key signs, and all of them are believed; there may
// be eight.
//
// So keys are changed without forgetting anybody in three steps: add the new key as the last line, and reload every Gatehouse
// that shares the file; move it to the first line, and reload them again; a day later, when all that the old one signed is over,
// remove the old one.
//
// An error names the line and what is wanted, never what stands there, and wraps ErrKey.
func ParseKeys(text []byte) (*Seal, error) {
	s := new(Seal)
	n := 0
	for line := range strings.Lines(strings.TrimPrefix(string(text), "\ufeff")) {
		n++
		line, _, _ = strings.Cut(line, "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		key, err := readKey(line)
		if err == nil && len(s.keys) == maxKeys {
			err = fmt.Errorf("there are more than %d keys; remove those that are no longer in use", maxKeys)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: line %d: %w", ErrKey, n, err)
		}
		s.keys = append(s.keys, newKeyed(key))
	}
	if len(s.keys) == 0 {
		return nil, fmt.Errorf("%w: there is none; %s, on a line of its own", ErrKey, wanted)
	}
	return s, nil
}

// readKey reads a key. What could be both is hex: the digits of a key that is too short in hex must not pass as base64 of more
// bytes than somebody thought of.
func readKey(line string) ([]byte, error) {
	var key []byte
	var err error
	if isHex(line) {
		key, err = hex.DecodeString(line)
	} else {
		plain := strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimRight(line, "="))
		key, err = base64.RawURLEncoding.DecodeString(plain)
	}
	switch {
	case err != nil: // it tells what stands there
		return nil, errors.New("neither base64 nor hex; " + wanted)
	case len(key) < leastKey:
		return nil, fmt.Errorf("a key of %d bytes is too short; %s", len(key), wanted)
	}
	return key, nil
}

func isHex(s string) bool {
	for i := range len(s) {
		if nibble(s[i]) < 0 {
			return false
		}
	}
	return true
}
