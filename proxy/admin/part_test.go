package admin

import (
	"testing"
	"time"
)

func TestPageShowsTheParts(t *testing.T) {
	s := incident("writable", "ok")
	says(t, s, false, "Parts of the session store", "says itself", "behind", "Certificates")
	st := &s.Stores[0]
	st.Reports = []Report{{Backend: "http://10.0.0.11:8080", Until: s.Now.Add(3 * time.Second)}}
	st.Diverged = &Diverged{Since: s.Now, At: "us", Of: "eu", LagSeconds: 7}
	s.Stores = append(s.Stores,
		Store{Name: "eu", PartOf: st.Name, State: "read-only", Cause: "read_only", Error: "READONLY <b>", Waiting: 12},
		Store{Name: "us", PartOf: st.Name, State: "writable", Cause: "ok", Lags: []Lag{{Of: "eu", Seen: s.Now, Milliseconds: 7000}, {Of: "asia"}}},
	)
	says(t, s, true, "That is the store as a whole", "Parts of the session store", "A backend says itself that the store cannot be written", "http://10.0.0.11:8080",
		"us is 7\u00a0s behind eu", "eu is read-only. ", "READONLY &lt;b&gt;", "never seen", "7.0\u00a0s")
	says(t, s, false, `aria-label="Session store eu"`)
	if got := title(s); got != "eu: Read-only · Gatehouse" {
		t.Errorf("the title is %q", got)
	}
	s.Stores[0].Diverged = &Diverged{Since: s.Now, At: "us", LagSeconds: 9}
	says(t, s, true, "us could not be asked what it holds for 9\u00a0s,")
}

func TestPageShowsCertificates(t *testing.T) {
	s := incident("writable", "ok")
	s.Certs = []Cert{
		{Names: []string{"example.com", "www.example.com"}, Source: "acme", Missing: true, Error: "port 80 of <it> must be reachable"},
		{Names: []string{"intranet"}, Source: "file", NotAfter: s.Now.Add(90 * 24 * time.Hour)},
	}
	says(t, s, true, "Certificates", "example.com, www.example.com", "none yet", "port 80 of &lt;it&gt; must be reachable", s.Certs[1].NotAfter.UTC().Format("2006-01-02 15:04"))
}
