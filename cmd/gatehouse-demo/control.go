package main

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"html/template"
	"net"
	"net/http"
	"net/netip"
	"time"
)

//go:embed control
var controlFiles embed.FS

// Control is the page on which a person breaks the store and mends it. It needs no script; its script keeps it current.
// It answers only to loopback names, whatever it listens on. Set the fields before Handler; safe for concurrent use after.
type Control struct {
	Store  *Store
	Status StatusReader
	Links  Links

	page  *template.Template
	style template.CSS
	code  template.JS
	csp   string
}

// Links are where the parts of the scene are: URLs, and the path of Gatehouse's file.
type Links struct{ With, Without, Admin, Control, Config string }

// sight is what the control page shows, and what its script asks for.
type sight struct {
	Fault FaultText `json:"-"`
	Word  Fault     `json:"fault"`
	Label string    `json:"label"`
	Text  string    `json:"store"`
	Try   string    `json:"expect"`
	For   string    `json:"for"` // how long, for a person
	Gate  GateView  `json:"gate"`
	Held  string    `json:"gateFor"`
}

// NewControl returns the control page's server.
func NewControl(store *Store, status StatusReader, links Links) *Control {
	c := &Control{Store: store, Status: status, Links: links}
	c.page = template.Must(template.ParseFS(controlFiles, "control/page.html"))
	style, code := mustRead("control/page.css"), mustRead("control/page.js")
	c.style, c.code = template.CSS(style), template.JS(code)
	c.csp = "default-src 'none'; style-src " + hashOf(style) + "; script-src " + hashOf(code) +
		"; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
	return c
}

func mustRead(name string) []byte {
	raw, err := controlFiles.ReadFile(name)
	if err != nil {
		panic(err) // it is compiled in
	}
	return raw
}

func hashOf(text []byte) string {
	sum := sha256.Sum256(text)
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// Handler returns the control page's routes.
func (c *Control) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", c.show)
	mux.HandleFunc("GET /view.json", c.view)
	mux.HandleFunc("POST /store", c.change)
	guarded := http.NewCrossOriginProtection().Handler(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", c.csp)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		if !loopback(r.Host) {
			http.Error(w, "the control page answers to localhost only", http.StatusMisdirectedRequest)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
		guarded.ServeHTTP(w, r)
	})
}

// loopback reports whether a Host is this machine's own name for itself: a page elsewhere whose name was made to point here
// is not the person at the keyboard.
func loopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

func (c *Control) look(r *http.Request) sight {
	fault, since := c.Store.Fault()
	text, _ := textOf(fault)
	v := sight{Fault: text, Word: fault, Label: text.Label, Text: text.Store, Try: text.Expect, For: ago(since),
		Gate: c.Status.Read(r.Context())}
	if !v.Gate.Since.IsZero() {
		v.Held = ago(v.Gate.Since)
	}
	return v
}

// ago tells how long ago t was, in whole seconds.
func ago(t time.Time) string { return max(0, time.Since(t)).Truncate(time.Second).String() }

func (c *Control) show(w http.ResponseWriter, r *http.Request) {
	var body bytes.Buffer
	err := c.page.Execute(&body, struct {
		Style  template.CSS
		Code   template.JS
		Now    sight
		Faults []FaultText
		Links  Links
	}{c.style, c.code, c.look(r), faultTexts(), c.Links})
	if err != nil {
		http.Error(w, "this page cannot be drawn", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	body.WriteTo(w)
}

func (c *Control) view(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(c.look(r))
}

func (c *Control) change(w http.ResponseWriter, r *http.Request) {
	err := c.Store.Set(Fault(r.PostFormValue("fault")))
	switch {
	case errors.Is(err, ErrNoFault):
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
	case err != nil:
		http.Error(w, err.Error(), http.StatusConflict)
	default:
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}
}
