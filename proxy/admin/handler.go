package admin

import (
	"context"
	"encoding/json"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"strings"
	"time"
)

// Source is what the admin listener tells and does. It must be safe for concurrent use.
type Source interface {
	Status() Status
	// Ready reports whether visitors should be sent here, and why not.
	Ready() (bool, string)
	// Reload loads the operator's file again and returns every mistake that kept it from going live.
	Reload(ctx context.Context) error
	// Override sets the store's state by hand, or ends that. An error says why it cannot, such as that there is no store.
	Override(o Override) error
}

// Settings is what a handler is made from.
type Settings struct {
	Source  Source
	Metrics http.Handler // /metrics
	Token   string       // "": none is asked for
	Hosts   []string     // names and addresses that are believed beside localhost and the address itself; no ports
	Pprof   bool         // /debug/pprof/
	Log     *slog.Logger // nil: off
	Version string       // of the program, for the page's foot
}

// writeLimit bounds how long an answer may take to be read, except a profile's.
const writeLimit = 30 * time.Second

// door is one path: what it answers, to whom.
type door struct {
	path   string // with a trailing slash: and everything below
	what   string // one line for who asks for a path that does not exist
	method string // GET (and HEAD), or POST; "" for either
	open   bool   // never asks for a token
	slow   bool   // may take as long as it takes
	serve  http.HandlerFunc
}

type handler struct {
	set    Settings
	doors  []door
	origin *http.CrossOriginProtection
	page   page
}

// NewHandler returns the handler of the admin listener. It is safe for concurrent use.
func NewHandler(s Settings) http.Handler {
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	h := &handler{set: s, origin: http.NewCrossOriginProtection(), page: newPage()}
	h.doors = []door{
		{path: "/", what: "the live page", method: http.MethodGet, serve: h.live},
		{path: "/status", what: "the same as JSON", method: http.MethodGet, serve: h.status},
		{path: "/metrics", what: "for Prometheus", method: http.MethodGet, serve: h.metrics},
		{path: "/livez", what: "the process runs", method: http.MethodGet, open: true, serve: h.livez},
		{path: "/readyz", what: "visitors can be sent here", method: http.MethodGet, open: true, serve: h.readyz},
		{path: "/store/override", what: "POST: set the store's state by hand", method: http.MethodPost, serve: h.override},
		{path: "/reload", what: "POST: load the file again", method: http.MethodPost, slow: true, serve: h.reload},
	}
	if s.Pprof {
		h.doors = append(h.doors, door{path: "/debug/pprof/", what: "profiles", slow: true, serve: profile})
	}
	return h
}

// ServeHTTP asks the questions of the package comment, in that order.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	head := w.Header()
	head.Set("Cache-Control", "no-store")
	head.Set("X-Content-Type-Options", "nosniff")
	head.Set("Content-Security-Policy", h.page.policy)
	// Not no-referrer, by which a browser sends Origin: null even from our own form.
	head.Set("Referrer-Policy", "same-origin")
	head.Set("Cross-Origin-Resource-Policy", "same-origin")
	if !h.knowsHost(r) {
		say(w, http.StatusMisdirectedRequest, "This name is not known to the admin listener. Use localhost or the address it listens on, or add the name to admin.hosts.")
		return
	}
	d := h.find(r.URL.Path)
	if d == nil {
		say(w, http.StatusNotFound, h.listing())
		return
	}
	if !d.allows(r.Method) {
		head.Set("Allow", d.allow())
		say(w, http.StatusMethodNotAllowed, "Only "+d.allow()+" here.")
		return
	}
	if !d.open && !h.trusts(r) {
		head.Add("WWW-Authenticate", `Basic realm="Gatehouse", charset="UTF-8"`)
		head.Add("WWW-Authenticate", `Bearer realm="Gatehouse"`)
		say(w, http.StatusUnauthorized, "The token is asked for: as a bearer token, or as the password with any user name.")
		return
	}
	if err := h.origin.Check(r); err != nil {
		say(w, http.StatusForbidden, "This request comes from another site's page.")
		return
	}
	d.setDeadlines(w)
	d.serve(w, r)
}

// setDeadlines bounds how long the answer may take to be read. What is slow has no bound, nor does its connection's read
// deadline stand, since net/http takes a read that is late for a client that went away.
func (d *door) setDeadlines(w http.ResponseWriter) {
	c := http.NewResponseController(w)
	var write time.Time
	if d.slow {
		// A writer that has no deadlines is not a connection's.
		_ = c.SetReadDeadline(time.Time{})
	} else {
		write = time.Now().Add(writeLimit)
	}
	_ = c.SetWriteDeadline(write)
}

func (h *handler) find(path string) *door {
	for i := range h.doors {
		d := &h.doors[i]
		if path == d.path || d.path != "/" && strings.HasSuffix(d.path, "/") && strings.HasPrefix(path+"/", d.path) {
			return d
		}
	}
	return nil
}

func (d *door) allows(method string) bool {
	return method == d.method || d.method == http.MethodGet && method == http.MethodHead ||
		d.method == "" && (method == http.MethodGet || method == http.MethodPost)
}

func (d *door) allow() string {
	switch d.method {
	case http.MethodGet:
		return "GET, HEAD"
	case "":
		return "GET, POST"
	default:
		return d.method
	}
}

func (h *handler) listing() string {
	var b strings.Builder
	b.WriteString("There is nothing here. There is:\n")
	for _, d := range h.doors {
		b.WriteString("\n  " + d.path + strings.Repeat(" ", max(1, 18-len(d.path))) + d.what)
	}
	return b.String()
}

func (h *handler) livez(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "ok") }

func (h *handler) readyz(w http.ResponseWriter, _ *http.Request) {
	if ok, why := h.set.Source.Ready(); !ok {
		say(w, http.StatusServiceUnavailable, "not ready: "+why)
		return
	}
	say(w, http.StatusOK, "ready")
}

func (h *handler) status(w http.ResponseWriter, _ *http.Request) {
	s := h.set.Source.Status()
	s.Stores, s.Pools, s.Routes = list(s.Stores), list(s.Pools), list(s.Routes)
	s.Degraded, s.Events = list(s.Degraded), list(s.Events)
	answerJSON(w, http.StatusOK, s)
}

func (h *handler) metrics(w http.ResponseWriter, r *http.Request) {
	if h.set.Metrics == nil {
		say(w, http.StatusNotFound, "There are no metrics.")
		return
	}
	h.set.Metrics.ServeHTTP(w, r)
}

func (h *handler) live(w http.ResponseWriter, r *http.Request) {
	still := r.URL.Query().Has("still")
	if err := h.page.render(w, h.set.Source.Status(), h.set.Version, still); err != nil {
		h.set.Log.Warn("the live page was not rendered", "err", err)
	}
}

// profile serves net/http/pprof, which names its own paths.
func profile(w http.ResponseWriter, r *http.Request) {
	switch strings.TrimPrefix(r.URL.Path, "/debug/pprof/") {
	case "cmdline":
		pprof.Cmdline(w, r)
	case "profile":
		pprof.Profile(w, r)
	case "symbol":
		pprof.Symbol(w, r)
	case "trace":
		pprof.Trace(w, r)
	default:
		pprof.Index(w, r)
	}
}

// list makes no rows an empty list, which is easier to read by a program than null.
func list[T any](rows []T) []T {
	if rows == nil {
		return []T{}
	}
	return rows
}

// wantsText reports whether who asks prefers text to JSON, as a form without a script does.
func wantsText(r *http.Request) bool {
	accept := r.Header.Get("Accept")
	return strings.Contains(accept, "text/plain") || strings.Contains(accept, "text/html")
}

// say answers in plain text.
func say(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(code)
	// The peer may have gone; there is nobody left to tell.
	_, _ = w.Write([]byte(text + "\n"))
}

func answerJSON(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	// As in say.
	_ = e.Encode(v)
}

// isUnix reports whether a request came over a Unix socket.
func isUnix(r *http.Request) bool {
	a, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	return ok && a.Network() == "unix"
}
