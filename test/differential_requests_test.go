package test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// mixed is how many attacks chance puts together for each server, and seed is the chance.
const (
	mixed = 120
	seed  = 20_571
)

// TestOneRequestInIsOneRequestSeen attacks each of Debian's servers through Gatehouse, which has one connection to it for everybody.
// After each attack comes a victim. No request may be seen that Gatehouse did not let through, none twice, and nobody may get the
// answer of somebody else.
func TestOneRequestInIsOneRequestSeen(t *testing.T) {
	attacks := slices.Concat(corpus(), mixtures(seed, mixed))
	for _, d := range daemons {
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			p := d.launch(t, echo(t))
			g := startGatehouse(t, oneAtATime(p.address))
			began := time.Now()
			r := assail(strings.TrimPrefix(g.url, "http://"), attacks, 0)
			all := p.awaits(t, r.last)
			r.judge(all, attacks)
			r.compare(g.letThrough(t, r.last), all)
			for _, f := range r.faults {
				t.Error(f)
			}
			for _, line := range g.accessLines() {
				if t.Failed() && strings.Contains(line, `"outcome":"error"`) && !strings.Contains(line, `"visitor_gone"`) {
					t.Log(line)
				}
			}
			t.Logf("%d attacks and as many victims in %v: %d requests were seen on %d connections, %d of them refused unread",
				len(attacks), time.Since(began).Round(time.Millisecond), len(all), r.conns, r.unread)
			if r.conns*3 > len(all) {
				t.Error("hardly a connection was used again: this proves nothing")
			}
		})
	}
}

// TestWithoutChecksRequestsAreSmuggled is the same attacks through a forwarder that believes what it is sent: before every server
// that can be fooled at all, victims must be seen to get the answers of others, or the test above proves nothing of it.
func TestWithoutChecksRequestsAreSmuggled(t *testing.T) {
	for _, d := range daemons {
		if d.name == "lighttpd" {
			continue
		}
		t.Run(d.name, func(t *testing.T) {
			t.Parallel()
			p := d.launch(t, echo(t))
			r := assail(startCredulous(t, p.address), corpus(), 1)
			if len(r.swapped) == 0 {
				t.Error("nobody got the answer of somebody else")
			}
			for _, f := range r.swapped {
				t.Log(f)
			}
		})
	}
}

// oneAtATime is the file of a site whose requests all go one after the other to one server.
func oneAtATime(address string) string {
	return fmt.Sprintf(`
listen: [{address: "127.0.0.1:0"}]
admin: {address: "127.0.0.1:0"}
pools: {app: {backends: ["http://%s"], max_in_flight: 1, queue: {length: 16, timeout: 20s}, eject: off}}
routes: [{name: all, pool: app}]
`, address)
}

// echo is a server that says in X-Saw which request it took one for.
func echo(t *testing.T) (address string) {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("X-Saw", r.RequestURI)
		fmt.Fprintln(w, "saw")
	}))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// raid is a row of attacks, each with its victim, and what went wrong.
type raid struct {
	faults  []string
	swapped []string // those of them by which a victim got the answer of somebody else
	last    int      // the number of the last victim
	conns   int      // on which the server saw requests
	unread  int      // requests that the server refused without telling which
}

func (r *raid) fault(format string, args ...any) {
	r.faults = append(r.faults, fmt.Sprintf(format, args...))
}

// assail sends attacks and victims to address. It stops after so many swapped answers; never where most is zero.
func assail(address string, attacks []attack, most int) *raid {
	r := &raid{}
	victim := &http.Client{Timeout: patience, Transport: &http.Transport{DisableCompression: true}}
	defer victim.CloseIdleConnections()
	for i, a := range attacks {
		if most > 0 && len(r.swapped) >= most {
			break
		}
		place := i + 1
		got, err := strike(address, a.bytes(place), wayOf(place))
		if err != nil {
			r.fault("attack %d, %.300q: %v", place, a.raw, err)
		}
		before := -1
		for _, line := range strings.Split(got, "\r\n") {
			name, value, _ := strings.Cut(line, ":")
			if !strings.EqualFold(name, "X-Saw") {
				continue
			}
			serial := serialIn(value)
			if n := serial % perVisit; serial/perVisit != place || n <= before || a.in >= 0 && n >= a.in {
				r.fault("attack %d, %.300q: it got an answer to %q", place, a.raw, value)
			}
			before = serial % perVisit
		}
		r.last = place*perVisit + perVisit - 1
		res, err := victim.Get("http://" + address + "/" + nonce(r.last))
		if err != nil {
			r.fault("the victim after attack %d, %.300q: %v", place, a.raw, err)
			continue
		}
		_, err = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		if saw := res.Header.Get("X-Saw"); err != nil || serialIn(saw) != r.last {
			r.fault("the victim after attack %d, %.300q: got %d, an answer to %q, %v", place, a.raw, res.StatusCode, saw, err)
			if saw != "" {
				r.swapped = append(r.swapped, r.faults[len(r.faults)-1])
			}
		}
	}
	return r
}

// way is how an attack is sent.
type way int

const (
	ended    way = iota // whole, and then nothing more
	pieces              // in pieces, and then nothing more
	leaves              // whole, and the visitor is gone after a moment
	vanishes            // whole, and he is gone at once
	ways
)

func wayOf(place int) way { return way(place % int(ways)) }

// strike sends bytes on a connection of their own and returns what came back.
func strike(address, bytes string, how way) (string, error) {
	c, err := net.DialTimeout("tcp", address, patience)
	if err != nil {
		return "", err
	}
	defer c.Close()
	conn := c.(*net.TCPConn)
	wait := patience
	switch how {
	case pieces:
		for size := 1 + len(bytes)/3; bytes != ""; bytes = bytes[min(size, len(bytes)):] {
			_, _ = io.WriteString(conn, bytes[:min(size, len(bytes))]) // it may have been refused by now, and so below
			time.Sleep(time.Millisecond)
		}
		_ = conn.CloseWrite()
	case leaves:
		_, _ = io.WriteString(conn, bytes)
		wait = 20 * time.Millisecond
	case vanishes:
		_, _ = io.WriteString(conn, bytes)
		return "", conn.SetLinger(0)
	default:
		_, _ = io.WriteString(conn, bytes)
		_ = conn.CloseWrite()
	}
	_ = conn.SetReadDeadline(time.Now().Add(wait))
	got, err := io.ReadAll(conn)
	if late, ok := err.(net.Error); ok && late.Timeout() && wait == patience {
		return string(got), fmt.Errorf("the connection does not end: %w", err)
	}
	return string(got), nil
}

// judge looks at what the server has seen: every number once, none that was hidden in something else, and on each connection one
// after the other. Whoever did not wait for an answer may have been read after his victim.
func (r *raid) judge(all []sighting, attacks []attack) {
	times, newest := map[int]int{}, map[string]int{}
	for _, s := range all {
		place, n := s.serial/perVisit, s.serial%perVisit
		if place > len(attacks) {
			r.fault("the server saw %q, which nobody sent", s.line)
			continue
		}
		raw := ""
		if place > 0 {
			raw = attacks[place-1].raw
			if in := attacks[place-1].in; in >= 0 && n >= in && n != perVisit-1 {
				r.fault("attack %d, %.300q: the server saw %q", place, raw, s.line)
			}
			if times[s.serial]++; times[s.serial] > 1 {
				r.fault("attack %d, %.300q: the server saw %q %d times", place, raw, s.line, times[s.serial])
			}
		}
		if place == 0 || n != perVisit-1 && (wayOf(place) == leaves || wayOf(place) == vanishes) {
			newest[s.port] += 0
			continue
		}
		if s.serial < newest[s.port] {
			r.fault("attack %d, %.300q: on its connection the server saw %q after %d", place, raw, s.line, newest[s.port])
		}
		newest[s.port] = s.serial
	}
	r.conns = len(newest)
}

// compare holds what the server saw against what was let through to it. Some do not tell the line of what they refuse to read: there
// must be no more of those than were let through and are told of nowhere else.
func (r *raid) compare(through map[int]bool, all []sighting) {
	unread := 0
	told := map[int]bool{}
	for _, s := range all {
		switch {
		case s.serial == 0:
			unread++
		case !through[s.serial]:
			r.fault("the server saw %q, which was not let through", s.line)
		default:
			told[s.serial] = true
		}
	}
	if r.unread = unread; unread > len(through)-len(told) {
		r.fault("%d requests could not be read by the server, and only %d that were let through are told of nowhere", unread, len(through)-len(told))
	}
}

// letThrough is which numbered requests the program has asked its backend, once it has told of that one.
func (g *gatehouse) letThrough(t *testing.T, last int) map[int]bool {
	t.Helper()
	asked := map[int]bool{}
	eventually(t, patience, "the last request is in the log", func() bool {
		lines := g.accessLines()
		if !strings.Contains(lines[len(lines)-1], nonce(last)) {
			return false
		}
		for _, line := range lines {
			var e struct{ Path, Backend string }
			if err := json.Unmarshal([]byte(line), &e); err != nil {
				t.Fatalf("%v: %s", err, line)
			}
			if e.Backend != "" {
				asked[serialIn(e.Path)] = true
			}
		}
		return true
	})
	return asked
}
