package test

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/redis/go-redis/v9"
)

// aspnetHabits are those of ASP.NET's session state: a request locks its session before it reads it and lets go of it when the
// page is out, so that a read is a write; the cookie is sent again with each page.
type aspnetHabits struct{ *app }

func (a aspnetHabits) form(w http.ResponseWriter, r *http.Request) { plainForm(w, r) }
func (a aspnetHabits) signIn(w http.ResponseWriter, r *http.Request) {
	a.begin(w, r, r.PostFormValue("name"))
}

func (a aspnetHabits) open(w http.ResponseWriter, r *http.Request) *visit {
	id := session(r)
	if id == "" {
		toForm(w, r)
		return nil
	}
	unlock, err := a.lock(r.Context(), id)
	if err != nil {
		failed(w)
		return nil
	}
	name, err := a.load(r.Context(), id)
	switch {
	case errors.Is(err, redis.Nil):
		unlock()
		toForm(w, r)
		return nil
	case err != nil:
		failed(w)
		return nil
	}
	setCookie(w, "sid", id)
	return &visit{id: id, name: name, close: unlock}
}

// lock waits for the session to be free. A lock that nobody lets go of ends by itself.
func (a aspnetHabits) lock(ctx context.Context, id string) (unlock func(), err error) {
	for {
		got, err := a.store.SetNX(ctx, "lock:"+id, "1", time.Second).Result()
		if err != nil {
			return nil, err
		}
		if got {
			free := context.WithoutCancel(ctx)
			return func() { a.store.Del(free, "lock:"+id) }, nil
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}
