package test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// startSentinels starts three of them over a primary, and returns their addresses once they know its replica and each other.
func startSentinels(t *testing.T, primary *redisServer) []string {
	t.Helper()
	var all []string
	for range 3 {
		port, dir := freePort(t), t.TempDir()
		file := filepath.Join(dir, "sentinel.conf")
		writeFile(t, file, fmt.Sprintf(`port %s
bind 127.0.0.1
dir %s
sentinel monitor sessions 127.0.0.1 %s 2
sentinel down-after-milliseconds sessions 1000
sentinel failover-timeout sessions 5000
`, port, dir, primary.port))
		cmd := exec.Command("redis-server", file, "--sentinel")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		})
		all = append(all, "127.0.0.1:"+port)
	}
	for _, address := range all {
		cli := redis.NewSentinelClient(&redis.Options{Addr: address})
		eventually(t, 30*time.Second, "the Sentinels have found everybody", func() bool {
			m, err := cli.Master(context.Background(), "sessions").Result()
			return err == nil && m["num-slaves"] == "1" && m["num-other-sentinels"] == "2"
		})
		_ = cli.Close()
	}
	return all
}

// signedIn is a sign-in that was answered with a session.
type signedIn struct {
	at time.Time
	id string
}

// signInFor sends one every 25 ms until it is stopped. What it returns waits for the last answer and returns those that were given a session.
func signInFor(t *testing.T, base string, stop <-chan struct{}) func() []signedIn {
	t.Helper()
	var given []signedIn
	var mu sync.Mutex
	var work sync.WaitGroup
	once := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Timeout: 10 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				work.Wait()
				return
			case <-time.After(25 * time.Millisecond):
			}
			work.Go(func() {
				at := time.Now()
				res, err := once.PostForm(base+"/login", url.Values{"name": {"ada"}})
				if err != nil {
					return
				}
				defer res.Body.Close()
				for _, c := range res.Cookies() {
					if c.Name == "sid" && c.Value != "" {
						mu.Lock()
						given = append(given, signedIn{at, c.Value})
						mu.Unlock()
					}
				}
			})
		}
	}()
	t.Cleanup(func() { <-done; once.CloseIdleConnections() })
	return func() []signedIn {
		<-done
		return given
	}
}

// TestASentinelFailoverLosesNoSignIns: the old primary goes on taking writes for some ten seconds that are then thrown away. A
// Gatehouse that asks the Sentinels lets nobody sign in into that hole; one that only looks at the node, as any direct check does,
// finds nothing wrong with it.
func TestASentinelFailoverLosesNoSignIns(t *testing.T) {
	old := startPair(t)
	sentinels := startSentinels(t, old)
	a := startApp(t, old.address(), ordinary) // its client stays where it is until it is refused, as plain ones do
	text := site{store: old.address(), backend: a.URL}.text()
	told := strings.Replace(text, fmt.Sprintf("redis: {address: %q}", old.address()),
		fmt.Sprintf(`sentinel: {master: sessions, addresses: [%q, %q, %q]}`, sentinels[0], sentinels[1], sentinels[2]), 1)
	if told == text {
		t.Fatal("the file does not name the Sentinels")
	}
	with, without := startGatehouse(t, told), startGatehouse(t, text)

	stop := make(chan struct{})
	guarded, exposed := signInFor(t, with.url, stop), signInFor(t, without.url, stop)
	stopped := sync.OnceFunc(func() { close(stop) })
	t.Cleanup(stopped) // runs before the cleanups that wait
	eventually(t, 20*time.Second, "sign-ins work on both sides", func() bool {
		return with.signInsTotal(t)["success"] > 3 && without.signInsTotal(t)["success"] > 3
	})

	cli := redis.NewSentinelClient(&redis.Options{Addr: sentinels[0]})
	defer cli.Close()
	eventually(t, 30*time.Second, "the Sentinels begin a failover", func() bool { return cli.Failover(context.Background(), "sessions").Err() == nil })
	newPrimary := "127.0.0.1:" + old.replica.port
	eventually(t, 30*time.Second, "the Sentinels name the other node", func() bool {
		at, err := cli.GetMasterAddrByName(context.Background(), "sessions").Result()
		return err == nil && strings.Join(at, ":") == newPrimary
	})
	switched := time.Now()
	eventually(t, 30*time.Second, "the stale primary is seen", func() bool { return strings.Contains(with.causes(), "stale_primary") })
	t.Logf("stale_primary seen %v after the switch", time.Since(switched).Round(time.Millisecond))
	eventually(t, 60*time.Second, "the old primary is demoted and has taken over the other's data", func() bool {
		info, err := old.cli.Info(context.Background(), "replication").Result()
		return err == nil && strings.Contains(info, "role:slave") && strings.Contains(info, "master_link_status:up")
	})
	demoted := time.Now()
	eventually(t, 30*time.Second, "Gatehouse finds the new primary writable", func() bool { return with.storeState(t) == "writable" })
	stopped()

	lost := func(given []signedIn) (n int, last time.Duration) {
		for _, s := range given {
			err := old.replica.cli.Get(context.Background(), "sess:"+s.id).Err()
			if errors.Is(err, redis.Nil) {
				n, last = n+1, max(last, s.at.Sub(switched))
			} else if err != nil {
				t.Fatal(err)
			}
		}
		return n, last
	}
	n, last := lost(guarded())
	m, lastExposed := lost(exposed())
	t.Logf("the old primary took writes for %v after the switch; sign-ins lost with the Sentinels' word %d (the last %v after the switch), without it %d (the last %v)",
		demoted.Sub(switched).Round(time.Millisecond), n, last.Round(time.Millisecond), m, lastExposed.Round(time.Millisecond))
	if last > 1500*time.Millisecond*slack/4 {
		t.Errorf("sign-ins were lost until %v after the switch; promised 1.5 s", last)
	}
	if m < 20 || n*4 > m {
		t.Errorf("%d lost with the Sentinels' word and %d without: the contrast is missing", n, m)
	}
}
