//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// build makes the program as make build does.
func build(ctx context.Context, dir string) (string, error) {
	program := filepath.Join(dir, "gatehouse")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", program, "gatehouse/cmd/gatehouse")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return program, nil
}

// gatehouseFile returns the operator's file: everything on. Store "" leaves the session store out.
func gatehouseFile(dir string, at places, admin, store string) string {
	if store != "" {
		store = fmt.Sprintf("\n  store: {redis: {address: %q}}", store)
	}
	return fmt.Sprintf(`listen:
  - {address: %q}
  - {address: %q, tls: {certificates: [{cert_file: %q, key_file: %q}]}}
admin: {address: %q, pprof: true}
log: {access: %s/access.log}
session:
  cookies: [sid]%s
pools:
  login: {backends: ["http://%[8]s"], max_in_flight: 256}
  app: {backends: ["http://%[8]s"], max_in_flight: 256}
  calls: {backends: ["h2c://%[9]s"], max_in_flight: 256}
quotas:
  everybody: {key: client_ip, rate: 1000000/s, burst: 1000000}
routes:
  - {name: sign-in, match: {path: /login}, pool: login, overflow: app, needs: write, restart: /login, quotas: [everybody]}
  - {name: page, match: {path: /page}, pool: app, needs: write, sign_in: false, quotas: [everybody]}
  - {name: calls, match: {path: "/bench.Echo/*"}, pool: calls, needs: read, quotas: [everybody]}
  - {name: app, pool: app, needs: read, quotas: [everybody]}
degrade: {rate: {per_client: 1000000/s, burst: 1000000, per_address: 1000000/s}}
`, at.open, at.secret, at.cert, at.key, admin, dir, store, at.app, at.calls)
}

// gatehouse plans a Gatehouse, and returns the address of its admin listener as well.
func gatehouse(program, dir string, at places, store string) (plan, string, error) {
	admin := freeAddress()
	file, err := write(dir, "gatehouse.yaml", gatehouseFile(dir, at, admin, store))
	argv := []string{program, "run", "-c", file, "--drain-delay", "0s", "--drain-timeout", "1s"}
	return plan{argv: argv, log: dir + "/access.log"}, admin, err
}

// storeIs waits until Gatehouse has made up its mind about its store.
func storeIs(ctx context.Context, admin, state string) error {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	var last error
	for {
		var status struct {
			Stores []struct{ State string }
		}
		body, err := get(ctx, "http://"+admin+"/status")
		if err == nil {
			err = json.Unmarshal(body, &status)
		}
		switch {
		case err != nil:
			last = err
		case len(status.Stores) == 1 && status.Stores[0].State == state:
			return nil
		default:
			last = fmt.Errorf("the store is %+v", status.Stores)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not %s: %w", state, last)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func get(ctx context.Context, url string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", url, res.Status)
	}
	return body, err
}

// lost returns how many lines of its access log a Gatehouse could not write, as its metrics say: what is not written costs less.
func lost(ctx context.Context, admin string) (string, error) {
	body, err := get(ctx, "http://"+admin+"/metrics")
	if err != nil {
		return "", err
	}
	_, after, found := strings.Cut(string(body), "\ngatehouse_access_log_dropped_total ")
	if !found {
		return "", errors.New("the metrics do not say how many log lines were lost")
	}
	n, _, _ := strings.Cut(after, "\n")
	return n, nil
}

// profile has a Gatehouse profile itself under a load and returns the profile's file.
func profile(ctx context.Context, p *process, admin, dir string, ask *question) (string, error) {
	const seconds = 4
	type got struct {
		body []byte
		err  error
	}
	ch := make(chan got, 1)
	go func() {
		time.Sleep(warmUp)
		body, err := get(ctx, fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", admin, seconds))
		ch <- got{body, err}
	}()
	_, err := closed(p, ask, (seconds+1)*time.Second)
	g := <-ch
	if err = errors.Join(err, g.err); err != nil {
		return "", err
	}
	path := filepath.Join(dir, "gatehouse.prof")
	return path, os.WriteFile(path, g.body, 0o600)
}

// top returns the first lines of a profile. With more arguments of go tool pprof it is looked at in other ways.
func top(program, file string, more ...string) (string, error) {
	words := append([]string{"tool", "pprof", "-top", "-nodecount=15"}, more...)
	cmd := exec.Command("go", append(words, program, file)...)
	var out, problems strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &problems
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("pprof: %w: %s", err, problems.String())
	}
	_, lines, found := strings.Cut(out.String(), " total\n") // what comes before says what was dropped
	if !found {
		return out.String(), nil
	}
	_, table, _ := strings.Cut(lines, "      flat")
	return "      flat" + table, nil
}

// redis is the session store: a redis-server that keeps nothing. Its owner must stop it.
func redis(dir string) (address string, stop func(), err error) {
	port := freePort()
	cmd := exec.Command("redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM, Setpgid: true}
	if err := cmd.Start(); err != nil {
		return "", func() {}, err
	}
	stop = func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait() // how it ended does not matter
	}
	return "127.0.0.1:" + port, stop, nil
}
