package test

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"time"

	"github.com/redis/go-redis/v9"
)

// expressHabits are those of express-session with connect-redis, rolling cookies and saveUninitialized off: every request that
// carries a session reads it first, a failed read is a 500 that leaves the cookie alone, each page sends the cookie again with
// the same value and touches the session when it is out, and signing in regenerates.
type expressHabits struct{ *app }

// read is the middleware. ok is false where it has answered; there is no session then, or name is empty.
func (a expressHabits) read(w http.ResponseWriter, r *http.Request) (id, name string, ok bool) {
	if id = session(r); id == "" {
		return "", "", true
	}
	name, err := a.load(r.Context(), id)
	if err != nil && !errors.Is(err, redis.Nil) {
		failed(w)
		return "", "", false
	}
	return id, name, true
}

func (a expressHabits) form(w http.ResponseWriter, r *http.Request) {
	if _, _, ok := a.read(w, r); ok {
		plainForm(w, r)
	}
}

func (a expressHabits) signIn(w http.ResponseWriter, r *http.Request) {
	old, _, ok := a.read(w, r)
	if !ok {
		return
	}
	if old != "" && a.store.Del(r.Context(), "sess:"+old).Err() != nil {
		failed(w)
		return
	}
	id := rand.Text()
	if a.save(r.Context(), id, r.PostFormValue("name")) != nil {
		failed(w)
		return
	}
	setCookie(w, "sid", id)
	http.Redirect(w, r, "/members", http.StatusFound)
}

func (a expressHabits) open(w http.ResponseWriter, r *http.Request) *visit {
	id, name, ok := a.read(w, r)
	switch {
	case !ok:
		return nil
	case name == "":
		toForm(w, r)
		return nil
	}
	setCookie(w, "sid", id)
	ctx := context.WithoutCancel(r.Context())
	return &visit{id: id, name: name, close: func() { a.store.Expire(ctx, "sess:"+id, time.Hour) }}
}
