package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// patience is how long a visitor waits for an answer.
const patience = 10 * time.Second

// Crowd is the visitors of one side. They behave as browsers do: a deleted cookie is gone, and who has none must sign in
// again. Safe for concurrent use.
type Crowd struct {
	side    Side
	base    string // URL without a path
	client  *http.Client
	holds   func(key string) bool // whether the store has this key
	members []*visitor
	newest  atomic.Uint32 // numbers those who sign in for the first time
}

// visitor is one browser.
type visitor struct {
	name, addr string

	mu sync.Mutex
	id string // of the session, "" when signed out
}

// NewCrowd returns a crowd with so many members, nobody of whom is signed in. Close must be called.
func NewCrowd(side Side, base string, members int, holds func(string) bool) *Crowd {
	c := &Crowd{side: side, base: base, holds: holds, client: &http.Client{
		Timeout:       patience,
		Transport:     &http.Transport{MaxIdleConnsPerHost: 256},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	for i := range members {
		c.members = append(c.members, &visitor{name: fmt.Sprintf("Member %d", i+1), addr: fmt.Sprintf("10.1.%d.%d", i/250, i%250+1)})
	}
	return c
}

// Close closes the crowd's connections.
func (c *Crowd) Close() { c.client.CloseIdleConnections() }

// SignIn signs every member in by the given way, which is the plain one: Gatehouse is asked nothing before the clock runs.
func (c *Crowd) SignIn(ctx context.Context, base string) error {
	for _, v := range c.members {
		if seen := c.ask(ctx, base, Returns, v); seen.Class != OK {
			return fmt.Errorf("%s could not sign in before the script began", v.name)
		}
	}
	return nil
}

// Visit makes the n-th visit of a kind and returns what was seen.
func (c *Crowd) Visit(ctx context.Context, k Kind, n int) Seen {
	switch k {
	case Members, Notes:
		v, came := c.members[n%len(c.members)], k
		if v.session() == "" {
			k = Returns
		}
		seen := c.ask(ctx, c.base, k, v)
		seen.Came = came
		return seen
	default:
		i := c.newest.Add(1)
		return c.ask(ctx, c.base, k, &visitor{name: fmt.Sprintf("Visitor %d", i),
			addr: fmt.Sprintf("10.%d.%d.%d", 2+i>>16&0x7f, i>>8&0xff, i&0xff)})
	}
}

func (v *visitor) session() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.id
}

// keep does with an answer's cookies what a browser does. It returns the session that the visitor had and has no more, and
// whether the answer brought one.
func (v *visitor) keep(cookies []*http.Cookie) (gone string, signedIn bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, c := range cookies {
		if c.Name != cookieName || c.Value == v.id {
			continue
		}
		gone = v.id
		v.id = ""
		if c.MaxAge >= 0 {
			v.id, signedIn = c.Value, c.Value != ""
		}
	}
	return gone, signedIn
}

func (c *Crowd) ask(ctx context.Context, base string, k Kind, v *visitor) Seen {
	seen := Seen{Side: c.side, Came: k, Kind: k, Begun: time.Now(), Class: Bare}
	req, err := request(ctx, base, k, v)
	if err != nil {
		seen.Ended = time.Now()
		return seen
	}
	resp, err := c.client.Do(req)
	if err == nil {
		_, err = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	seen.Ended = time.Now()
	if err != nil {
		return seen
	}
	gone, signedIn := v.keep(resp.Cookies())
	seen.Class = classify(k, resp.StatusCode, resp.Header, signedIn)
	seen.Reason = reasonIn(resp.Header.Get("Gatehouse-Outcome"))
	if gone != "" && k != SignIns && k != Returns {
		seen.SignedOut = c.holds(sessionKey(gone))
		seen.Lost = !seen.SignedOut
	}
	return seen
}

// request draws up what a visitor sends. Each names an address of their own, as a load balancer in front would.
func request(ctx context.Context, base string, k Kind, v *visitor) (*http.Request, error) {
	method, path, form := http.MethodGet, "/", url.Values(nil)
	switch k {
	case Members:
		path = "/members"
	case SignIns, Returns:
		method, path, form = http.MethodPost, "/login", url.Values{"name": {v.name}, "password": {demoPassword}}
	case Notes:
		method, path, form = http.MethodPost, "/notes", url.Values{"text": {"The tide is in."}}
	case Assets:
		path = "/assets/harbour.css"
	}
	req, err := http.NewRequestWithContext(ctx, method, base+path, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	if form == nil {
		req.Body, req.ContentLength = http.NoBody, 0
	} else {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	req.Header.Set("Accept", "text/html,*/*;q=0.8")
	req.Header.Set("X-Forwarded-For", v.addr)
	if id := v.session(); id != "" {
		req.AddCookie(&http.Cookie{Name: cookieName, Value: id})
	}
	return req, nil
}
