package proxy

import (
	"bytes"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// Whoever opens no window to his answer makes the pool wait as much as one who does not read, and with one connection for many.
func TestWhoOpensNoWindowIsSlow(t *testing.T) {
	r, p := slowpoke(t, 10*time.Second)
	c, _ := r.raw(http2.ClientPreface)
	f := http2.NewFramer(c, nil)
	if err := f.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1}); err != nil {
		t.Fatal(err)
	}
	var block bytes.Buffer
	enc := hpack.NewEncoder(&block)
	for _, id := range []uint32{1, 3} {
		block.Reset()
		for _, h := range [][2]string{{":method", "GET"}, {":scheme", "http"}, {":authority", "a"}, {":path", "/large"}} {
			_ = enc.WriteField(hpack.HeaderField{Name: h[0], Value: h[1]})
		}
		if err := f.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block.Bytes(), EndHeaders: true, EndStream: true}); err != nil {
			t.Fatal(err)
		}
	}
	until(t, "both are taken for slow", func() bool { return p.Slow.n.Load() == 2 })
	if a := r.ask("GET", "/", r.asMember()); a.status != 200 {
		t.Errorf("they gave no way to a member: %d %q", a.status, a.outcome)
	}
}
