package edge

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// brisk are limits that a test need not wait for.
var brisk = Limits{BodyGrace: 150 * time.Millisecond, BodyRate: 1 << 20}

const upload = "POST / HTTP/1.1\nHost: a\nContent-Length: 100000\n\n"

func TestBodiesArriveWhole(t *testing.T) {
	s := start(t, Settings{}, func(v Visitor) {
		got, err := io.ReadAll(v.Body())
		if err != nil {
			t.Error(err)
		}
		reply(v, string(got))
	})
	c := dial(t, s)
	for range 2 { // the second on the same connection
		c.send("POST / HTTP/1.1\nHost: a\nContent-Length: 5\n\nhello")
		if _, body := c.answer("POST"); body != "hello" {
			t.Errorf("got %q", body)
		}
		c.send("POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n2\nhe\n3\nllo\n0\n\n")
		if _, body := c.answer("POST"); body != "hello" {
			t.Errorf("chunked: got %q", body)
		}
	}
}

func TestAnEchoLosesNothing(t *testing.T) {
	s := start(t, Settings{}, func(v Visitor) {
		v.Answer(200, nil, v.Length(), false)
		v.Flush()
		if _, err := io.Copy(v, v.Body()); err != nil {
			t.Error(err)
			v.Abort()
		}
	})
	big := strings.Repeat("0123456789", 100_000)
	for _, length := range []int64{int64(len(big)), -1} {
		req, err := http.NewRequest("POST", "http://"+s.Address().String()+"/", io.NopCloser(strings.NewReader(big)))
		if err != nil {
			t.Fatal(err)
		}
		req.ContentLength = length
		tr := &http.Transport{}
		res, err := tr.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(res.Body)
		res.Body.Close()
		tr.CloseIdleConnections()
		if err != nil || string(got) != big {
			t.Errorf("length %d: %d bytes came back, %v", length, len(got), err)
		}
	}
}

func TestASlowBodyEndsInAnError(t *testing.T) {
	for name, drip := range map[string]time.Duration{"nothing comes": 0, "a drip": 20 * time.Millisecond} {
		ended := make(chan error, 1)
		s := start(t, Settings{Limits: brisk}, func(v Visitor) {
			_, err := io.Copy(io.Discard, v.Body())
			ended <- err
			if v.Context().Err() != nil {
				t.Error("the visitor is taken for gone")
			}
			if _, again := v.Body().Read(make([]byte, 1)); again != err {
				t.Errorf("read on after %v: %v", err, again)
			}
			reply(v, "slow")
		})
		c := dial(t, s)
		c.send(upload)
		stop := make(chan struct{})
		dripped := make(chan struct{})
		go func() {
			defer close(dripped)
			for drip > 0 {
				select {
				case <-stop:
					return
				case <-time.After(drip):
					c.Write([]byte("x"))
				}
			}
		}()
		if err := wait(t, ended); !errors.Is(err, errSlow) {
			t.Errorf("%s: got %v, want errSlow", name, err)
		}
		if res, body := c.answer("POST"); body != "slow" || !res.Close {
			t.Errorf("%s: %q, close %v", name, body, res.Close)
		}
		close(stop)
		<-dripped
		c.ended()
	}
}

// However much has come, and so been earned: a body that stands still holds what its request holds.
func TestABodyThatStandsStillEndsInAnError(t *testing.T) {
	ended := make(chan error, 1)
	s := start(t, Settings{Limits: Limits{BodyGrace: 50 * time.Millisecond, BodyRate: 1}}, func(v Visitor) {
		n, err := io.Copy(io.Discard, v.Body())
		if n != 50000 {
			t.Errorf("%d bytes came", n)
		}
		ended <- err
	})
	dial(t, s).send(upload + strings.Repeat("x", 50000))
	if err := wait(t, ended); !errors.Is(err, errSlow) {
		t.Errorf("got %v, want errSlow", err)
	}
}

func TestABodyThatWeDoNotReadIsNotSlow(t *testing.T) {
	s := start(t, Settings{Limits: brisk}, func(v Visitor) {
		buf := make([]byte, 1000)
		for range 3 {
			if _, err := io.ReadFull(v.Body(), buf); err != nil {
				t.Errorf("ReadFull: %v", err)
			}
			<-time.After(2 * brisk.BodyGrace) // no wait for an event: this is the time that must not count
		}
		if _, err := io.Copy(io.Discard, v.Body()); err != nil {
			t.Error(err)
		}
		reply(v, "ok")
	})
	c := dial(t, s)
	c.send(upload + strings.Repeat("x", 100000))
	if _, body := c.answer("POST"); body != "ok" {
		t.Errorf("got %q", body)
	}
}

func TestInterruptEndsAReadUnderWay(t *testing.T) {
	s := start(t, Settings{}, func(v Visitor) {
		ended := make(chan error)
		began := make(chan struct{})
		go func() {
			buf := make([]byte, 3)
			io.ReadFull(v.Body(), buf)
			close(began)
			_, err := v.Body().Read(buf)
			ended <- err
		}()
		<-began
		v.Body().(interface{ Interrupt() }).Interrupt()
		if err := <-ended; !errors.Is(err, errUnwanted) {
			t.Errorf("got %v, want errUnwanted", err)
		}
		if v.Context().Err() != nil {
			t.Error("the visitor is taken for gone")
		}
		reply(v, "early")
	})
	for _, head := range []string{upload, "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n3\n"} {
		c := dial(t, s)
		c.send(head + "abc")
		if res, body := c.answer("POST"); body != "early" || !res.Close {
			t.Errorf("got %q, close %v", body, res.Close)
		}
		c.ended()
	}
}

func TestAfterTheBodyLeavingEndsTheContext(t *testing.T) {
	read, gone := make(chan struct{}), make(chan struct{})
	s := start(t, Settings{}, func(v Visitor) {
		io.Copy(io.Discard, v.Body())
		if v.Target() == "/first" {
			reply(v, "")
			return
		}
		read <- struct{}{}
		<-v.Context().Done()
		v.Abort()
		gone <- struct{}{}
	})
	for _, request := range []string{
		"GET / HTTP/1.1\nHost: a\n\n",
		"POST / HTTP/1.1\nHost: a\nContent-Length: 3\n\nabc",
		"POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n3\nabc\n0\n\n",
	} {
		c := dial(t, s)
		c.send("GET /first HTTP/1.1\nHost: a\n\n")
		c.answer("GET")
		c.send(request)
		wait(t, read)
		c.Close()
		wait(t, gone)
	}
}

func TestLeavingMidwayEndsTheBodyAndTheContext(t *testing.T) {
	ended := make(chan error, 1)
	began := make(chan struct{})
	s := start(t, Settings{}, func(v Visitor) {
		io.ReadFull(v.Body(), make([]byte, 1))
		close(began)
		_, err := io.Copy(io.Discard, v.Body())
		if v.Context().Err() == nil {
			t.Error("the body broke off, and the visitor is not taken for gone")
		}
		ended <- err
		v.Abort()
	})
	c := dial(t, s)
	c.send(upload + "abc")
	wait(t, began)
	c.Close()
	if err := wait(t, ended); err == nil || errors.Is(err, errSlow) {
		t.Errorf("got %v", err)
	}
}

func TestContinueIsSentOnlyWhenTheBodyIsRead(t *testing.T) {
	s := start(t, Settings{}, func(v Visitor) {
		if v.Target() == "/no" {
			reply(v, "no")
			return
		}
		v.Inform(103, nil)
		got, _ := io.ReadAll(v.Body())
		reply(v, string(got))
	})
	const head = " HTTP/1.1\nHost: a\nExpect: 100-continue\nContent-Length: 5\n\n"
	c := dial(t, s)
	for range 2 {
		c.send("POST /" + head)
		if status, _ := c.head(); status != "HTTP/1.1 103 Early Hints" {
			t.Fatalf("got %q", status)
		}
		if status, lines := c.head(); status != "HTTP/1.1 100 Continue" || len(lines) > 0 {
			t.Fatalf("got %q %q", status, lines)
		}
		c.send("hello")
		if _, body := c.answer("POST"); body != "hello" {
			t.Errorf("got %q", body)
		}
	}
	c = dial(t, s)
	c.send("POST /no" + head)
	if res, body := c.answer("POST"); res.StatusCode != 200 || body != "no" || !res.Close {
		t.Errorf("got %d %q, close %v", res.StatusCode, body, res.Close)
	}
	c.ended()
}

func TestContinueAndInterimAnswersDoNotMix(t *testing.T) {
	s := start(t, Settings{}, func(v Visitor) {
		informed := make(chan struct{})
		go func() {
			defer close(informed)
			for range 20 {
				v.Inform(103, nil)
			}
		}()
		io.Copy(io.Discard, v.Body())
		<-informed
		reply(v, "ok")
	})
	c := dial(t, s)
	c.send("POST / HTTP/1.1\nHost: a\nExpect: 100-continue\nContent-Length: 5\n\nhello")
	continues := 0
	for range 21 {
		switch status, _ := c.head(); status {
		case "HTTP/1.1 100 Continue":
			continues++
		case "HTTP/1.1 103 Early Hints":
		default:
			t.Fatalf("got %q", status)
		}
	}
	if _, body := c.answer("POST"); body != "ok" || continues != 1 {
		t.Errorf("%q after %d times 100", body, continues)
	}
}

// The kernel answers bytes that nobody reads with a reset, at which a visitor who is still sending would lose the page.
func TestWhoSendsOnStillGetsTheAnswer(t *testing.T) {
	s := start(t, Settings{}, func(v Visitor) { reply(v, "page") })
	big := strings.Repeat("x", 100_000)
	for _, request := range []string{
		upload + big, "POST / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n186a0\n" + big + "\n0\n\n",
	} {
		for range 5 {
			c := dial(t, s)
			c.send(request[:len(request)-50_000])
			if _, err := c.br.Peek(1); err != nil { // the answer is there, and the rest still to be sent
				t.Fatal(err)
			}
			c.send(request[len(request)-50_000:])
			if _, body := c.answer("POST"); body != "page" {
				t.Errorf("got %q", body)
			}
			if _, err := io.Copy(io.Discard, c.br); err != nil {
				t.Errorf("at the end: %v", err)
			}
			c.Close()
		}
	}
}

func TestWhatIsLeftOfABody(t *testing.T) {
	for _, tt := range []struct {
		name, request, rest string
		keeps               bool
	}{
		{"little", "Content-Length: 5\n\nhello", "", true},
		{"little, later", "Content-Length: 5\n\n", "hello", true},
		{"little, chunked", "Transfer-Encoding: chunked\n\n5\nhello\n0\n\n", "", true},
		{"much", "Content-Length: 5000\n\n" + strings.Repeat("x", 5000), "", false},
		{"much that never comes", "Content-Length: 5000\n\n", "", false},
		{"little that never comes", "Content-Length: 5\n\n", "", false},
		{"much, chunked", "Transfer-Encoding: chunked\n\n1388\n" + strings.Repeat("x", 5000) + "\n0\n\n", "", false},
		{"bad chunks", "Transfer-Encoding: chunked\n\nzz\nGET /smuggled HTTP/1.1\nHost: a\n\n", "", false},
		{"bad chunks, garbage behind", "Transfer-Encoding: chunked\n\nzz\nGARBAGE\n\n", "", false},
		{"bad chunk ends", "Transfer-Encoding: chunked\n\n1\nxGET /smuggled HTTP/1.1\nHost: a\n\n", "", false},
	} {
		for _, length := range []int64{4, -1} {
			t.Run(tt.name, func(t *testing.T) {
				t.Parallel()
				asked := make(chan string, 4)
				s := start(t, Settings{}, func(v Visitor) {
					asked <- v.Target()
					v.Answer(200, nil, length, false)
					io.WriteString(v, "page")
				})
				c := dial(t, s)
				c.send("POST /first HTTP/1.1\nHost: a\n" + tt.request)
				if tt.rest != "" {
					c.head()
					c.send(tt.rest)
					io.ReadFull(c.br, make([]byte, map[int64]int{4: 4, -1: len("4\r\npage\r\n0\r\n\r\n")}[length]))
				} else if res, body := c.answer("POST"); res.StatusCode != 200 || body != "page" {
					t.Errorf("got %d %q", res.StatusCode, body)
				}
				if !tt.keeps {
					c.ended()
					c.Close()
					eventually(t, "the connection is closed", func() bool { return s.Conns() == 0 })
					<-time.After(20 * time.Millisecond) // for a second request to be seen, which must not be
				} else {
					c.send("GET /second HTTP/1.1\nHost: a\n\n")
					if res, body := c.answer("GET"); res.StatusCode != 200 || body != "page" {
						t.Errorf("then got %d %q", res.StatusCode, body)
					}
				}
				if want := map[bool]int{true: 2, false: 1}[tt.keeps]; len(asked) != want {
					t.Errorf("%d requests were seen, want %d", len(asked), want)
				}
			})
		}
	}
}
