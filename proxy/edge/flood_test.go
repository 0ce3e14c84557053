package edge

import (
	"encoding/binary"
	"runtime"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

// floods are what somebody does on HTTP/2 who wants to cost us much for little. Each is given up with his connection, and nobody
// beside him notices.
func TestFloods(t *testing.T) {
	tiny := http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1}
	id := func(i int) uint32 { return uint32(2*i + 1) }
	// frame writes one as it should not be.
	frame := func(r *raw, kind http2.FrameType, flags http2.Flags, id uint32, payload ...byte) error {
		return r.fr.WriteRawFrame(kind, flags, id, payload)
	}
	for name, flood := range map[string]func(r *raw, i int) error{
		"rapid reset": func(r *raw, i int) error {
			if err := r.open(id(i), true, "GET", "/held"); err != nil {
				return err
			}
			return r.fr.WriteRSTStream(id(i), http2.ErrCodeCancel)
		},
		"made to reset by a window of nothing": func(r *raw, i int) error {
			if err := r.open(id(i), true, "GET", "/held"); err != nil {
				return err
			}
			return frame(r, http2.FrameWindowUpdate, 0, id(i), 0, 0, 0, 0)
		},
		"made to reset by a window too large": func(r *raw, i int) error {
			if err := r.open(id(i), true, "GET", "/held"); err != nil {
				return err
			}
			return r.fr.WriteWindowUpdate(id(i), 1<<31-1)
		},
		"made to reset by a body behind its end": func(r *raw, i int) error {
			if err := r.open(id(i), true, "GET", "/held"); err != nil {
				return err
			}
			return r.fr.WriteData(id(i), true, []byte("x"))
		},
		"made to reset by a dependence on itself": func(r *raw, i int) error {
			if err := r.open(id(i), true, "GET", "/held"); err != nil {
				return err
			}
			return frame(r, http2.FramePriority, 0, id(i), append(binary.BigEndian.AppendUint32(nil, id(i)), 1)...)
		},
		"malformed heads": func(r *raw, i int) error {
			return r.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id(i), BlockFragment: r.block(":method", "GET"), EndStream: true, EndHeaders: true})
		},
		"more streams than there may be": func(r *raw, i int) error { return r.open(id(i), true, "GET", "/held") },
		"PING":                           func(r *raw, i int) error { return r.fr.WritePing(false, [8]byte{byte(i)}) },
		"PING answers":                   func(r *raw, i int) error { return r.fr.WritePing(true, [8]byte{byte(i)}) },
		"SETTINGS":                       func(r *raw, i int) error { return r.fr.WriteSettings(tiny) },
		"PRIORITY": func(r *raw, i int) error {
			return r.fr.WritePriority(1, http2.PriorityParam{StreamDep: 3, Weight: byte(i)})
		},
		"PRIORITY_UPDATE": func(r *raw, i int) error { return frame(r, 0x10, 0, 0, 0, 0, 0, 1, 'u', '=', '1') },
		"WINDOW_UPDATE": func(r *raw, i int) error {
			if i == 0 {
				return r.open(1, true, "GET", "/held")
			}
			return r.fr.WriteWindowUpdate(1, 1)
		},
		"unknown frames": func(r *raw, i int) error { return frame(r, 0xbe, 0, 0) },
		"empty DATA": func(r *raw, i int) error {
			if i == 0 {
				return r.open(1, false, "POST", "/held")
			}
			return r.fr.WriteData(1, false, nil)
		},
		"padding": func(r *raw, i int) error {
			if i == 0 {
				return r.open(1, false, "POST", "/held")
			}
			return r.fr.WriteDataPadded(1, false, nil, make([]byte, 10))
		},
		"CONTINUATION": func(r *raw, i int) error {
			if i == 0 {
				return r.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: r.block(":method", "GET")})
			}
			return r.fr.WriteContinuation(1, false, nil)
		},
		"a window of one byte": func(r *raw, i int) error {
			if i == 0 {
				return r.open(1, true, "GET", "/large")
			}
			return r.fr.WriteWindowUpdate(1, 1)
		},
	} {
		for kind, secure := range kinds {
			t.Run(name+" "+kind, func(t *testing.T) {
				t.Parallel() // each has a second in which its GOAWAY can be read
				s := startH2(t, secure, Settings{}, func(v Visitor) {
					switch v.Target() {
					case "/held":
						<-v.Context().Done()
					case "/large":
						v.Answer(200, nil, 1<<20, false)
						v.Write(make([]byte, 1<<20))
					default:
						reply(v, "ok")
					}
				})
				r := dialRaw(t, s, tiny)
				calmed(t, s, r, func() {
					if secure {
						alive(t, dialTLS(t, s))
					} else {
						alive(t, dial(t, s))
					}
				}, func(i int) error { return flood(r, i) })
			})
		}
	}
}

// Whoever does not look until it is over still learns why.
func TestAGoAwayIsNotLostInAFlood(t *testing.T) {
	s := startH2(t, false, Settings{}, func(Visitor) {})
	r := dialRaw(t, s)
	for i := range 2 * idleFrames {
		if err := r.fr.WritePing(false, [8]byte{byte(i)}); err != nil {
			break
		}
	}
	eventually(t, "the connection is given up", func() bool { return s.Conns() == 0 })
	if code, err := r.goneAway(); code != http2.ErrCodeEnhanceYourCalm || err != nil {
		t.Errorf("%v, %v", code, err)
	}
}

// What an honest visitor does is no flood, however much of it there is.
func TestBusyVisitorsAreNoFlood(t *testing.T) {
	s := startH2(t, false, Settings{}, func(v Visitor) {
		if v.Target() == "/large" {
			const size = 64 << 20
			v.Answer(200, nil, size, false)
			v.Write(make([]byte, size))
			return
		}
		reply(v, "ok")
	})
	r := dialRaw(t, s, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 20})
	r.do(r.fr.WriteWindowUpdate(0, 1<<20))
	r.do(r.open(1, true, "GET", "/large"))
	for n := 0; n < 64<<20; { // two updates for each frame
		f, err := r.next(http2.FrameData)
		r.do(err)
		if l := f.Header().Length; l > 0 {
			n += int(l)
			r.do(r.fr.WriteWindowUpdate(0, l))
			r.do(r.fr.WriteWindowUpdate(1, l))
		}
	}
	for i := range uint32(5000) { // a ping and two updates for each answer, and each tenth is given up
		id := 2*i + 3
		r.do(r.open(id, true, "GET", "/"))
		if i%10 == 0 {
			r.do(r.fr.WriteRSTStream(id, http2.ErrCodeCancel))
			continue
		}
		if got := r.fate(id); got != "200" {
			t.Fatalf("request %d: %s", i, got)
		}
		r.do(r.fr.WriteWindowUpdate(0, 2))
		r.do(r.fr.WriteWindowUpdate(id, 2))
		r.do(r.fr.WritePing(false, [8]byte{}))
	}
}

func TestCredit(t *testing.T) {
	now := time.Now()
	came := func(c *credit, kind byte, n int) {
		for range n {
			c.came(&frames{kind: kind}, now)
		}
	}
	const ping, reset = 6, frameReset
	for _, tt := range []struct {
		name string
		do   func(c *credit)
		gone bool
	}{
		{"as many frames as there may be", func(c *credit) { came(c, ping, idleFrames) }, false},
		{"one more", func(c *credit) { came(c, ping, idleFrames+1) }, true},
		{"one more, later", func(c *credit) {
			came(c, ping, idleFrames)
			now = now.Add(time.Second)
			came(c, ping, idleFrameRate)
		}, false},
		{"one more for a write", func(c *credit) {
			came(c, ping, idleFrames)
			c.wrote(1)
			came(c, ping, writeEarns)
		}, false},
		{"nothing is saved up", func(c *credit) {
			c.wrote(1 << 30)
			came(c, ping, idleFrames+1)
		}, true},
		{"resets", func(c *credit) { came(c, reset, idleResets) }, false},
		{"one more", func(c *credit) {
			came(c, reset, idleResets)
			c.provoked(now)
		}, true},
		{"one more for an answer", func(c *credit) {
			came(c, reset, idleResets)
			c.answered()
			c.provoked(now)
		}, false},
		{"resets are no frames", func(c *credit) {
			came(c, ping, idleFrames)
			came(c, reset, idleResets)
		}, false},
		{"requests cost nothing", func(c *credit) { came(c, frameHeaders, 1e5) }, false},
		{"pieces of a head", func(c *credit) {
			for range 50 {
				came(c, frameHeaders, 1)
				came(c, frameContinuation, mostPieces)
			}
		}, false},
		{"one piece more", func(c *credit) { came(c, frameContinuation, mostPieces+1) }, true},
		{"it stays so", func(c *credit) {
			came(c, ping, idleFrames+1)
			c.wrote(1 << 20)
			now = now.Add(time.Hour)
		}, true},
	} {
		var c credit
		c.begin(now)
		if tt.do(&c); c.gone() != tt.gone {
			t.Errorf("%s: %v", tt.name, c.gone())
		}
	}
}

// What connections hold while a hundred streams each wait for bodies and with all that may come ahead.
func TestWhatAConnectionOfHTTP2Holds(t *testing.T) {
	const conns, bound = 4, 6 << 20
	come := make(chan struct{}, conns*mostStreams)
	s := startH2(t, false, Settings{}, func(v Visitor) {
		come <- struct{}{}
		<-v.Context().Done()
	})
	before := memory()
	var open []*raw
	for range conns {
		r := dialRaw(t, s)
		for i := range uint32(mostStreams) {
			r.do(r.open(2*i+1, false, "POST", "/"))
		}
		_ = r.SetWriteDeadline(time.Now().Add(2 * time.Second))
		go func() {
			for {
				if _, err := r.fr.ReadFrame(); err != nil {
					return
				}
			}
		}()
		for left := allAhead - frameSize; left > 0; left -= 1 << 10 {
			r.do(r.fr.WriteData(uint32(left/1024%mostStreams)*2+1, false, make([]byte, 1<<10)))
		}
		open = append(open, r)
	}
	for range conns * mostStreams {
		wait(t, come)
	}
	each := (memory() - before) / conns
	t.Logf("%d bytes for each", each)
	if each > bound {
		t.Errorf("%d bytes for each connection, want at most %d", each, bound)
	}
	runtime.KeepAlive(open)
	for _, r := range open {
		r.Close()
	}
}
