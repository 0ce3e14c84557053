package main

import (
	"context"
	"encoding/json"
	"errors"
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
	// Recovering says that sign-ins come back at a rising rate.
	Recovering bool `json:"recovering"`
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

// storeIn returns the store of a /status answer.
func storeIn(raw []byte) (GateView, error) {
	var status struct{ Stores []GateView }
	if err := json.Unmarshal(raw, &status); err != nil {
		return GateView{}, err
	}
	if len(status.Stores) == 0 {
		return GateView{}, errors.New("the admin listener names no store")
	}
	v := status.Stores[0]
	v.Trouble = ""
	return v, nil
}
