package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

func openControl(t *testing.T, status http.HandlerFunc) (*Store, *browser) {
	t.Helper()
	s := openStore(t)
	admin := httptest.NewServer(status)
	t.Cleanup(admin.Close)
	reader := StatusReader{URL: admin.URL + "/status", Client: admin.Client()}
	c := NewControl(s, reader, Links{With: "http://127.0.0.1:1", Without: "http://localhost:2", Admin: admin.URL, Config: "/tmp/gatehouse.yaml"})
	server := httptest.NewServer(c.Handler())
	t.Cleanup(server.Close)
	return s, newBrowser(t, server.URL)
}

func readOnlyStatus(w http.ResponseWriter, _ *http.Request) {
	w.Write([]byte(`{"version":"1","stores":[{"name":"store","state":"read-only","cause":"read_only","since":"2020-01-02T03:04:05Z"}]}`))
}

func TestControlChangesTheStore(t *testing.T) {
	s, b := openControl(t, readOnlyStatus)
	for _, text := range faultTexts() {
		resp, _ := b.ask("POST", "/store", url.Values{"fault": {string(text.Fault)}})
		want := text.Fault
		if want == Empty {
			want = Well
		}
		if got, _ := s.Fault(); resp.StatusCode != http.StatusSeeOther || got != want {
			t.Errorf("%s: %s, and the store is %s", text.Fault, resp.Status, got)
		}
		if _, body := b.ask("GET", "/", nil); strings.Count(body, `" aria-pressed="true">`) != 1 ||
			!strings.Contains(body, `value="`+string(want)+`" aria-pressed="true"`) {
			t.Errorf("%s: the page does not mark it as what is now", text.Fault)
		}
	}
	for name, tt := range map[string]struct {
		method, path string
		form         url.Values
		want         int
	}{
		"no such fault": {"POST", "/store", url.Values{"fault": {"sleepy"}}, 422},
		"no fault":      {"POST", "/store", nil, 422},
		"by a link":     {"GET", "/store?fault=away", nil, 405},
		"elsewhere":     {"GET", "/etc", nil, 404},
	} {
		if resp, _ := b.ask(tt.method, tt.path, tt.form); resp.StatusCode != tt.want {
			t.Errorf("%s: %s; want %d", name, resp.Status, tt.want)
		}
	}
	if got, _ := s.Fault(); got != Well {
		t.Errorf("the store is %s", got)
	}
}

func TestControlRefusesOtherSites(t *testing.T) {
	s, b := openControl(t, readOnlyStatus)
	for name, change := range map[string]func(*http.Request){
		"another site's form":   func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
		"another origin's form": func(r *http.Request) { r.Header.Set("Origin", "http://evil.example") },
		"another name for it":   func(r *http.Request) { r.Host = "evil.example" },
	} {
		req, err := http.NewRequest("POST", b.base+"/store", strings.NewReader("fault=away"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		change(req)
		resp, err := b.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got, _ := s.Fault(); resp.StatusCode < 400 || got != Well {
			t.Errorf("%s: %s, and the store is %s", name, resp.Status, got)
		}
	}
}

func TestControlPageKeepsItsOwnPolicy(t *testing.T) {
	_, b := openControl(t, readOnlyStatus)
	resp, body := b.ask("GET", "/", nil)
	policy := resp.Header.Get("Content-Security-Policy")
	for tag, directive := range map[string]string{"style": "style-src", "script": "script-src"} {
		inline := regexp.MustCompile(`(?s)<` + tag + `>(.*?)</` + tag + `>`).FindStringSubmatch(body)
		if inline == nil {
			t.Fatalf("no %s", tag)
		}
		if want := directive + " " + hashOf([]byte(inline[1])); !strings.Contains(policy, want) {
			t.Errorf("the policy does not allow the page's own %s: %s", tag, policy)
		}
	}
	if strings.Contains(policy, "unsafe") {
		t.Errorf("policy %s", policy)
	}
}

func TestControlShowsWhatGatehouseSees(t *testing.T) {
	for name, tt := range map[string]struct {
		status http.HandlerFunc
		want   GateView
	}{
		"read-only": {readOnlyStatus, GateView{State: "read-only", Cause: "read_only"}},
		"an error": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
			GateView{Trouble: "the admin listener answered 500 Internal Server Error"}},
		"no store": {func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(`{"stores":[]}`)) },
			GateView{Trouble: "the admin listener names no store"}},
	} {
		_, b := openControl(t, tt.status)
		_, body := b.ask("GET", "/view.json", nil)
		var got sight
		if err := json.Unmarshal([]byte(body), &got); err != nil {
			t.Fatal(err)
		}
		if got.Word != Well || got.Gate.State != tt.want.State || got.Gate.Cause != tt.want.Cause || got.Gate.Trouble != tt.want.Trouble {
			t.Errorf("%s: %s", name, body)
		}
		if _, page := b.ask("GET", "/", nil); !strings.Contains(page, tt.want.State+tt.want.Trouble) {
			t.Errorf("%s: the page does not say so", name)
		}
	}
}
