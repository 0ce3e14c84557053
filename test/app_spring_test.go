package test

import (
	"crypto/rand"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
)

// springHabits are those of Spring Session and Spring Security with persistent remember-me: a session that cannot be read is
// a 500. One that is not there is made anew for whoever brings a remember-me cookie, whose second half is another on each use;
// where that cookie cannot be read or renewed it is cancelled, and one whose second half is stale is taken for stolen.
type springHabits struct{ *app }

func (a springHabits) form(w http.ResponseWriter, r *http.Request) { plainForm(w, r) }

func (a springHabits) signIn(w http.ResponseWriter, r *http.Request) {
	name, series := r.PostFormValue("name"), rand.Text()
	if r.PostFormValue("remember") != "" && !a.remember(w, r, series, name) {
		failed(w)
		return
	}
	a.begin(w, r, name)
}

// remember renews a remember-me cookie and reports whether it could.
func (a springHabits) remember(w http.ResponseWriter, r *http.Request, series, name string) bool {
	secret := rand.Text()
	if a.store.Set(r.Context(), "remember:"+series, secret+" "+name, time.Hour).Err() != nil {
		return false
	}
	setCookie(w, "remember", series+"."+secret)
	return true
}

func (a springHabits) open(w http.ResponseWriter, r *http.Request) *visit {
	if id := session(r); id != "" {
		name, err := a.load(r.Context(), id)
		if err == nil {
			return &visit{id: id, name: name}
		}
		if !errors.Is(err, redis.Nil) {
			failed(w)
			return nil
		}
	}
	return a.recall(w, r)
}

// recall signs in whoever brings a remember-me cookie.
func (a springHabits) recall(w http.ResponseWriter, r *http.Request) *visit {
	c, err := r.Cookie("remember")
	if err != nil {
		toForm(w, r)
		return nil
	}
	series, secret, _ := strings.Cut(c.Value, ".")
	kept, err := a.store.Get(r.Context(), "remember:"+series).Result()
	known, name, _ := strings.Cut(kept, " ")
	if err != nil || known != secret || !a.remember(w, r, series, name) {
		dropCookie(w, "remember")
		toForm(w, r)
		return nil
	}
	id := rand.Text()
	if a.save(r.Context(), id, name) != nil {
		failed(w)
		return nil
	}
	setCookie(w, "sid", id)
	return &visit{id: id, name: name}
}
