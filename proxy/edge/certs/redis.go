package certs

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"path"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// shared keeps certificates in a Redis: all files are one hash, whose values begin with the time of their change; locks are keys
// that run out. An ACL needs HSET, HGET, HDEL, HKEYS, EVAL, EVALSHA, GET, SET, DEL, PEXPIRE and PING on the prefix.
type shared struct {
	set    atomic.Pointer[Redis]
	client *redis.Client
	prefix string

	mu    sync.Mutex
	held  map[string]*lease
	ended bool
}

const (
	sharedDial    = 2 * time.Second
	sharedWait    = 3 * time.Second // of one command, unless its context ends before
	sharedRetries = 2               // a Redis that was started anew leaves dead connections behind
)

func newRedis(set Redis, prefix string) *shared {
	s := &shared{prefix: prefix, held: make(map[string]*lease)}
	s.set.Store(&set)
	s.client = redis.NewClient(&redis.Options{
		Network: network(set), Addr: set.Address, DB: set.DB,
		Dialer: s.dial,
		CredentialsProviderContext: func(context.Context) (string, string, error) {
			now := s.set.Load()
			if now.Password == nil {
				return now.Username, "", nil
			}
			password, err := now.Password()
			return now.Username, password, err
		},
		Protocol: 2, DisableIdentity: true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
		ContextTimeoutEnabled:    true,
		MaxRetries:               sharedRetries, DialerRetries: 1,
		DialTimeout: sharedDial, ReadTimeout: sharedWait, WriteTimeout: sharedWait, PoolTimeout: sharedWait,
		PoolSize: 8, PipelinePoolSize: -1,
		ConnMaxLifetime: time.Minute, ConnMaxLifetimeJitter: 10 * time.Second,
	})
	return s
}

func network(set Redis) string {
	if set.Network != "" {
		return set.Network
	}
	return "tcp"
}

// dial connects by the settings there are now. It never fails: go-redis would write that into a log of its own, and go on giving
// the error without dialling. Whoever uses the connection gets it.
func (s *shared) dial(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, sharedDial)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return newStillborn(err), nil
	}
	cfg := s.set.Load().TLS
	if cfg == nil {
		return conn, nil
	}
	if cfg.ServerName == "" {
		cfg = cfg.Clone()
		cfg.ServerName, _, _ = net.SplitHostPort(address)
	}
	secured := tls.Client(conn, cfg)
	if err := secured.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return newStillborn(err), nil
	}
	return secured, nil
}

// stillborn is a connection that did not come about, and says why.
type stillborn struct {
	net.Conn // one end of a pipe, for addresses and deadlines
	err      error
}

func newStillborn(err error) *stillborn {
	one, _ := net.Pipe()
	return &stillborn{one, err}
}

func (s *stillborn) Read([]byte) (int, error)  { return 0, s.err }
func (s *stillborn) Write([]byte) (int, error) { return 0, s.err }

// again takes the settings for new connections; the place is the same.
func (s *shared) again(set *Redis) {
	if set != nil {
		s.set.Store(set)
	}
}

// close lets go of all locks and closes the connections.
func (s *shared) close() {
	s.mu.Lock()
	s.ended = true
	names := make([]string, 0, len(s.held))
	for name := range s.held {
		names = append(names, name)
	}
	s.mu.Unlock()
	for _, name := range names {
		_ = s.Unlock(context.Background(), name)
	}
	_ = s.client.Close()
}

func (s *shared) String() string { return "redis " + s.client.Options().Addr }

func (s *shared) files() string { return s.prefix + "files" }

// ask does one command in its time. go-redis panics on an answer that claims to be longer than memory, as what is no Redis may give.
func (s *shared) ask(ctx context.Context, f func(context.Context) error) (err error) {
	ctx, cancel := context.WithTimeout(ctx, sharedWait)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = stored(fmt.Errorf("%w: %v", errUnread, p))
		}
	}()
	return stored(f(ctx))
}

var errUnread = errors.New("what answers there is no Redis")

func (s *shared) Store(ctx context.Context, key string, value []byte) error {
	entry := binary.BigEndian.AppendUint64(nil, uint64(time.Now().UnixNano()))
	entry = append(entry, value...)
	return s.ask(ctx, func(ctx context.Context) error { return s.client.HSet(ctx, s.files(), key, entry).Err() })
}

func (s *shared) entry(ctx context.Context, key string) (value []byte, at time.Time, err error) {
	var entry []byte
	err = s.ask(ctx, func(ctx context.Context) error {
		var err error
		if entry, err = s.client.HGet(ctx, s.files(), key).Bytes(); errors.Is(err, redis.Nil) {
			return fs.ErrNotExist
		}
		return err
	})
	switch {
	case err != nil:
		return nil, time.Time{}, err
	case len(entry) < 8:
		return nil, time.Time{}, stored(errors.New("somebody else has written to " + s.files()))
	}
	return entry[8:], time.Unix(0, int64(binary.BigEndian.Uint64(entry))), nil
}

func (s *shared) Load(ctx context.Context, key string) ([]byte, error) {
	value, _, err := s.entry(ctx, key)
	return value, err
}

// below are the keys that are key or have it as a folder.
func (s *shared) below(ctx context.Context, key string) (keys []string, err error) {
	err = s.ask(ctx, func(ctx context.Context) (err error) {
		keys, err = s.client.HKeys(ctx, s.files()).Result()
		return err
	})
	return slices.DeleteFunc(keys, func(k string) bool {
		return key != "" && k != key && !strings.HasPrefix(k, key+"/")
	}), err
}

func (s *shared) Delete(ctx context.Context, key string) error {
	keys, err := s.below(ctx, key)
	if err != nil || len(keys) == 0 {
		return err
	}
	return s.ask(ctx, func(ctx context.Context) error { return s.client.HDel(ctx, s.files(), keys...).Err() })
}

func (s *shared) Exists(ctx context.Context, key string) bool {
	keys, err := s.below(ctx, key)
	return err == nil && len(keys) > 0
}

func (s *shared) List(ctx context.Context, folder string, recursive bool) ([]string, error) {
	folder = strings.Trim(folder, "/")
	keys, err := s.below(ctx, folder)
	if err != nil {
		return nil, err
	}
	if len(keys) == 0 {
		return nil, fs.ErrNotExist
	}
	found := make(map[string]bool)
	for _, key := range keys {
		rest := strings.TrimPrefix(strings.TrimPrefix(key, folder), "/")
		for at, part := folder, ""; rest != ""; {
			part, rest, _ = strings.Cut(rest, "/")
			at = path.Join(at, part)
			found[at] = true
			if !recursive {
				break
			}
		}
	}
	all := make([]string, 0, len(found))
	for key := range found {
		all = append(all, key)
	}
	slices.Sort(all)
	return all, nil
}

func (s *shared) Stat(ctx context.Context, key string) (certmagic.KeyInfo, error) {
	value, at, err := s.entry(ctx, key)
	if errors.Is(err, fs.ErrNotExist) {
		if keys, failed := s.below(ctx, key); failed != nil || len(keys) > 0 {
			return certmagic.KeyInfo{Key: key}, failed
		}
	}
	if err != nil {
		return certmagic.KeyInfo{}, err
	}
	return certmagic.KeyInfo{Key: key, Modified: at, Size: int64(len(value)), IsTerminal: true}, nil
}
