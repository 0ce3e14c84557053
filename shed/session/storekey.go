package session

import (
	"encoding/base64"
	"errors"
	"net/url"
	"strings"
)

// StoreKey says under which key of the store an app keeps a session. It is a guess at what the app does, so it serves only to find out
// which part of a store keeps the session. The zero value is no key. It is only read.
type StoreKey struct {
	before, after string
	encoded       bool // what is carried is the id in base64
}

// errStoreKey is a template without one id in it.
var errStoreKey = errors.New(`{id} or {id_base64} is wanted in it once, as in "sess:{id}"`)

// NewStoreKey reads a template such as "sess:{id}", where {id} stands for the session's id: what the cookie holds, decoded, and without
// the signature that express-session adds. {id_base64} is for cookies that hold the id in base64, as Spring's do.
func NewStoreKey(template string) (StoreKey, error) {
	for _, mark := range [...]string{"{id}", "{id_base64}"} {
		before, after, ok := strings.Cut(template, mark)
		if ok && !strings.Contains(before+after, "{id}") && !strings.Contains(before+after, "{id_base64}") {
			return StoreKey{before, after, mark == "{id_base64}"}, nil
		}
	}
	return StoreKey{}, errStoreKey
}

// Of returns the key of the session that is carried as value.
func (k StoreKey) Of(value string) string {
	id := value
	if strings.Contains(id, "%") {
		if plain, err := url.PathUnescape(id); err == nil {
			id = plain
		}
	}
	if signed, is := strings.CutPrefix(id, "s:"); is { // express-session: s:ID.SIGNATURE
		if dot := strings.LastIndexByte(signed, '.'); dot >= 0 {
			signed = signed[:dot]
		}
		id = signed
	}
	if k.encoded {
		if plain, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(id, "=")); err == nil {
			id = string(plain)
		}
	}
	return k.before + id + k.after
}
