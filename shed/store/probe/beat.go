package probe

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"gatehouse/shed/store"
)

// beatLives is how long a heartbeat stays in a store: longer than anybody wants to know by how much a member lags.
const beatLives = time.Hour

var errBeat = errors.New("what is there is no heartbeat")

// beats is the link over which heartbeats go, so that one which hangs is in no probe's way. Its zero value is ready.
type beats struct {
	mu     sync.Mutex // held during a beat
	node   *Redis     // connects, and never probes; nil before the first
	link   *link
	closed bool
}

var _, _ store.Beater = (*Redis)(nil), (*Sentinel)(nil)

// Beat writes the heartbeat of this Gatehouse at the member that this store is, by the name own, and reads those that it wrote at
// the others, as they have come here by replication: seen[i] is when it wrote at others[i], by its own clock, and the zero time
// where nothing has come in the last hour. So no two clocks are compared, if Settings.Instance is this Gatehouse's alone. See
// store.Beater. Where only the write is refused both seen
// and an error are returned. What it meets is no evidence.
func (r *Redis) Beat(ctx context.Context, own string, others []string) (seen []time.Time, err error) {
	return r.beats.beat(ctx, r.set, own, others)
}

// Beat is that of the node which the Sentinels name. See Redis.Beat.
func (p *Sentinel) Beat(ctx context.Context, own string, others []string) (seen []time.Time, err error) {
	at, err := p.address(ctx)
	if err != nil {
		return nil, err
	}
	return p.beats.beat(ctx, p.node(at), own, others)
}

func (b *beats) beat(ctx context.Context, s Settings, own string, others []string) (seen []time.Time, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, errClosed
	}
	if b.node == nil || b.node.set.Address != s.Address {
		b.drop()
		b.node = New(s)
	}
	ctx, cut := context.WithTimeout(ctx, lateFor)
	defer cut()
	var refused error
	b.link, err = b.node.converse(&attempt{ctx: ctx}, b.link, func(l *link) (err error) {
		seen, refused, err = l.beat(ctx, s, own, others)
		return err
	})
	if err != nil {
		return nil, err
	}
	if refused != nil { // go-redis closes a connection on which a write was refused, by some words
		b.link.close()
		b.link = nil
	}
	return seen, refused
}

// beat is the exchange: one pipeline. refused is what the write was answered with, err what the reads met.
func (l *link) beat(ctx context.Context, s Settings, own string, others []string) (seen []time.Time, refused, err error) {
	key := func(member string) string { return s.Prefix + "beat:" + s.Instance + ":" + member }
	pipe := l.client.Pipeline()
	set := pipe.Set(ctx, key(own), strconv.FormatInt(time.Now().UnixMilli(), 10), beatLives)
	gets := make([]*redis.StringCmd, len(others))
	for i, member := range others {
		gets[i] = pipe.Get(ctx, key(member))
	}
	if _, err := pipe.Exec(ctx); err != nil && (!l.ready.Load() || word(err) == "") {
		return nil, nil, err
	}
	if refused = set.Err(); refused != nil && word(refused) == "" {
		return nil, nil, refused
	}
	seen = make([]time.Time, len(others))
	for i, get := range gets {
		at, err := get.Int64()
		switch {
		case word(err) == "nil":
		case errors.Is(err, strconv.ErrSyntax), errors.Is(err, strconv.ErrRange):
			return nil, nil, fmt.Errorf("%s: %w", others[i], errBeat)
		case err != nil:
			return nil, nil, fmt.Errorf("%s: %w", others[i], err)
		default:
			seen[i] = time.UnixMilli(at)
		}
	}
	return seen, refused, nil
}

func (b *beats) drop() {
	b.link.close()
	b.link = nil
	if b.node != nil {
		_ = b.node.Close()
	}
}

// close ends it. It is to be called when no beat is under way; one that comes later fails.
func (b *beats) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.drop()
	b.closed = true
}
