package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"
)

// GateView is how Gatehouse sees the store, in the words of its admin listener.
type GateView struct {
	State string    `json:"state"`
	Cause string    `json:"cause"`
	Since time.Time `json:"since"`
	// Trouble says why the rest is zero.
	Trouble string `json:"trouble,omitempty"`
}

// StatusReader asks Gatehouse's admin listener. Safe for concurrent use.
type StatusReader struct {
	URL    string // of /status
	Client *http.Client
}

// Read returns how Gatehouse sees the store. It takes a second at most.
func (s StatusReader) Read(ctx context.Context) GateView {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	v, err := s.read(ctx)
	if err != nil {
		return GateView{Trouble: err.Error()}
	}
	return v
}

func (s StatusReader) read(ctx context.Context) (GateView, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL, nil)
	if err != nil {
		return GateView{}, err
	}
	resp, err := s.Client.Do(req)
	if err != nil {
		return GateView{}, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return GateView{}, err
	}
	if resp.StatusCode != http.StatusOK {
		return GateView{}, fmt.Errorf("the admin listener answered %s", resp.Status)
	}
	return storeIn(raw)
}

// storeIn finds the store in a /status answer: the first object that has a state and a cause.
func storeIn(raw []byte) (GateView, error) {
	var any any
	if err := json.Unmarshal(raw, &any); err != nil {
		return GateView{}, err
	}
	if v, ok := find(any); ok {
		return v, nil
	}
	return GateView{}, fmt.Errorf("the admin listener names no store")
}

func find(at any) (GateView, bool) {
	switch at := at.(type) {
	case []any:
		for _, e := range at {
			if v, ok := find(e); ok {
				return v, true
			}
		}
	case map[string]any:
		state, hasState := at["state"].(string)
		cause, hasCause := at["cause"].(string)
		if hasState && hasCause {
			since, _ := at["since"].(string)
			t, _ := time.Parse(time.RFC3339Nano, since)
			return GateView{State: state, Cause: cause, Since: t}, true
		}
		for _, e := range at {
			if v, ok := find(e); ok {
				return v, true
			}
		}
	}
	return GateView{}, false
}
