package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gatehouse/config"
)

// door is how a running Gatehouse is reached: its admin listener.
type door struct {
	path  string // of the operator's file, which says where the listener is; "" means the default
	admin string // an address that overrides it
	token string // file
}

func (d *door) flags(c *cobra.Command) {
	c.Flags().StringVarP(&d.path, "config", "c", "", "the operator's file, which says where the admin listener is")
	c.Flags().StringVar(&d.admin, "admin", "", "the admin listener: host:port, or unix:PATH (default 127.0.0.1:9901)")
	c.Flags().StringVar(&d.token, "token-file", "", "the file that holds the admin token")
}

// ask makes one request and returns its status and body.
func (d *door) ask(method, path string) (int, string, error) {
	address := config.Address{Network: "tcp", Address: "127.0.0.1:9901"}
	tokenFile := d.token
	switch {
	case d.admin != "":
		if socket, ok := strings.CutPrefix(d.admin, "unix:"); ok {
			address = config.Address{Network: "unix", Address: socket}
		} else {
			address.Address = strings.TrimSuffix(strings.TrimPrefix(d.admin, "http://"), "/")
		}
	case d.path != "":
		cfg, err := config.Load(d.path)
		if err != nil {
			return 0, "", fmt.Errorf("%s has mistakes, so it does not say where the admin listener is; use --admin ADDRESS:\n%w", d.path, err)
		}
		if cfg.Admin.Address == (config.Address{}) {
			return 0, "", fmt.Errorf("%s: admin is off", d.path)
		}
		address = cfg.Admin.Address
		if tokenFile == "" {
			tokenFile = cfg.Admin.TokenFile
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, "http://localhost"+path, nil)
	if err != nil {
		return 0, "", err
	}
	r.Header.Set("Accept", "application/json")
	if tokenFile != "" {
		b, err := os.ReadFile(tokenFile)
		if err != nil {
			return 0, "", fmt.Errorf("token: %w", err)
		}
		r.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(b)))
	}
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, address.Network, dialable(address))
	}}
	defer transport.CloseIdleConnections()
	res, err := transport.RoundTrip(r)
	if err != nil {
		return 0, "", fmt.Errorf("no Gatehouse answers at %s: %w", address.Address, err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(io.LimitReader(res.Body, 16<<20))
	return res.StatusCode, string(b), err
}

// dialable turns an address to listen on into one to connect to.
func dialable(a config.Address) string {
	host, port, err := net.SplitHostPort(a.Address)
	if a.Network != "tcp" || err != nil {
		return a.Address
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}
