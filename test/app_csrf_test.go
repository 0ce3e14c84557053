package test

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/redis/go-redis/v9"
)

// csrfHabits are those of Rails and of Django with CSRF_USE_SESSIONS: the secret of a form lies in the session, also in that of
// somebody who has not signed in, so that to show the form is to write the store and to set a cookie. Whatever fails is a 500.
// Signing in changes the id. Of a session that is gone Rails thinks nothing; Django deletes its cookie.
type csrfHabits struct {
	*app
	django bool
}

func (a csrfHabits) form(w http.ResponseWriter, r *http.Request) {
	id, secret := session(r), rand.Text()
	if id == "" || a.store.Exists(r.Context(), "sess:"+id).Val() == 0 {
		id = rand.Text()
	}
	if a.store.Set(r.Context(), "csrf:"+id, secret, time.Hour).Err() != nil {
		failed(w)
		return
	}
	setCookie(w, "sid", id)
	fmt.Fprintf(w, "<form method=post><input name=csrf value=%s>", secret)
}

func (a csrfHabits) signIn(w http.ResponseWriter, r *http.Request) {
	old := session(r)
	secret, err := a.store.Get(r.Context(), "csrf:"+old).Result()
	switch {
	case err != nil && !errors.Is(err, redis.Nil):
		failed(w)
	case err != nil || secret != r.PostFormValue("csrf"):
		http.Error(w, "the form is too old", http.StatusForbidden)
	case a.store.Del(r.Context(), "csrf:"+old).Err() != nil:
		failed(w)
	default:
		a.begin(w, r, r.PostFormValue("name"))
	}
}

func (a csrfHabits) open(w http.ResponseWriter, r *http.Request) *visit {
	id := session(r)
	if id == "" {
		toForm(w, r)
		return nil
	}
	name, err := a.load(r.Context(), id)
	switch {
	case err == nil:
		return &visit{id: id, name: name}
	case errors.Is(err, redis.Nil):
		if a.django {
			dropCookie(w, "sid")
		}
		toForm(w, r)
	default:
		failed(w)
	}
	return nil
}
