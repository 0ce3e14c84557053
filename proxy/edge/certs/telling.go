package certs

import (
	"crypto/x509"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// telling is what the log hears of the renewer: each trouble once, again when it becomes another, and once an hour while it lasts.
// That the directory or the place where certificates are kept is away is one trouble, whatever the number of names.
type telling struct {
	log *slog.Logger

	mu   sync.Mutex
	away kind                 // unreached, unkept or fine
	said map[string]utterance // by name; "" for away
}

type utterance struct {
	text string
	at   time.Time
}

const remind = time.Hour

// new reports whether a text is to be said now.
func (t *telling) new(about, text string) bool {
	now := time.Now()
	if last, ok := t.said[about]; ok && last.text == text && now.Sub(last.at) < remind {
		return false
	}
	if t.said == nil {
		t.said = make(map[string]utterance)
	}
	t.said[about] = utterance{text, now}
	return true
}

// failed says what went wrong with a name. missing and due are all names that have no certificate or want another.
func (t *telling) failed(name string, k kind, err error, h *held, missing, due []string, next time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if k == unreached || k == unkept {
		t.away = k
		if t.new("", fmt.Sprint(k)) {
			t.log.Error("no certificate can be obtained or renewed now, it is tried again all the time and what is there is served",
				"missing", missing, "due", due, "problem", err.Error())
		}
		return
	}
	switch {
	case !t.new(name, err.Error()):
	case h == nil:
		t.log.Error("a certificate is missing, connections by its name are refused", "name", name, "again_at", next, "problem", err.Error())
	default:
		t.log.Error("a certificate is not renewed, it is served on", "name", name, "until", h.cert.Leaf.NotAfter, "again_at", next,
			"problem", err.Error())
	}
}

// reached says that the directory is back.
func (t *telling) reached() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.away != fine {
		t.away = fine
		delete(t.said, "")
		t.log.Info("the directory answers again, certificates can be obtained")
	}
}

// here says that there is a certificate.
func (t *telling) here(name string, leaf *x509.Certificate) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.said, name)
	t.log.Info("a certificate is served", "name", name, "until", leaf.NotAfter, "issuer", leaf.Issuer.CommonName)
}
