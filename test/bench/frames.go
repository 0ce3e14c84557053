//go:build linux

package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// frames is a request by HTTP/2 over TLS, and what answer is wanted. Each visitor has a connection of his own and asks for one
// thing at a time, as with HTTP/1.1.
type frames struct {
	tls    *tls.Config
	head   []hpack.HeaderField
	body   []byte
	length int    // of the answer's body
	status string // grpc-status, in the trailer; "": it is no call
}

// newFrames returns the same question as newQuestion does.
func newFrames(config *tls.Config, path string, length int) *frames {
	return &frames{tls: config, length: length, head: fieldsOf("GET", path,
		"user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
		"accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "accept-language", "en-US,en;q=0.5",
		"cookie", "theme=dark", "cookie", session)}
}

// newCall returns a call with one message that is to come back.
func newCall(config *tls.Config) *frames {
	body := append([]byte{0, 0, 0, 0, spoken}, bytes.Repeat([]byte("x"), spoken)...)
	return &frames{tls: config, body: body, length: len(body), status: "0", head: fieldsOf("POST", callPath,
		"content-type", "application/grpc", "te", "trailers", "user-agent", "grpc-go/1.85.0", "cookie", session)}
}

func fieldsOf(method, path string, more ...string) []hpack.HeaderField {
	all := []hpack.HeaderField{
		{Name: ":method", Value: method}, {Name: ":scheme", Value: "https"}, {Name: ":authority", Value: host}, {Name: ":path", Value: path},
	}
	for i := 0; i < len(more); i += 2 {
		all = append(all, hpack.HeaderField{Name: more[i], Value: more[i+1]})
	}
	return all
}

func (f *frames) begin(p *process, n int) visit {
	return &framed{visitor: newVisitor(p.secret, n), wish: f}
}

// framed is a visitor by HTTP/2.
type framed struct {
	*visitor
	wish    *frames
	out     *bufio.Writer
	framer  *http2.Framer
	encoder *hpack.Encoder
	block   bytes.Buffer
	stream  uint32
	taken   int  // bytes of answers since the other side was last told that there is room again
	leaving bool // the other side takes no more requests

	// of the answer that is read
	status, call string
	length       int
}

const window = 1 << 24

func (f *framed) dial() error {
	f.visitor.tls = f.wish.tls
	if err := f.visitor.dial(); err != nil {
		return err
	}
	f.out = bufio.NewWriter(f.conn)
	f.framer = http2.NewFramer(f.out, bufio.NewReaderSize(f.conn, 16<<10))
	f.framer.SetReuseFrames()
	f.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	f.encoder = hpack.NewEncoder(&f.block)
	f.stream, f.taken, f.leaving = 1, 0, false
	_, _ = f.out.WriteString(http2.ClientPreface) // an error stays until Flush
	_ = f.framer.WriteSettings(http2.Setting{ID: http2.SettingEnablePush}, http2.Setting{ID: http2.SettingInitialWindowSize, Val: window})
	_ = f.framer.WriteWindowUpdate(0, window)
	return f.out.Flush()
}

func (f *framed) ask() error {
	if f.conn == nil {
		if err := f.dial(); err != nil {
			return err
		}
	}
	err := f.send()
	for ended := false; err == nil && !ended; {
		ended, err = f.take()
	}
	w := f.wish
	if err == nil && (f.status != "200" || f.length != w.length || f.call != w.status) {
		err = fmt.Errorf("status %s, grpc-status %q, %d bytes", f.status, f.call, f.length)
	}
	if f.stream += 2; err != nil || f.leaving {
		f.close()
	}
	return err
}

func (f *framed) send() error {
	f.status, f.call, f.length = "", "", 0
	f.block.Reset()
	for _, field := range f.wish.head {
		_ = f.encoder.WriteField(field) // into memory
	}
	err := f.framer.WriteHeaders(http2.HeadersFrameParam{
		StreamID: f.stream, BlockFragment: f.block.Bytes(), EndHeaders: true, EndStream: f.wish.body == nil,
	})
	if err == nil && f.wish.body != nil {
		err = f.framer.WriteData(f.stream, true, f.wish.body)
	}
	return errors.Join(err, f.out.Flush())
}

var errReset = errors.New("the stream was reset")

// take reads one frame and reports whether it ended the answer.
func (f *framed) take() (ended bool, err error) {
	frame, err := f.framer.ReadFrame()
	if err != nil {
		return false, err
	}
	switch frame := frame.(type) {
	case *http2.MetaHeadersFrame:
		for _, field := range frame.Fields {
			switch field.Name {
			case ":status":
				f.status = field.Value
			case "grpc-status":
				f.call = field.Value
			}
		}
		return frame.StreamEnded(), nil
	case *http2.DataFrame:
		f.length += len(frame.Data())
		if f.taken += int(frame.Length); f.taken > window/2 {
			err = errors.Join(f.framer.WriteWindowUpdate(0, uint32(f.taken)), f.out.Flush())
			f.taken = 0
		}
		return frame.StreamEnded(), err
	case *http2.SettingsFrame:
		if !frame.IsAck() {
			err = errors.Join(f.framer.WriteSettingsAck(), f.out.Flush())
		}
	case *http2.PingFrame:
		if !frame.IsAck() {
			err = errors.Join(f.framer.WritePing(true, frame.Data), f.out.Flush())
		}
	case *http2.GoAwayFrame:
		f.leaving = true
	case *http2.RSTStreamFrame:
		err = errReset
	}
	return false, err
}
