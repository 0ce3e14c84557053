package test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// app is an app of the usual kind: sessions in Redis, an error page when that fails, and a session cookie thrown away on the
// way. It knows nothing of Gatehouse.
type app struct {
	*httptest.Server
	store   *redis.Client
	signIns atomic.Int64 // requests to sign in that reached it
}

func startApp(t *testing.T, r *redisServer) *app {
	t.Helper()
	a := &app{store: redis.NewClient(&redis.Options{
		Addr: r.address(), DialTimeout: time.Second, ReadTimeout: 2 * time.Second, WriteTimeout: 2 * time.Second, MaxRetries: 1,
		PoolSize: 200,
	})}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "welcome, stranger") })
	mux.HandleFunc("GET /assets/style.css", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css")
		fmt.Fprint(w, "body{}")
	})
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<form method=post>") })
	mux.HandleFunc("POST /login", a.signIn)
	mux.HandleFunc("GET /members", a.members)
	mux.HandleFunc("POST /notes", a.note)
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	a.Server = httptest.NewServer(mux)
	t.Cleanup(func() {
		a.Close()
		_ = a.store.Close()
	})
	return a
}

func (a *app) signIn(w http.ResponseWriter, r *http.Request) {
	a.signIns.Add(1)
	id := rand.Text()
	if err := a.store.Set(r.Context(), "sess:"+id, r.PostFormValue("name"), time.Hour).Err(); err != nil {
		http.Error(w, "Internal Server Error", http.StatusInternalServerError)
		return
	}
	http.SetCookie(w, &http.Cookie{Name: "sid", Value: id, Path: "/", HttpOnly: true})
	http.Redirect(w, r, "/members", http.StatusSeeOther)
}

func (a *app) members(w http.ResponseWriter, r *http.Request) {
	name, ok := a.session(w, r)
	if ok {
		fmt.Fprintf(w, "hello %s", name)
	}
}

func (a *app) note(w http.ResponseWriter, r *http.Request) {
	if _, ok := a.session(w, r); !ok {
		return
	}
	c, _ := r.Cookie("sid")
	if err := a.store.Set(r.Context(), "sess:"+c.Value, "noted", time.Hour).Err(); err != nil {
		http.Error(w, "Internal Server Error", http.StatusInternalServerError)
		return
	}
	http.Redirect(w, r, "/members", http.StatusSeeOther)
}

// session looks the visitor's session up. Where that fails it answers as many frameworks do: 500, and the cookie is deleted.
func (a *app) session(w http.ResponseWriter, r *http.Request) (string, bool) {
	c, err := r.Cookie("sid")
	if err != nil {
		http.Redirect(w, r, "/login", http.StatusSeeOther)
		return "", false
	}
	ctx, cancel := context.WithTimeout(r.Context(), 3*time.Second)
	defer cancel()
	name, err := a.store.Get(ctx, "sess:"+c.Value).Result()
	if err == nil {
		return name, true
	}
	http.SetCookie(w, &http.Cookie{Name: "sid", Path: "/", MaxAge: -1})
	if errors.Is(err, redis.Nil) {
		http.Redirect(w, r, "/login", http.StatusSeeOther)
		return "", false
	}
	http.Error(w, "Internal Server Error", http.StatusInternalServerError)
	return "", false
}
