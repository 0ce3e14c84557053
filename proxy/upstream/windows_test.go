package upstream

import (
	"bytes"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"
)

// A window that is made larger than there can be ends the connection, and nothing else: the next exchange has one of its own.
func TestAWindowThatOverflowsHoldsNobodyUp(t *testing.T) {
	p := pool(t, framer(t, func(f *peer) {
		head := f.request()
		if head == nil {
			return
		}
		if f.n == 1 {
			_ = f.WriteWindowUpdate(head.StreamID, math.MaxInt32)
			f.rest()
			return
		}
		f.head(head.StreamID, true, ":status=204")
		f.rest()
	}))
	r := &Request{Method: "GET", Target: "/", Host: "a"}
	if _, err := claim(t, p).Send(shortly(t, 10*time.Second), r); !errors.Is(err, ErrBroken) {
		t.Fatalf("the first: %v, want %v", err, ErrBroken)
	}
	a, err := claim(t, p).Send(shortly(t, 10*time.Second), r)
	if err != nil || a.Status != 204 {
		t.Fatalf("the next: %v, %v", a, err)
	}
	a.Body.Close()
}

// nginx makes a stream's window as large as there can be, each time anew.
func TestAWindowThatIsFilledUpIsNone(t *testing.T) {
	const size = 300_000
	got := make(chan int, 1)
	p := pool(t, framer(t, func(f *peer) {
		head := f.request()
		if head == nil {
			return
		}
		_ = f.WriteWindowUpdate(0, math.MaxInt32-firstWindow)
		_ = f.WriteWindowUpdate(head.StreamID, math.MaxInt32-firstWindow)
		n := 0
		for {
			frame, err := f.next()
			if err != nil {
				return
			}
			data, ok := frame.(*http2.DataFrame)
			if !ok {
				continue
			}
			if n += len(data.Data()); data.StreamEnded() {
				break
			}
			if len(data.Data()) > 0 {
				_ = f.WriteWindowUpdate(head.StreamID, uint32(len(data.Data())))
			}
		}
		got <- n
		f.head(head.StreamID, true, ":status=204")
		f.rest()
	}))
	a, err := claim(t, p).Send(shortly(t, 10*time.Second), &Request{
		Method: "POST", Target: "/", Host: "a", Body: strings.NewReader(strings.Repeat("x", size)), Length: size,
	})
	if err != nil || a.Status != 204 {
		t.Fatalf("%v, %v", a, err)
	}
	a.Body.Close()
	if n := <-got; n != size {
		t.Errorf("%d bytes came of %d", n, size)
	}
}

func TestWindowsForget(t *testing.T) {
	var wrote, read bytes.Buffer
	ours, theirs := http2.NewFramer(&wrote, nil), http2.NewFramer(&read, nil)
	wrote.WriteString(http2.ClientPreface)
	_ = ours.WriteSettings()
	_ = theirs.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 10})
	for _, id := range []uint32{1, 3, 5, 7} {
		_ = ours.WriteHeaders(http2.HeadersFrameParam{StreamID: id, EndHeaders: true, EndStream: id == 1})
	}
	_ = ours.WriteData(3, true, []byte("abc"))
	_ = ours.WriteRSTStream(5, http2.ErrCodeCancel)
	_ = theirs.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, EndHeaders: true, EndStream: true})
	_ = theirs.WriteData(3, true, nil)
	_ = theirs.WriteWindowUpdate(7, 90)
	w := newWindows()
	for one := make([]byte, 1); ; { // in pieces, as they may come
		if _, err := io.ReadFull(&wrote, one); err != nil {
			break
		}
		w.sent(one)
	}
	f := frames{windows: w}
	for _, b := range read.Bytes() {
		if err := f.pass([]byte{b}); err != nil {
			t.Fatal(err)
		}
	}
	if len(w.open) != 1 || w.open[7] == nil || w.open[7].left != 100 {
		t.Errorf("%d streams are left, number 7 as %+v", len(w.open), w.open[7])
	}
	if err := f.windows.came([9]byte{3: windowFrame, 8: 7}, []byte{0x7f, 0xff, 0xff, 0xff}); !errors.Is(err, errWindow) {
		t.Errorf("%v, want %v", err, errWindow)
	}
}
