package shed

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// stream is one kind of visitors of a two-pool site: so many come together each time, or, with no time between them, come again
// as soon as they are answered.
type stream struct {
	class Class
	guest bool // of the small pool's, else of the large one's own
	many  int
	every time.Duration
	takes time.Duration
}

// site lets streams come for half a minute to a pool of 20 that a pool of four overflows into, and returns how many of each were
// served, and of how many. One in ten of the 20 is reserve.
func site(t *testing.T, length int, streams ...stream) (served, came []int64) {
	t.Helper()
	const span = 30 * time.Second
	synctest.Test(t, func(t *testing.T) {
		var login, app Gate
		login.Set(GateSettings{Limit: 4, Length: 20, Timeout: 2 * time.Second, Shares: usualShares})
		app.Set(GateSettings{Limit: 20, Length: length, Timeout: 2 * time.Second, Shares: usualShares, Reserve: 0.1})
		good, all := make([]atomic.Int64, len(streams)), make([]atomic.Int64, len(streams))
		var out sync.WaitGroup
		for i, s := range streams {
			request := func() {
				own, over := &app, (*Gate)(nil)
				if s.guest {
					own, over = &login, &app
				}
				all[i].Add(1)
				p, err := Enter(context.Background(), own, over, s.class)
				if err != nil {
					return
				}
				if most := 18; s.guest {
					app.mu.Lock()
					if n := app.allGuests(); n > most {
						t.Errorf("%d guests; want no more than %d", n, most)
					}
					app.mu.Unlock()
				}
				good[i].Add(1)
				time.Sleep(s.takes)
				p.Done()
			}
			began := time.Now()
			for k := range s.many {
				out.Go(func() {
					if s.every == 0 {
						time.Sleep(time.Duration(k) * 7 * time.Millisecond)
					}
					for time.Since(began) < span {
						if s.every == 0 {
							request()
							continue
						}
						out.Go(request)
						time.Sleep(s.every - time.Duration(i)*time.Microsecond)
					}
				})
			}
		}
		out.Wait()
		empty(t, &login)
		empty(t, &app)
		for i := range streams {
			served, came = append(served, good[i].Load()), append(came, all[i].Load())
			who := "own"
			if streams[i].guest {
				who = "guests"
			}
			t.Logf("%v (%s): %d of %d", streams[i].class, who, served[i], came[i])
		}
	})
	return served, came
}

// Twice as many sign-ins come as their pool can take, and the other is kept busy by requests that matter less: those give way.
func TestLesserRequestsKeepNoSignInOut(t *testing.T) {
	signIns := stream{SignIn, true, 1, 25 * ms, 200 * ms}
	for name, c := range map[string]struct {
		length int
		busy   stream
	}{
		"a flood of background":                {40, stream{Background, false, 1, 5 * ms, 200 * ms}},
		"a flood of strangers":                 {40, stream{Anonymous, false, 1, 5 * ms, 200 * ms}},
		"a flood at a pool without a queue":    {0, stream{Background, false, 1, 5 * ms, 200 * ms}},
		"background that never quite queues":   {40, stream{Background, false, 19, 0, 200 * ms}},
		"background that queues now and again": {40, stream{Background, false, 21, 0, 200 * ms}},
	} {
		t.Run(name, func(t *testing.T) {
			served, came := site(t, c.length, c.busy, signIns)
			if served[1] < came[1]*95/100 {
				t.Errorf("%d of %d sign-ins were served; want nearly all", served[1], came[1])
			}
			if served[0] < 600 {
				t.Errorf("%d of the others were served", served[0])
			}
		})
	}
}

// A flood of guests, and be they as slow as can be, takes nothing from the shares of those whose pool it is: neither of those who
// come steadily nor of those who come now and again.
func TestGuestsTakeNothingOfAShare(t *testing.T) {
	for name, guests := range map[string]stream{
		"quick":                     {SignIn, true, 3, 10 * ms, 50 * ms},
		"slow":                      {SignIn, true, 1, 25 * ms, 900 * ms},
		"as slow as can be":         {SignIn, true, 1, 50 * ms, 10 * time.Second},
		"who matter more than some": {Member, true, 1, 50 * ms, 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			served, came := site(t, 128, stream{Member, false, 8, 4 * time.Second, 1500 * ms}, stream{SignIn, false, 1, 29 * ms, 100 * ms},
				stream{Background, false, 3, 10 * ms, 100 * ms}, guests)
			for i, c := range []Class{Member, SignIn} {
				if served[i] < came[i]*95/100 {
					t.Errorf("%v: %d of %d were served, who asked for less than their share", c, served[i], came[i])
				}
			}
			if want := int64(0.05 * 20 * 10 * 30 * 0.8); served[2] < want {
				t.Errorf("%d of background were served; its share is worth %d", served[2], want)
			}
			if served[3] < 20 {
				t.Errorf("%d guests were served", served[3])
			}
		})
	}
}

// A permit that comes free goes to who is due, then to who matters most, and of equals to the pool's own.
func TestWhoGoesBeforeAGuest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		login, loginHeld := full(t, 1, GateSettings{Length: 9, Timeout: time.Minute})
		app, appHeld := full(t, 10, GateSettings{Length: 9, Timeout: time.Minute, Shares: Shares{Background: 0.1}, Reserve: 0.5})
		turns := make(chan string, 9)
		var out []Permit
		come := func(name string, own, over *Gate, c Class) {
			go func() {
				p, err := Enter(t.Context(), own, over, c)
				if err != nil {
					t.Error(err)
				}
				turns <- name
				out = append(out, p)
			}()
			synctest.Wait()
		}
		come("an own stranger", app, nil, Anonymous)
		come("own background", app, nil, Background)
		come("background again", app, nil, Background)
		come("a guest", login, app, SignIn)
		come("an own sign-in", app, nil, SignIn)
		come("a guest who is a member", login, app, Member)
		for i, want := range []string{"own background", "a guest who is a member", "an own sign-in", "a guest", "an own stranger", "background again"} {
			if len(turns) != 0 {
				t.Fatalf("%v came in with another", <-turns)
			}
			appHeld[i].Done()
			synctest.Wait()
			if got := <-turns; got != want {
				t.Errorf("the turn of %s; want %s", got, want)
			}
		}
		for i := range out {
			out[i].Done()
		}
		for i := range appHeld {
			appHeld[i].Done()
		}
		loginHeld[0].Done()
		empty(t, app)
		empty(t, login)
	})
}
