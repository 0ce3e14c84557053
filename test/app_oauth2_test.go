package test

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/redis/go-redis/v9"
)

// oauth2Habits are those of oauth2-proxy with its sessions in Redis: a session that cannot be read is cleared, which deletes
// the cookie, sends the visitor to sign in, and queues a DEL of the session that is tried again for some seconds, whatever has
// become of the request by then. A store that comes back to life carries it out. Only a request whose client went away before
// the store's answer was overdue queues nothing.
type oauth2Habits struct{ *app }

func (a oauth2Habits) form(w http.ResponseWriter, r *http.Request) { plainForm(w, r) }
func (a oauth2Habits) signIn(w http.ResponseWriter, r *http.Request) {
	a.begin(w, r, r.PostFormValue("name"))
}

func (a oauth2Habits) open(w http.ResponseWriter, r *http.Request) *visit {
	id := session(r)
	if id == "" {
		toForm(w, r)
		return nil
	}
	name, err := a.load(r.Context(), id)
	if err == nil {
		return &visit{id: id, name: name}
	}
	if r.Context().Err() != nil {
		return nil
	}
	if !errors.Is(err, redis.Nil) {
		ctx := context.WithoutCancel(r.Context())
		a.work.Go(func() { a.forget(ctx, id) })
	}
	dropCookie(w, "sid")
	toForm(w, r)
	return nil
}

// forget deletes a session, however long that takes within reason.
func (a oauth2Habits) forget(ctx context.Context, id string) {
	for until := time.Now().Add(10 * time.Second); time.Now().Before(until); time.Sleep(100 * time.Millisecond) {
		if a.store.Del(ctx, "sess:"+id).Err() == nil {
			return
		}
	}
}
