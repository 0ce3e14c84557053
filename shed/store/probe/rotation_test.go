package probe

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"gatehouse/shed"
	"gatehouse/shed/store"
)

// secret is a password that is changed in place.
type secret struct {
	mu    sync.Mutex
	value string
}

func (s *secret) get() (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.value, nil
}

func (s *secret) set(value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.value = value
}

// A password that is changed on the server first and with us later: however the server treats the old connections, it is never
// the store that is found at fault, and the new password is used as soon as there is one.
func TestAPasswordRotates(t *testing.T) {
	for name, cut := range map[string][][]any{
		"old connections are cut": {{"acl", "setuser", "gate", "resetpass", ">new"}, {"client", "kill", "user", "gate"}},
		"the user is made anew":   {{"acl", "deluser", "gate"}, {"acl", "setuser", "gate", "on", ">new", "~*", "+@all"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t)
			s.do("acl", "setuser", "gate", "on", ">old", "~*", "+@all")
			word := secret{value: "old"}
			told := make(chan store.Transition, 64)
			m := store.New(New(Settings{Address: s.addr(), Username: "gate", Password: word.get}), store.Settings{
				Interval: 50 * time.Millisecond, Timeout: time.Second, Payload: 64, Rise: 1,
			}, func(tr store.Transition) { told <- tr })
			defer m.Close()
			m.Start()
			next := func(cause shed.Cause) {
				t.Helper()
				for {
					select {
					case tr := <-told:
						if tr.To.Impaired() || tr.Lost {
							t.Fatalf("%+v", tr)
						}
						if tr.Cause == cause {
							return
						}
					case <-time.After(20 * time.Second):
						t.Fatalf("never %v: %+v", cause, m.Status())
					}
				}
			}
			next(shed.OK)
			for _, c := range cut {
				s.do(c...)
			}
			next(shed.CauseProberAuth)
			word.set("new")
			next(shed.OK)
		})
	}
}

// Where the old connections stay signed in, the link stays until one with the new password is to be had, and it is told.
func TestAPasswordRotatesBehindALivingLink(t *testing.T) {
	s := serve(t)
	s.do("acl", "setuser", "gate", "on", ">old", "~*", "+@all")
	word := secret{value: "old"}
	p := probing(t, Settings{Address: s.addr(), Username: "gate", Password: word.get})
	p.writable()
	s.do("acl", "setuser", "gate", "resetpass", ">new")
	p.grow()
	s.eventually("the renewal that failed", func() bool {
		e := p.probe(64)
		if e.State != shed.Writable || e.Cause != shed.OK {
			t.Fatalf("%+v", e)
		}
		if e.Err != nil && (!errors.Is(e.Err, errRenewal) || !strings.Contains(e.Err.Error(), "WRONGPASS")) {
			t.Fatal(e.Err)
		}
		return e.Err != nil
	})
	word.set("") // a link that is not signed in is no better
	s.do("config", "set", "requirepass", "x")
	s.eventually("another renewal that failed", func() bool {
		p.writable()
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.failed != nil && strings.Contains(p.failed.Error(), "NOAUTH")
	})
	link := func() *link {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.idle
	}
	old := link()
	word.set("new")
	s.eventually("a link with the new password", func() bool { p.writable(); l := link(); return l != nil && l != old })
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failed != nil {
		t.Error(p.failed)
	}
}

// A server from before ACLs: it knows no HELLO, and AUTH with a password alone.
func TestAServerWithoutHello(t *testing.T) {
	word := secret{value: "right"}
	_, addr := serveFake(t, func(words []string) string {
		switch strings.ToLower(words[0]) {
		case "auth":
			if len(words) != 2 {
				return "-ERR wrong number of arguments for 'auth' command\r\n"
			}
			if words[1] != "right" {
				return "-ERR invalid password\r\n"
			}
			return "+OK\r\n"
		case "select":
			return "+OK\r\n"
		}
		return ""
	})
	for range 2 {
		probing(t, Settings{Address: addr}).writable()
		p := probing(t, Settings{Address: addr, Password: word.get, DB: 2})
		p.writable()
		p.writable()
	}
	word.set("wrong")
	p := probing(t, Settings{Address: addr, Password: word.get})
	if e := p.probe(64); e.State != shed.Unknown || !e.Reached {
		t.Errorf("%+v", e)
	}
}
