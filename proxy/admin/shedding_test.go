package admin

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"gatehouse/shed"
)

// says checks which texts stand on the page of a Status.
func says(t *testing.T, s Status, want bool, texts ...string) {
	t.Helper()
	html := rendered(t, s)
	for _, text := range texts {
		if strings.Contains(html, text) != want {
			t.Errorf("%q is there: %v, want %v", text, !want, want)
		}
	}
}

// row returns the part of the page between two texts.
func row(t *testing.T, s Status, from, to string) string {
	t.Helper()
	_, rest, ok := strings.Cut(rendered(t, s), from)
	part, _, closed := strings.Cut(rest, to)
	if !ok || !closed {
		t.Fatalf("no %q up to %q", from, to)
	}
	return part
}

func TestPageSaysHowSignInsComeBack(t *testing.T) {
	s := incident("writable", "ok")
	st := &s.Stores[0]
	const block = `aria-label="The line"`
	says(t, s, false, block, "The ramp is running")
	st.Recovering, st.Waiting = true, 3
	says(t, s, true, "The ramp is running", "3 sign-ins wait in the line")

	st.Line = &Line{Rate: 42.4, Waiting: 37, Admitted: 1204, Since: s.Now.Add(-time.Minute), Ends: s.Now.Add(20 * time.Second)}
	at := func(d time.Duration) string { return s.Now.Add(d).UTC().Format("15:04:05") + "</time> UTC" }
	says(t, s, false, "The ramp is running", `class="alarm">halved`, "has drained")
	says(t, s, true, block, "Sign-ins come back: 42 a second now", "<b>37</b> wait", "<b>1\u202f204</b> let in so far", "never halved", at(-time.Minute), at(20*time.Second), "in 20\u00a0s")

	for n, text := range map[int]string{1: "once", 2: "twice", 5: "5\u00a0times"} {
		st.Line.Halved = n
		says(t, s, true, `<li class="alarm">halved `+text)
	}
	st.Line.Ends = s.Now.Add(-time.Second)
	says(t, s, false, "over at")
	says(t, s, true, "the line holds people until it has drained")
	st.Line.Rate = 0
	says(t, s, true, "Sign-ins wait in the line", "closed since")
	says(t, s, false, "never halved", "come back: ", "has drained")
	st.Line.Rate = math.Inf(1)
	says(t, s, true, "Sign-ins wait in the line")
	st.Line.Waiting = 0
	says(t, s, false, block)
}

func TestPageSaysHowTheQuotaStoreStands(t *testing.T) {
	s := incident("writable", "ok")
	says(t, s, false, "Quota store", "quota store")
	s.QuotaStore = &QuotaStore{Up: true}
	says(t, s, true, `<h2>Quota store`, `<span class="pill good">Up</span>`, "0\u00a0requests went by", "<title>Gatehouse</title>")
	says(t, s, false, "Away", "quota store is away", "Latest failure")
	s.QuotaStore = &QuotaStore{StandIns: 1204, Error: "dial <tcp>", Since: s.Now.Add(-70 * time.Second)}
	says(t, s, true, "<strong>Away</strong> since", "more strictly for sign-ins", "1\u202f204\u00a0requests went by the limit of this Gatehouse alone",
		"<code>dial &lt;tcp&gt;</code>", "<title>Quota store away · Gatehouse</title>", "The quota store is away.")
	s.QuotaStore.StandIns = 1
	says(t, s, true, "1\u00a0request went by")
	says(t, s, false, `<span class="pill good">Up</span>`)
	s = incident("down", "refused")
	says(t, s, true, "<title>Down · Gatehouse</title>")
}

func TestPageSaysWhoHasTheRoom(t *testing.T) {
	s := incident("down", "refused")
	login := row(t, s, "<h2>Who has the room", "</tr>\n<tr role=\"row\">\n<th role=\"rowheader\" scope=\"row\">app")
	for _, want := range []string{
		`<th role="columnheader" scope="col">Members</th><th role="columnheader" scope="col">Signing in</th>`,
		`data-is="Signing in">30 <span class="aside">4 queued</span> <span class="aside alarm">3 shed</span></td>`,
		`data-is="Members">9</td>`, `data-is="Background">1 <span class="aside alarm">12 shed</span></td>`,
		`data-is="Isolation tax" class="alarm">3</td>`,
	} {
		if !strings.Contains(login, want) {
			t.Errorf("no %s in %s", want, login)
		}
	}
	says(t, s, true, `<strong>Isolation tax:</strong> pool login refused 3`+"\u00a0"+`sign-ins in the last minute while another pool had room.`,
		"Isolation tax in pool login.", `login <span class="pill warn">overloaded</span>`, `of 64, adapts</span>`, `data-is="Isolation tax">0</td>`,
		"sign-ins this pool refused while another pool had room")

	const gloss = "Shed: turned away for want of room"
	says(t, s, true, gloss)
	says(t, incident("writable", "ok"), false, gloss)

	s.Pools[0].Tax = 1
	says(t, s, true, "refused 1\u00a0sign-in in")
	s.Pools[0].Tax, s.Pools[0].Overloaded, s.Pools[0].Adaptive = 0, false, false
	says(t, s, false, "<strong>Isolation tax:", "Isolation tax in pool", "overloaded</span>", ", adapts", `data-is="Isolation tax" class="alarm"`)
	for i := range s.Pools {
		s.Pools[i].Classes = nil
	}
	says(t, s, false, "Who has the room")
}

func TestPageSaysWhichBackendsAreLeftAlone(t *testing.T) {
	s := incident("writable", "ok")
	says(t, s, false, "ejected", "warming up")
	b := &s.Pools[0].Backends[0]
	b.Ejected, b.EjectedUntil, b.Error = true, s.Now.Add(20*time.Second), "EOF"
	s.Pools[1].Backends[0].Warming = true
	says(t, s, true, `<span class="pill bad">ejected until `+b.EjectedUntil.UTC().Format("15:04:05")+" UTC</span>", "EOF", `<span class="pill warn">warming up</span>`)
	b.EjectedUntil, b.Warming, s.Pools[1].Backends[0].Warming = time.Time{}, true, false
	says(t, s, true, `<span class="pill bad">ejected</span>`)
	says(t, s, false, "warming up")
}

// TestEveryClassHasAColumn in words of its own.
func TestEveryClassHasAColumn(t *testing.T) {
	said := map[string]bool{}
	for _, c := range shed.Classes {
		text := class(c.String())
		if text == c.String() || said[text] {
			t.Errorf("%v is %q", c, text)
		}
		said[text] = true
	}
	for _, word := range []string{"pool_full", "queue_timeout", "displaced"} {
		if text := reason("shed", word); text == strings.ReplaceAll(word, "_", " ") {
			t.Errorf("%s has no words", word)
		}
	}
}

// TestSheddingAsJSON holds the names of /status to the surface, also where a rate is without bound.
func TestSheddingAsJSON(t *testing.T) {
	now := time.Now().Truncate(time.Second)
	names := func(v any) []string {
		raw, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		m := map[string]any{}
		if err := json.Unmarshal(raw, &m); err != nil {
			t.Fatal(err)
		}
		return slices.Sorted(maps.Keys(m))
	}
	for _, c := range []struct {
		what any
		want string
	}{
		{Line{Since: now, Ends: now}, "admitted ends halved rate since waiting"},
		{Line{Rate: math.Inf(1)}, "admitted halved rate waiting"},
		{QuotaStore{Error: "x", Since: now}, "error since stand_ins up"},
		{QuotaStore{}, "stand_ins up"},
		{Class{}, "in_flight name queue shed"},
		{Backend{Error: "x", EjectedUntil: now}, "checked ejected ejected_until error in_flight up url warming"},
		{Backend{}, "checked ejected in_flight up url warming"},
		{Pool{}, "adaptive asked backends failed in_flight isolation_tax latency_ms limit name overloaded per_second queue queue_max tunnels"},
	} {
		if got := strings.Join(names(c.what), " "); got != c.want {
			t.Errorf("%T: %s, want %s", c.what, got, c.want)
		}
	}
	for _, name := range []string{"line", "quota_store"} {
		if slices.Contains(names(Store{}), name) || slices.Contains(names(Status{}), name) {
			t.Errorf("%s is there though there is none", name)
		}
	}

	s := incident("writable", "session_loss")
	s.Stores[0].Line.Rate = math.Inf(1)
	w := ask(NewHandler(settings(&fake{status: s})), "GET", "/status")
	var got Status
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatalf("%v: %s", err, w.Body)
	}
	if l := got.Stores[0].Line; l == nil || l.Rate != 0 || l.Waiting != 37 || !got.QuotaStore.Up || got.Pools[0].Classes[1] != (Class{Name: "sign_in", InFlight: 10}) {
		t.Errorf("%+v, %+v, %+v", l, got.QuotaStore, got.Pools[0].Classes)
	}
}
