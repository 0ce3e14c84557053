package certs

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
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
		PoolSize:        8,
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

// dial connects by the settings there are now.
func (s *shared) dial(ctx context.Context, network, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, sharedDial)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
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
		return nil, err
	}
	return secured, nil
}

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

func (s *shared) Store(ctx context.Context, key string, value []byte) error {
	ctx, cancel := context.WithTimeout(ctx, sharedWait)
	defer cancel()
	entry := binary.BigEndian.AppendUint64(nil, uint64(time.Now().UnixNano()))
	return stored(s.client.HSet(ctx, s.files(), key, append(entry, value...)).Err())
}

func (s *shared) entry(ctx context.Context, key string) (value []byte, at time.Time, err error) {
	ctx, cancel := context.WithTimeout(ctx, sharedWait)
	defer cancel()
	entry, err := s.client.HGet(ctx, s.files(), key).Bytes()
	switch {
	case errors.Is(err, redis.Nil):
		return nil, time.Time{}, fs.ErrNotExist
	case err != nil:
		return nil, time.Time{}, stored(err)
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
func (s *shared) below(ctx context.Context, key string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, sharedWait)
	defer cancel()
	keys, err := s.client.HKeys(ctx, s.files()).Result()
	if err != nil {
		return nil, stored(err)
	}
	return slices.DeleteFunc(keys, func(k string) bool {
		return key != "" && k != key && !strings.HasPrefix(k, key+"/")
	}), nil
}

func (s *shared) Delete(ctx context.Context, key string) error {
	keys, err := s.below(ctx, key)
	if err != nil || len(keys) == 0 {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, sharedWait)
	defer cancel()
	return stored(s.client.HDel(ctx, s.files(), keys...).Err())
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
