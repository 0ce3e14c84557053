package upstream

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// peer is the backend's end of a connection by HTTP/2, frame by frame.
type peer struct {
	*http2.Framer
	t    testing.TB
	conn net.Conn
	n    int64 // which connection, counted from 1

	out bytes.Buffer
	enc *hpack.Encoder
}

// framer starts a backend that begins as HTTP/2 does, with settings, and hands each connection to talk.
func framer(t testing.TB, talk func(*peer), settings ...http2.Setting) BackendSettings {
	var conns atomic.Int64
	b := raw(t, func(c net.Conn, br *bufio.Reader) {
		if _, err := io.ReadFull(br, make([]byte, len(http2.ClientPreface))); err != nil {
			return
		}
		f := &peer{Framer: http2.NewFramer(c, br), t: t, conn: c, n: conns.Add(1)}
		f.enc = hpack.NewEncoder(&f.out)
		f.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
		_ = f.WriteSettings(settings...)
		talk(f)
	})
	b.URL = "h2c://" + b.Address
	return b
}

// request reads up to the next request's head, and answers what the protocol asks for on the way. nil: there is none.
func (f *peer) request() *http2.MetaHeadersFrame {
	for {
		frame, err := f.next()
		if err != nil {
			return nil
		}
		if head, ok := frame.(*http2.MetaHeadersFrame); ok {
			return head
		}
	}
}

func (f *peer) next() (http2.Frame, error) {
	frame, err := f.ReadFrame()
	if err != nil {
		return nil, err
	}
	switch frame := frame.(type) {
	case *http2.SettingsFrame:
		if !frame.IsAck() {
			err = f.WriteSettingsAck()
		}
	case *http2.PingFrame:
		if !frame.IsAck() {
			err = f.WritePing(true, frame.Data)
		}
	}
	return frame, err
}

// rest reads until the end of the connection.
func (f *peer) rest() {
	for {
		if _, err := f.next(); err != nil {
			return
		}
	}
}

func (f *peer) block(lines ...string) []byte {
	f.out.Reset()
	for _, l := range lines {
		name, value, _ := strings.Cut(l, "=")
		_ = f.enc.WriteField(hpack.HeaderField{Name: name, Value: value})
	}
	return bytes.Clone(f.out.Bytes())
}

func (f *peer) head(stream uint32, end bool, lines ...string) {
	_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, EndHeaders: true, EndStream: end, BlockFragment: f.block(lines...)})
}

// What may become of a request whose backend speaks HTTP/2, but not as it should.
func TestHostileStreams(t *testing.T) {
	late := 100 * time.Millisecond
	ok := func(f *peer, id uint32) { f.head(id, true, ":status=200") }
	for _, tt := range []struct {
		name string
		talk func(f *peer, id uint32) // after the head of the first request on a connection
		want error                    // of Send, or of the body; nil: a whole answer
		not  error
	}{
		{"an answer", ok, nil, nil},
		{"no status", func(f *peer, id uint32) { f.head(id, true, "a=b") }, ErrBroken, nil},
		{"a status that is none", func(f *peer, id uint32) { f.head(id, true, ":status=abc") }, ErrBroken, nil},
		{"a signed status", func(f *peer, id uint32) { f.head(id, true, ":status=+200") }, ErrBroken, nil},
		{"a short status", func(f *peer, id uint32) { f.head(id, true, ":status=20") }, ErrBroken, nil},
		{"a long status", func(f *peer, id uint32) { f.head(id, true, ":status=2000") }, ErrBroken, nil},
		{"a padded status", func(f *peer, id uint32) { f.head(id, true, ":status=0200") }, ErrBroken, nil},
		{"a switch", func(f *peer, id uint32) { f.head(id, false, ":status=101"); f.rest() }, ErrBroken, nil},
		{"an upper case name", func(f *peer, id uint32) { f.head(id, true, ":status=200", "A=b") }, ErrBroken, nil},
		{"a line break", func(f *peer, id uint32) { f.head(id, true, ":status=200", "a=b\r\nc: d") }, ErrBroken, nil},
		{"a NUL", func(f *peer, id uint32) { f.head(id, true, ":status=200", "a=b\x00") }, ErrBroken, nil},
		{"a control character", func(f *peer, id uint32) { f.head(id, true, ":status=200", "a=b\x1b") }, ErrBroken, nil},
		{"an odd name", func(f *peer, id uint32) { f.head(id, true, ":status=200", "a b=c") }, ErrBroken, nil},
		{"201 lines", func(f *peer, id uint32) {
			lines := []string{":status=200"}
			for range 201 {
				lines = append(lines, "a=b")
			}
			f.head(id, true, lines...)
		}, ErrBroken, nil},
		{"a huge head", func(f *peer, id uint32) { f.long(id, 100) }, ErrBroken, nil},
		{"a head without an end", func(f *peer, id uint32) { f.long(id, 1<<30) }, ErrBroken, nil},
		{"a head of empty frames", func(f *peer, id uint32) {
			_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: f.block(":status=200")})
			for f.WriteContinuation(id, false, nil) == nil {
			}
		}, ErrBroken, nil},
		{"interim answers without an end", func(f *peer, id uint32) {
			for range 1000 {
				f.head(id, false, ":status=103", "link=</a>")
			}
			f.rest()
		}, ErrBroken, nil},
		{"an interim answer that ends", func(f *peer, id uint32) { f.head(id, true, ":status=103") }, ErrBroken, nil},
		{"data before a head", func(f *peer, id uint32) { _ = f.WriteData(id, true, []byte("hi")) }, ErrBroken, nil},
		{"a frame for no stream", func(f *peer, id uint32) { _ = f.WriteData(id+2, true, []byte("hi")); f.rest() }, ErrBroken, nil},
		{"a push", func(f *peer, id uint32) {
			_ = f.WritePushPromise(http2.PushPromiseParam{StreamID: id, PromiseID: 2, EndHeaders: true, BlockFragment: f.block(":method=GET")})
		}, ErrBroken, nil},
		{"more than it said", func(f *peer, id uint32) {
			f.head(id, false, ":status=200", "content-length=2")
			_ = f.WriteData(id, true, []byte("hi!"))
		}, ErrBroken, nil},
		{"less than it said", func(f *peer, id uint32) {
			f.head(id, false, ":status=200", "content-length=3")
			_ = f.WriteData(id, true, []byte("hi"))
		}, ErrBroken, nil},
		{"nothing of what it said", func(f *peer, id uint32) { f.head(id, true, ":status=200", "content-length=3") }, ErrBroken, nil},
		{"a body after HEAD's kind", func(f *peer, id uint32) {
			f.head(id, false, ":status=304", "content-length=3")
			_ = f.WriteData(id, true, []byte("hi!"))
		}, nil, nil},
		{"a reset", func(f *peer, id uint32) { _ = f.WriteRSTStream(id, http2.ErrCodeInternal) }, ErrBroken, ErrRefused},
		{"a reset of the body", func(f *peer, id uint32) {
			f.head(id, false, ":status=200")
			_ = f.WriteData(id, false, []byte("hi"))
			_ = f.WriteRSTStream(id, http2.ErrCodeInternal)
		}, ErrBroken, ErrRefused},
		{"the end of the connection", func(f *peer, id uint32) { f.conn.Close() }, ErrBroken, ErrRefused},
		{"the end in the body", func(f *peer, id uint32) {
			f.head(id, false, ":status=200")
			_ = f.WriteData(id, false, []byte("hi"))
			f.conn.Close()
		}, ErrBroken, ErrRefused},
		{"a trailer that is malformed", func(f *peer, id uint32) {
			f.head(id, false, ":status=200")
			_ = f.WriteData(id, false, []byte("hi"))
			f.head(id, true, "a=b\r\n")
		}, ErrBroken, nil},
		{"a trailer that does not end", func(f *peer, id uint32) {
			f.head(id, false, ":status=200")
			f.head(id, false, "a=b")
		}, ErrBroken, nil},
		{"a large trailer", func(f *peer, id uint32) {
			f.head(id, false, ":status=200")
			f.head(id, true, "a="+strings.Repeat("b", maxTrailer))
		}, ErrBroken, nil},
		{"silence", func(f *peer, id uint32) { f.rest() }, ErrLate, nil},
		{"GOAWAY after it was taken, and the end", func(f *peer, id uint32) {
			_ = f.WriteGoAway(id, http2.ErrCodeNo, nil)
			f.conn.Close()
		}, ErrBroken, ErrRefused},
		{"GOAWAY after it was taken, and the answer", func(f *peer, id uint32) {
			_ = f.WriteGoAway(id, http2.ErrCodeNo, nil)
			f.head(id, true, ":status=200")
		}, nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := pool(t, framer(t, func(f *peer) {
				if head := f.request(); head != nil {
					tt.talk(f, head.StreamID)
					f.rest()
				}
			}))
			ctx := deadline(t)
			if tt.want == ErrLate {
				ctx = shortly(t, late)
			}
			r := &Request{Method: "POST", Target: "/", Host: "a"} // which is not sent again
			a, err := claim(t, p).Send(ctx, r)
			if err == nil {
				_, err = io.ReadAll(a.Body)
				a.Body.Close()
			}
			if !errors.Is(err, tt.want) || tt.want == nil && err != nil || tt.not != nil && errors.Is(err, tt.not) || errors.Is(err, ErrConnect) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

// long writes a head of so many frames.
func (f *peer) long(id uint32, n int) {
	_ = f.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: f.block(":status=200")})
	for range n {
		if f.WriteContinuation(id, false, f.block("x="+strings.Repeat("x", 1000))) != nil {
			return
		}
	}
	_ = f.WriteContinuation(id, true, nil)
}

// Who does not read is not drowned: the window ends what a backend may send, and who sends more is cut off.
func TestMoreThanTheWindow(t *testing.T) {
	p := pool(t, framer(t, func(f *peer) {
		head := f.request()
		f.head(head.StreamID, false, ":status=200")
		for f.WriteData(head.StreamID, false, make([]byte, 16384)) == nil {
		}
	}))
	a := send(t, p, get("/"))
	link := a.Body.(*streamBody).s.link
	eventually(t, "the connection is ended", func() bool { return link.Err() != nil })
	if n, err := io.Copy(io.Discard, a.Body); n > streamWindow || !errors.Is(err, ErrBroken) {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// Whoever does not speak HTTP/2 is known before anything is sent.
func TestWhoDoesNotSpeakHTTP2(t *testing.T) {
	for name, b := range map[string]BackendSettings{
		"HTTP/1":   script(t, "HTTP/1.1 400 Bad Request\r\n\r\n"),
		"closes":   raw(t, func(c net.Conn, br *bufio.Reader) {}),
		"silence":  raw(t, func(c net.Conn, br *bufio.Reader) { _, _ = io.Copy(io.Discard, br) }),
		"no place": framer(t, (*peer).rest, http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 0}),
		"half": raw(t, func(c net.Conn, br *bufio.Reader) {
			_, _ = c.Write([]byte("\x00\x00\x06\x04\x00"))
		}),
	} {
		b.URL = "h2c://" + b.Address
		p := NewPool(Settings{Name: "app", Backends: []BackendSettings{b}, DialTimeout: 200 * time.Millisecond}, nil)
		t.Cleanup(p.Close)
		body := strings.NewReader("abc")
		c := claim(t, p)
		_, err := c.Send(deadline(t), &Request{Method: "POST", Target: "/", Host: "a", Body: body, Length: -1,
			Sending: func() { t.Errorf("%s: something is sent", name) }})
		if c.End(Result{Err: err}); !errors.Is(err, ErrConnect) || body.Len() != 3 {
			t.Errorf("%s: got %v, want ErrConnect", name, err)
		}
		t.Logf("%s: %v", name, err)
		if links(p) != 0 {
			t.Errorf("%s: the connection is kept", name)
		}
	}
}

func shortly(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}
