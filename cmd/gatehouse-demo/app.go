package main

import (
	"bytes"
	"embed"
	"errors"
	"html/template"
	"io/fs"
	"net/http"
	"strings"
	"time"
)

// demoPassword opens every account of the sample app.
const demoPassword = "demo"

//go:embed site
var siteFiles embed.FS

// App is the sample app, the "Harbour Intranet": pages for everybody, pages for members, and sessions in the store. It does
// what most apps do when their store fails: it answers 500 and, taking the visitor for signed out, deletes the cookie.
//
// It is made by NewApp and safe for concurrent use; several backends may share one Sessions.
type App struct {
	Name     string // the backend, shown on each page and in X-Backend
	Sessions *Sessions

	pages *template.Template
}

// NewApp returns the app of one backend.
func NewApp(name string, sessions *Sessions) *App {
	pages := template.Must(template.New("").Funcs(template.FuncMap{
		"clock": func(t time.Time) string { return t.Format("15:04:05") },
	}).ParseFS(siteFiles, "site/*.html"))
	return &App{Name: name, Sessions: sessions, pages: pages}
}

// view is what a page of the site shows.
type view struct {
	Page    string // its name, which the navigation marks
	Title   string
	Backend string
	Carries bool    // the visitor brought a session, which nobody looked up
	Session Session // zero where no session was looked up
	Name    string  // what was typed into the sign-in form
	Problem string  // what is wrong with a form, or with the store
}

// Handler returns the app's routes.
func (a *App) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", a.home)
	mux.HandleFunc("GET /login", a.signInForm)
	mux.HandleFunc("POST /login", a.signIn)
	mux.HandleFunc("POST /logout", a.signOut)
	mux.HandleFunc("GET /members", a.members)
	mux.HandleFunc("GET /notes", a.notes)
	mux.HandleFunc("POST /notes", a.addNote)
	mux.Handle("GET /assets/", a.assets())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("ok\n")) })
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		a.show(w, http.StatusNotFound, "problem", view{Title: "No such page", Problem: "There is no page at this address."})
	})
	guarded := http.NewCrossOriginProtection().Handler(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Backend", a.Name)
		h.Set("Content-Security-Policy",
			"default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		r.Body = http.MaxBytesReader(w, r.Body, 16<<10)
		guarded.ServeHTTP(w, r)
	})
}

func (a *App) home(w http.ResponseWriter, r *http.Request) {
	_, err := r.Cookie(cookieName)
	a.show(w, http.StatusOK, "home", view{Page: "home", Title: "Welcome", Carries: err == nil})
}

func (a *App) assets() http.Handler {
	dir, err := fs.Sub(siteFiles, "site/assets")
	if err != nil {
		panic(err) // the name is not a path, which no run can change
	}
	files := http.StripPrefix("/assets/", http.FileServerFS(dir))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "public, max-age=60")
		files.ServeHTTP(w, r)
	})
}

func (a *App) signInForm(w http.ResponseWriter, r *http.Request) {
	a.show(w, http.StatusOK, "login", view{Page: "login", Title: "Sign in"})
}

func (a *App) signIn(w http.ResponseWriter, r *http.Request) {
	name := strings.TrimSpace(r.PostFormValue("name"))
	if runes := []rune(name); len(runes) > 40 {
		name = string(runes[:40])
	}
	if name == "" || r.PostFormValue("password") != demoPassword {
		a.show(w, http.StatusUnprocessableEntity, "login", view{Page: "login", Title: "Sign in", Name: name,
			Problem: "That did not work. Any name will do; the password is demo."})
		return
	}
	id, err := a.Sessions.Create(r.Context(), Session{Name: name, Since: time.Now()})
	if err != nil {
		a.fail(w, err)
		return
	}
	setSession(w, id)
	http.Redirect(w, r, "/members", http.StatusSeeOther)
}

func (a *App) signOut(w http.ResponseWriter, r *http.Request) {
	// Whether or not the store could forget the session, this browser does: a wish to sign out is honoured.
	if c, err := r.Cookie(cookieName); err == nil {
		_ = a.Sessions.End(r.Context(), c.Value)
	}
	dropSession(w)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func (a *App) members(w http.ResponseWriter, r *http.Request) {
	if _, session, ok := a.member(w, r); ok {
		a.show(w, http.StatusOK, "members", view{Page: "members", Title: "Today in the harbour", Session: session})
	}
}

func (a *App) notes(w http.ResponseWriter, r *http.Request) {
	if _, session, ok := a.member(w, r); ok {
		a.show(w, http.StatusOK, "notes", view{Page: "notes", Title: "My notes", Session: session})
	}
}

func (a *App) addNote(w http.ResponseWriter, r *http.Request) {
	id, session, ok := a.member(w, r)
	if !ok {
		return
	}
	text := strings.TrimSpace(r.PostFormValue("text"))
	if text == "" || len(text) > 500 {
		a.show(w, http.StatusUnprocessableEntity, "notes", view{Page: "notes", Title: "My notes", Session: session,
			Problem: "A note has between one and 500 characters."})
		return
	}
	session.Notes = append([]Note{{At: time.Now(), Text: text}}, session.Notes...)
	session.Notes = session.Notes[:min(len(session.Notes), maxNotes)]
	if err := a.Sessions.Save(r.Context(), id, session); err != nil {
		a.fail(w, err)
		return
	}
	http.Redirect(w, r, "/notes", http.StatusSeeOther)
}

// member returns the visitor's session. Where there is none it answers, and returns false.
func (a *App) member(w http.ResponseWriter, r *http.Request) (id string, session Session, ok bool) {
	c, err := r.Cookie(cookieName)
	if err != nil {
		http.Redirect(w, r, "/login", http.StatusSeeOther)
		return "", Session{}, false
	}
	session, err = a.Sessions.Load(r.Context(), c.Value)
	switch {
	case errors.Is(err, errNoSession):
		dropSession(w)
		http.Redirect(w, r, "/login", http.StatusSeeOther)
	case err != nil:
		a.fail(w, err)
	default:
		return c.Value, session, true
	}
	return "", Session{}, false
}

// fail is what the app does when its store errs.
func (a *App) fail(w http.ResponseWriter, err error) {
	dropSession(w)
	a.show(w, http.StatusInternalServerError, "problem", view{Title: "Internal server error", Problem: err.Error()})
}

// show answers with a page. It is rendered before anything is sent, so that a page is whole or an error.
func (a *App) show(w http.ResponseWriter, status int, page string, v view) {
	v.Backend = a.Name
	var body bytes.Buffer
	if err := a.pages.ExecuteTemplate(&body, page+".html", v); err != nil {
		http.Error(w, "this page cannot be drawn", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	body.WriteTo(w)
}
