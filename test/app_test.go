package test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// framework names how an app treats its sessions, above all when its store fails.
type framework string

const (
	ordinary    framework = "ordinary" // an error page, and a session cookie thrown away on the way
	express     framework = "express"
	php         framework = "php"
	oauth2proxy framework = "oauth2-proxy"
	spring      framework = "spring"
	aspnet      framework = "asp.net"
	rails       framework = "rails"
	django      framework = "django"
)

// habits are what one framework does. Each answers the request whole, or leaves it unanswered where it says so.
type habits interface {
	// form answers GET /login.
	form(w http.ResponseWriter, r *http.Request)
	// signIn answers POST /login.
	signIn(w http.ResponseWriter, r *http.Request)
	// open looks the session of a request up. Where there is none it answers and returns nil.
	open(w http.ResponseWriter, r *http.Request) *visit
}

// visit is a session that was found. close is what the framework does with it when the page is out; nil: nothing.
type visit struct {
	id, name string
	close    func()
}

// app is an app of some framework with its sessions in Redis. It knows nothing of Gatehouse.
type app struct {
	*httptest.Server
	store  redis.UniversalClient
	others []redis.UniversalClient // of other members of its store; what is saved is copied there, and looked for where its own has none
	either bool                    // it saves there where its own does not take it
	habits
	says    atomic.Pointer[string] // of its store, with every answer; nil: nothing
	padding int                    // bytes that each session holds beside the name

	work  sync.WaitGroup // what goes on after a request
	mu    sync.Mutex
	came  []time.Time     // when requests to sign in reached it
	begun []time.Time     // when journeys through a sign-in did: a form that was asked for, or a request for which nobody asked for one
	used  map[string]bool // one-time codes that were taken
}

// startApp starts an app of that framework whose sessions are at that address.
func startApp(t *testing.T, store string, f framework) *app {
	t.Helper()
	return startAppBy(t, redis.NewClient(&redis.Options{
		Addr: store, DialTimeout: time.Second, ReadTimeout: 1500 * time.Millisecond, WriteTimeout: 1500 * time.Millisecond,
		MaxRetries: -1, DialerRetries: 1, PoolSize: 200,
	}), f)
}

// startAppBy is startApp with a client of its store, which it closes.
func startAppBy(t *testing.T, store redis.UniversalClient, f framework) *app {
	t.Helper()
	a := &app{used: map[string]bool{}, store: store}
	switch f {
	case ordinary:
		a.habits = ordinaryHabits{a}
	case express:
		a.habits = expressHabits{a}
	case php:
		a.habits = phpHabits{a}
	case oauth2proxy:
		a.habits = oauth2Habits{a}
	case spring:
		a.habits = springHabits{a}
	case aspnet:
		a.habits = aspnetHabits{a}
	case rails, django:
		a.habits = csrfHabits{app: a, django: f == django}
	default:
		t.Fatalf("no such framework: %s", f)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "welcome, stranger") })
	mux.HandleFunc("GET /assets/style.css", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css")
		fmt.Fprint(w, "body{}")
	})
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		a.begun = append(a.begun, time.Now())
		a.mu.Unlock()
		a.form(w, r)
	})
	mux.HandleFunc("POST /login", func(w http.ResponseWriter, r *http.Request) {
		a.mu.Lock()
		now := time.Now()
		if a.came = append(a.came, now); r.URL.RawQuery == noForm {
			a.begun = append(a.begun, now)
		}
		a.mu.Unlock()
		a.signIn(w, r)
	})
	mux.HandleFunc("GET /callback", a.callback)
	mux.HandleFunc("GET /members", a.members)
	mux.HandleFunc("POST /notes", a.note)
	mux.HandleFunc("POST /logout", a.signOut)
	mux.HandleFunc("GET /healthz", func(http.ResponseWriter, *http.Request) {})
	a.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if word := a.says.Load(); word != nil {
			w.Header().Set("Gatehouse-Store", *word)
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		a.Close()
		a.work.Wait()
		_ = a.store.Close()
	})
	return a
}

func (a *app) members(w http.ResponseWriter, r *http.Request) {
	v := a.open(w, r)
	if v == nil {
		return
	}
	fmt.Fprintf(w, "hello %s", v.name)
	if v.close != nil {
		_ = http.NewResponseController(w).Flush()
		v.close()
	}
}

func (a *app) note(w http.ResponseWriter, r *http.Request) {
	v := a.open(w, r)
	if v == nil {
		return
	}
	if err := a.save(r.Context(), v.id, v.name); err != nil {
		failed(w)
	} else {
		http.Redirect(w, r, "/members", http.StatusSeeOther)
	}
	if v.close != nil {
		v.close()
	}
}

// callback is where a provider sends visitors back to, with a code that can be used once.
func (a *app) callback(w http.ResponseWriter, r *http.Request) {
	code := r.FormValue("code")
	a.mu.Lock()
	used := a.used[code]
	a.used[code] = true
	a.mu.Unlock()
	if used || code == "" {
		http.Error(w, "this code was used", http.StatusBadRequest)
		return
	}
	a.begin(w, r, code)
}

// signOut ends the session in the store, and where it cannot says so.
func (a *app) signOut(w http.ResponseWriter, r *http.Request) {
	if id := session(r); id != "" {
		if a.store.Del(r.Context(), "sess:"+id).Err() != nil {
			failed(w)
			return
		}
	}
	dropCookie(w, "sid")
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// begin makes a new session for name and sends its cookie, or answers that it failed.
func (a *app) begin(w http.ResponseWriter, r *http.Request, name string) {
	id := rand.Text()
	if a.save(r.Context(), id, name) != nil {
		failed(w)
		return
	}
	setCookie(w, "sid", id)
	http.Redirect(w, r, "/members", http.StatusSeeOther)
}

func (a *app) save(ctx context.Context, id, name string) error {
	content := name + "\n" + strings.Repeat("x", a.padding)
	err := a.store.Set(ctx, "sess:"+id, content, time.Hour).Err()
	for _, other := range a.others {
		if err != nil && a.either {
			err = other.Set(ctx, "sess:"+id, content, time.Hour).Err()
		} else if err == nil { // as what copies from one member to the other does, some time later
			a.work.Go(func() { _ = other.Set(context.WithoutCancel(ctx), "sess:"+id, content, time.Hour).Err() })
		}
	}
	return err
}

// load returns the name that a session holds, and redis.Nil where there is no such session.
func (a *app) load(ctx context.Context, id string) (string, error) {
	value, err := a.store.Get(ctx, "sess:"+id).Result()
	for i := 0; err != nil && i < len(a.others); i++ {
		value, err = a.others[i].Get(ctx, "sess:"+id).Result()
	}
	name, _, _ := strings.Cut(value, "\n")
	return name, err
}

// noForm is the query of who signs in without asking for the form before.
const noForm = "no-form"

// journeys returns when journeys through a sign-in reached the app.
func (a *app) journeys() []time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.begun)
}

// signIns returns when requests to sign in reached the app.
func (a *app) signIns() []time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.came)
}

func failed(w http.ResponseWriter) {
	http.Error(w, "Internal Server Error", http.StatusInternalServerError)
}

func toForm(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

// session returns the id that a request carries, "" for none.
func session(r *http.Request) string {
	c, err := r.Cookie("sid")
	if err != nil {
		return ""
	}
	return c.Value
}

func setCookie(w http.ResponseWriter, name, value string) {
	http.SetCookie(w, &http.Cookie{Name: name, Value: value, Path: "/", HttpOnly: true})
}

func dropCookie(w http.ResponseWriter, name string) {
	http.SetCookie(w, &http.Cookie{Name: name, Path: "/", MaxAge: -1})
}

func plainForm(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html")
	fmt.Fprint(w, "<form method=post>")
}

// ordinaryHabits are of the usual kind: where a session cannot be read, an error page, and the cookie deleted.
type ordinaryHabits struct{ *app }

func (a ordinaryHabits) form(w http.ResponseWriter, r *http.Request) { plainForm(w, r) }
func (a ordinaryHabits) signIn(w http.ResponseWriter, r *http.Request) {
	if r.PostFormValue("password") == "wrong" {
		plainForm(w, r)
		return
	}
	a.begin(w, r, r.PostFormValue("name"))
}

func (a ordinaryHabits) open(w http.ResponseWriter, r *http.Request) *visit {
	id := session(r)
	if id == "" {
		toForm(w, r)
		return nil
	}
	name, err := a.load(r.Context(), id)
	if err == nil {
		return &visit{id: id, name: name}
	}
	dropCookie(w, "sid")
	if errors.Is(err, redis.Nil) {
		toForm(w, r)
	} else {
		failed(w)
	}
	return nil
}
