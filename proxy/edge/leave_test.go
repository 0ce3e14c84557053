package edge

import (
	"net"
	"testing"
)

// TestLeaveKeepsWhoIsThereForOneMoreRequest: a request that is on its way meets no closed connection, and its answer says that
// it was the last.
func TestLeaveKeepsWhoIsThereForOneMoreRequest(t *testing.T) {
	s := start(t, Settings{Live: Live{Health: "/ready"}}, func(v Visitor) { reply(v, "whole") })
	s.SetReady(true)
	used, unused, balancer := dial(t, s), dial(t, s), dial(t, s)
	used.send("GET / HTTP/1.1\nHost: a\n\n")
	if res, _ := used.answer("GET"); res.Close {
		t.Error("a connection ends for no reason")
	}
	eventually(t, "all are accepted", func() bool { return s.Conns() == 3 })
	s.Leave()
	if c, err := net.Dial("tcp", s.Address().String()); err == nil {
		c.Close()
		t.Error("somebody new is accepted")
	}
	for _, c := range []*client{used, unused} {
		c.send("GET / HTTP/1.1\nHost: a\n\n")
		if res, body := c.answer("GET"); body != "whole" || !res.Close {
			t.Errorf("got %q, close %v", body, res.Close)
		}
		c.ended()
	}
	balancer.send("GET /ready HTTP/1.1\nHost: a\n\n")
	if res, _ := balancer.answer("GET"); res.StatusCode != 200 || !res.Close {
		t.Errorf("the health path: %d, close %v", res.StatusCode, res.Close)
	}
	eventually(t, "all have gone", func() bool { return s.Conns() == 0 })
	if err := drain(t, s, patience); err != nil {
		t.Error(err)
	}
}
