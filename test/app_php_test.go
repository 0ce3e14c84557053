package test

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"net/http"

	"github.com/redis/go-redis/v9"
)

// phpHabits are those of PHP with php-redis as its session handler and session.use_strict_mode: a session is written when the
// page is out, and nobody hears of a failure; signing in deletes the old id, which a replica refuses and a full store does
// not; and an id that the store does not have, or that cannot be asked about because nobody listens, is replaced at once. A
// read that comes too late is an error page, and now and then another id.
type phpHabits struct{ *app }

func (a phpHabits) form(w http.ResponseWriter, r *http.Request) { plainForm(w, r) }

func (a phpHabits) signIn(w http.ResponseWriter, r *http.Request) {
	old := session(r)
	if old == "" {
		old = rand.Text()
	}
	if a.store.Del(r.Context(), "sess:"+old).Err() != nil { // session_regenerate_id(true)
		failed(w)
		return
	}
	id := rand.Text()
	setCookie(w, "sid", id)
	http.Redirect(w, r, "/members", http.StatusSeeOther)
	_ = a.save(r.Context(), id, r.PostFormValue("name")) // a warning in a log that nobody reads
}

func (a phpHabits) open(w http.ResponseWriter, r *http.Request) *visit {
	id := session(r)
	if id == "" {
		toForm(w, r)
		return nil
	}
	name, err := a.load(r.Context(), id)
	var dial *net.OpError
	switch {
	case err == nil:
		ctx := context.WithoutCancel(r.Context())
		return &visit{id: id, name: name, close: func() { _ = a.save(ctx, id, name) }}
	case errors.Is(err, redis.Nil), errors.As(err, &dial) && dial.Op == "dial":
		setCookie(w, "sid", rand.Text())
		toForm(w, r)
	default:
		if id[0]%3 == 0 {
			setCookie(w, "sid", rand.Text())
		}
		failed(w)
	}
	return nil
}
