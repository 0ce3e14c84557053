package serve

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"gatehouse/config"
	"gatehouse/proxy/admin"
	"gatehouse/proxy/build"
)

// door is the admin listener of a run. It is there as long as the file has one, at the address that the file says.
type door struct {
	program *program
	handler atomic.Pointer[http.Handler] // by the file in force
	at      config.Address
	shown   string
	server  *admin.Server
	serving sync.WaitGroup
}

func newDoor(p *program) *door { return &door{program: p} }

// ServeHTTP serves by the file in force.
func (d *door) ServeHTTP(w http.ResponseWriter, r *http.Request) { (*d.handler.Load()).ServeHTTP(w, r) }

// address returns where the door is; "" for nowhere.
func (d *door) address() string { return d.shown }

// plan opens what the file wants and is not open yet.
func (d *door) plan(cfg config.Admin) (step, error) {
	token, err := build.AdminToken(cfg)
	if err != nil {
		return step{}, err
	}
	p := d.program
	handler := admin.NewHandler(admin.Settings{
		Source: p.state, Metrics: p.record.Handler(), Token: token, Hosts: cfg.Hosts, Pprof: cfg.Pprof, Log: p.log,
		Version: p.options.Version,
	})
	if cfg.Address == d.at {
		return step{commit: func() { d.handler.Store(&handler) }}, nil
	}
	if cfg.Address == (config.Address{}) {
		return step{commit: d.close}, nil
	}
	l, err := p.listen(cfg.Address.Network, cfg.Address.Address)
	if err != nil {
		return step{}, fmt.Errorf("admin: %w", err)
	}
	commit := func() {
		d.close()
		d.handler.Store(&handler)
		d.at, d.shown = cfg.Address, l.Addr().String()
		server := admin.NewServer(l, d, p.log)
		d.server = server
		d.serving.Go(func() {
			if err := server.Serve(); err != nil {
				p.log.Error("the admin listener ended", "error", err.Error())
			}
		})
	}
	return step{commit: commit, discard: func() { _ = l.Close() }}, nil
}

// closing is how long answers of the admin listener that are under way may take to end.
const closing = 2 * time.Second

// close ends the listener, if there is one. A reload that was asked for over it goes on: its answer is under way, so it is
// ended by somebody else than its own request.
func (d *door) close() {
	if d.server == nil {
		return
	}
	server := d.server
	d.server, d.at, d.shown = nil, config.Address{}, ""
	d.serving.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), closing)
		defer cancel()
		_ = server.Shutdown(ctx) // what was still under way has been cut
	})
}

// wait returns when everything that close ended has ended.
func (d *door) wait() { d.serving.Wait() }
