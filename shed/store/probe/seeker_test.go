package probe

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"gatehouse/shed"
	"gatehouse/shed/store"
)

// While no shard is known the one part says why.
func TestNoShardIsKnown(t *testing.T) {
	t.Parallel()
	gone := "127.0.0.1:" + freePort(t)
	plain := serve(t)
	secret := serve(t, "--cluster-enabled", "yes", "--requirepass", "secret")
	empty := serve(t, "--cluster-enabled", "yes")
	hung := serve(t)
	hung.signal(syscall.SIGSTOP)
	defer hung.signal(syscall.SIGCONT)
	_, strange := serveFake(t, func(words []string) string {
		switch strings.Join(words, " ") {
		case "cluster info":
			return "$0\r\n\r\n"
		case "cluster slots":
			return "*1\r\n:7\r\n"
		}
		return ""
	})
	other := gather(t, "0-16383 0", "0-16383 1")
	for _, row := range []struct {
		name     string
		seeds    []string
		tls      *TLS
		state    shed.State
		cause    shed.Cause
		definite bool
		says     string
	}{
		{"nobody listens", []string{gone}, nil, shed.Down, shed.CauseRefused, true, "refused"},
		{"it hangs", []string{hung.addr()}, nil, shed.Down, shed.CauseHung, false, "deadline"},
		{"one hangs, and nobody listens", []string{gone, hung.addr()}, nil, shed.Down, shed.CauseHung, false, "deadline"},
		{"no cluster", []string{plain.addr()}, nil, shed.Unknown, shed.CauseUnknown, false, "cluster support disabled"},
		{"a password", []string{secret.addr(), gone}, nil, shed.Unknown, shed.CauseProberAuth, true, "NOAUTH"},
		{"no slots", []string{empty.addr()}, nil, shed.Down, shed.CauseClusterDown, true, "serves"},
		{"no table", []string{strange}, nil, shed.Unknown, shed.CauseUnknown, false, "table"},
		{"two clusters", other.addrs, nil, shed.Unknown, shed.CauseUnknown, false, "different clusters"},
		{"no TLS", []string{empty.addr()}, &TLS{}, shed.Down, shed.CauseTLS, false, ""},
		{"no settings that can be used", []string{empty.addr()}, &TLS{CAFile: "/nowhere.pem"}, shed.Unknown, shed.CauseTLS, false, "nowhere"},
		{"no name", []string{"nowhere.invalid:1"}, nil, shed.Down, shed.CauseDNS, false, "resolve"},
		{"no address", nil, nil, shed.Unknown, shed.CauseUnknown, false, "no address"},
	} {
		f := finding(t, ClusterSettings{Addresses: row.seeds, Node: Settings{TLS: row.tls,
			Resolve: func(context.Context, string) ([]netip.Addr, error) { return nil, errors.New("no such host") }}})
		f.timeout = 500 * time.Millisecond
		var last string
		for end := time.Now().Add(20 * time.Second); ; {
			e := f.probe(whole)
			last = show(map[string]store.Evidence{row.name: e})
			if e.State == row.state && e.Cause == row.cause && e.Definite == row.definite && e.Err != nil && strings.Contains(e.Err.Error(), row.says) {
				break
			}
			if time.Now().After(end) {
				t.Errorf("%s, definite %v; want %v (%v): %s", last, e.Definite, row.state, row.cause, row.says)
				break
			}
		}
		if _, ok := f.Of("a"); ok {
			t.Errorf("%s: a key is held", row.name)
		}
	}

	ctx, cancel := context.WithCancel(t.Context())
	f := finding(t, ClusterSettings{Addresses: []string{hung.addr()}})
	p := f.probers[whole]
	go func() { time.Sleep(20 * time.Millisecond); cancel() }()
	from := time.Now()
	if e := p.Probe(ctx, 64); !errors.Is(e.Err, context.Canceled) || e.State != shed.Unknown || time.Since(from) > memberWithin {
		t.Errorf("%+v after %v", e, time.Since(from))
	}
	if e := p.Greet(ctx); e.State != shed.Unknown {
		t.Errorf("%+v", e)
	}
}

// A cluster that comes to be is found, and one that hides in part, too.
func TestTheFirstNodesThatAnswerAreEnough(t *testing.T) {
	t.Parallel()
	g := gather(t, "hang", "", "", "")
	f := finding(t, ClusterSettings{Addresses: g.addrs[:3]})
	f.timeout = 300 * time.Millisecond
	for end := time.Now().Add(20 * time.Second); ; {
		if e := f.probe(whole); e.Cause == shed.CauseClusterDown {
			break
		}
		if time.Now().After(end) {
			t.Fatal("never")
		}
	}
	g.say("hang", thirds, thirds, thirds)
	f.found(3)
	before := f.changed
	if e := (&seeker{f.Cluster}).Probe(t.Context(), 64); !errors.Is(e.Err, errFound) || e.State != shed.Unknown {
		t.Errorf("%+v", e)
	}
	g.say("", "", "")
	select {
	case <-before:
	case <-time.After(20 * time.Second):
		t.Fatal("nobody serves any slot, and there are shards")
	}
	p := f.probers[three[1]]
	if f.take(); len(f.names) != 1 || f.names[0] != whole {
		t.Fatal(f.names)
	}
	if e := p.Probe(t.Context(), 64); e.State != shed.Unknown || e.Err == nil {
		t.Errorf("%+v", e)
	}
	g.say(thirds, thirds, thirds)
	f.found(3)
	f.untilWritable()
}
