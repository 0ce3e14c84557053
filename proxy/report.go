package proxy

import (
	"strings"
	"time"

	"gatehouse/proxy/upstream"
	"gatehouse/shed"
	"gatehouse/shed/store"
)

// reportField is where an app says what it sees of its session store: an old node behind a name that was not looked up again, for
// example, which a probe of the new one cannot see. It never reaches a visitor.
const reportField = "Gatehouse-Store"

// hear takes the app's own word about its store, where the file says that this pool's is worth something.
func (x *exchange) hear(answer *upstream.Answer) {
	if x.store == nil || !x.rt.Reporters[x.pool] {
		return
	}
	word, ok := answer.Head.Field(reportField, 0)
	if !ok {
		return
	}
	if r, ok := readReport(word); ok {
		r.From = server(x.entry.Backend)
		x.store.Monitor.Report(r)
	}
}

// unbounded is how long a word holds that says nothing of it: the store's own bound is shorter.
const unbounded = time.Hour

// readReport reads "read-only; for=2s", or "writable", which takes it back. An app can say that its store cannot be written, and no
// more: "down" says just that. What cannot be read says nothing.
func readReport(word string) (store.Report, bool) {
	state, rest, _ := strings.Cut(word, ";")
	r := store.Report{For: unbounded}
	switch strings.Trim(state, " \t") {
	case shed.ReadOnly.String(), shed.Down.String():
	case shed.Writable.String():
		return store.Report{}, true
	default:
		return r, false
	}
	for parameter := range strings.SplitSeq(rest, ";") {
		name, value, _ := strings.Cut(strings.Trim(parameter, " \t"), "=")
		if !strings.EqualFold(name, "for") {
			continue
		}
		d, err := time.ParseDuration(strings.Trim(value, `" `))
		if err != nil || d <= 0 {
			return r, false
		}
		r.For = min(d, unbounded)
	}
	return r, true
}

// server is where a backend is, whatever is spoken there: one that is in two pools has one word.
func server(url string) string {
	if _, address, ok := strings.Cut(url, "://"); ok {
		return address
	}
	return url
}
