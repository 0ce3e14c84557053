package test

import (
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// visitor is somebody with a browser: he keeps the cookies that he is given, and comes from an address of his own. He is one
// person, who does one thing at a time.
type visitor struct {
	base string // where he goes
	from string // his address
	jar  map[string]string
	http *http.Transport
	wait time.Duration // how long he has patience for an answer; patience where zero
}

// reply is one answer as a visitor sees it.
type reply struct {
	at      time.Time // when he asked
	took    time.Duration
	status  int // 0: no answer at all
	outcome string
	reason  string
	retry   time.Duration // Retry-After; -1: none
	header  http.Header
	body    string
	set     map[string]string // the cookies that it sets; "" for those that it takes away
	err     error
}

// ok reports whether an app answered what was asked for.
func (r reply) ok() bool { return r.status >= 200 && r.status < 400 && r.outcome == "" }

func (r reply) String() string {
	return fmt.Sprintf("%d %q after %v %v", r.status, r.header.Get("Gatehouse-Outcome"), r.took.Round(time.Millisecond), r.err)
}

// roads is what visitors of one test share: connections.
func roads() *http.Transport {
	return &http.Transport{MaxIdleConnsPerHost: 1000, DisableCompression: true}
}

// arrive returns the n-th visitor of a crowd, each from another network.
func arrive(base string, roads *http.Transport, n int) *visitor {
	return &visitor{base: base, from: fmt.Sprintf("10.%d.%d.7", n/250, n%250), jar: map[string]string{}, http: roads}
}

// twin is a visitor with the same cookies, somewhere else.
func (v *visitor) twin(from string) *visitor {
	t := *v
	t.from, t.jar = from, maps.Clone(v.jar)
	return &t
}

// bare is a visitor at the same place without any cookies.
func (v *visitor) bare() *visitor {
	t := *v
	t.jar = map[string]string{}
	return &t
}

func (v *visitor) get(path string, fields ...string) reply {
	return v.ask("GET", path, nil, fields...)
}

func (v *visitor) post(path string, form url.Values) reply { return v.ask("POST", path, form) }

// signIn looks at the form, and where he gets it sends it.
func (v *visitor) signIn() reply {
	if r := v.get("/login"); !r.ok() {
		return r
	}
	return v.post("/login", named)
}

var named = url.Values{"name": {"ada"}}

// ask sends one request and does with the answer's cookies as a browser does.
func (v *visitor) ask(method, path string, form url.Values, fields ...string) reply {
	a := reply{at: time.Now(), retry: -1, set: map[string]string{}, header: http.Header{}}
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	r, err := http.NewRequest(method, v.base+path, body)
	if err != nil {
		a.err = err
		return a
	}
	r.Header.Set("Accept", "text/html")
	r.Header.Set("X-Forwarded-For", v.from)
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		r.Header.Set(name, value)
	}
	for _, name := range slices.Sorted(maps.Keys(v.jar)) {
		r.AddCookie(&http.Cookie{Name: name, Value: v.jar[name]})
	}
	limit := v.wait
	if limit == 0 {
		limit = patience
	}
	c := http.Client{Transport: v.http, Timeout: limit, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := c.Do(r)
	a.took = time.Since(a.at)
	if err != nil {
		a.err = err
		return a
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	a.took = time.Since(a.at)
	if err != nil {
		a.err = err
		return a
	}
	a.status, a.header, a.body = res.StatusCode, res.Header, string(text)
	a.outcome, a.reason, _ = strings.Cut(res.Header.Get("Gatehouse-Outcome"), "; reason=")
	if s := res.Header.Get("Retry-After"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil {
			a.err = fmt.Errorf("Retry-After: %w", err)
			return a
		}
		a.retry = time.Duration(n) * time.Second
	}
	for _, c := range res.Cookies() {
		if c.MaxAge < 0 {
			delete(v.jar, c.Name)
			a.set[c.Name] = ""
			continue
		}
		v.jar[c.Name], a.set[c.Name] = c.Value, c.Value
	}
	return a
}

// The names of Gatehouse's own cookies, as a visitor sees them.
const (
	proofCookie     = "gatehouse_proof"
	admissionCookie = "gatehouse_admission"
	placeCookie     = "gatehouse_place"
)

// standsSince reads when somebody was first turned away out of his place, which is no secret; the zero time where it says nothing.
func standsSince(place string) time.Time {
	b, err := base64.RawURLEncoding.DecodeString(place)
	if err != nil || len(b) < 8 {
		return time.Time{}
	}
	ms := int64(0)
	for _, digit := range b[1:8] {
		ms = ms<<8 | int64(digit)
	}
	return time.UnixMilli(ms)
}
