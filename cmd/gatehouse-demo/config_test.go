package main

import (
	"testing"

	"gatehouse/config"
)

func TestConfigIsWhatGatehouseWants(t *testing.T) {
	path, err := GateConfig{Listen: "127.0.0.1:8080", Admin: "127.0.0.1:9901", Store: "127.0.0.1:6379", AccessLog: "/tmp/a b/access.log",
		Login: []string{"127.0.0.1:1001", "127.0.0.1:1002"}, App: []string{"127.0.0.1:1003", "127.0.0.1:1004"}}.Write(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(cfg.Warnings) > 0 {
		t.Errorf("warnings: %v", cfg.Warnings)
	}
	for _, want := range []struct {
		name, pool, needs string
		signIn            bool
	}{
		{"sign-in", "login", "write", true}, {"assets", "app", "none", false}, {"sign-out", "app", "read", false},
		{"notes", "app", "write", false}, {"home", "app", "none", false}, {"app", "app", "read", false},
	} {
		found := false
		for _, r := range cfg.Routes {
			if r.Name == want.name {
				found = true
				if r.Pool != want.pool || r.Needs != want.needs || r.SignIn != want.signIn {
					t.Errorf("route %s: %+v", r.Name, r)
				}
			}
		}
		if !found {
			t.Errorf("no route %s", want.name)
		}
	}
	if cfg.Log.Access != "/tmp/a b/access.log" || len(cfg.Pools) != 2 || len(cfg.Pools[0].Backends) != 2 {
		t.Errorf("log %+v, pools %+v", cfg.Log, cfg.Pools)
	}
}
