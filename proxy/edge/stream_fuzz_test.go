package edge

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// pipes is a listener of connections inside the process.
type pipes struct {
	ends chan net.Conn
	once *sync.Once
}

func newPipes() pipes { return pipes{make(chan net.Conn), new(sync.Once)} }

func (p pipes) Accept() (net.Conn, error) {
	if c, ok := <-p.ends; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}

func (p pipes) Addr() net.Addr { return &net.UnixAddr{Net: "unix", Name: "pipe"} }

func (p pipes) Close() error {
	p.once.Do(func() { close(p.ends) })
	return nil
}

// dial returns the visitor's end.
func (p pipes) dial() net.Conn {
	here, there := net.Pipe()
	p.ends <- there
	return here
}

// frameBytes writes frames for a corpus.
func frameBytes(write func(fr *http2.Framer, block func(fields ...string) []byte)) []byte {
	var out, head bytes.Buffer
	fr := http2.NewFramer(&out, nil)
	fr.AllowIllegalWrites = true
	enc := hpack.NewEncoder(&head)
	write(fr, func(fields ...string) []byte {
		head.Reset()
		for i := 0; i < len(fields); i += 2 {
			enc.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
		}
		return bytes.Clone(head.Bytes())
	})
	return out.Bytes()
}

// Whatever comes behind the preface, the connection ends, nothing panics, and a handler sees only what the contract allows.
func FuzzWhatAStrangerSendsOnHTTP2(f *testing.F) {
	usual := []string{":method", "POST", ":scheme", "http", ":authority", "a", ":path", "/"}
	for _, more := range [][]string{nil, {"content-length", "3"}, {"content-length", "4"}, {"trailer", "x"}, {"te", "trailers", "cookie", "a=1", "cookie", "b=2"}, {"x_y", " z"}, {"expect", "100-continue"}} {
		f.Add(frameBytes(func(fr *http2.Framer, block func(...string) []byte) {
			fr.WriteSettings()
			fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block(append(usual, more...)...), EndHeaders: true})
			fr.WriteData(1, false, []byte("abc"))
			fr.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block("x", "y"), EndHeaders: true, EndStream: true})
			fr.WritePing(false, [8]byte{})
			fr.WriteWindowUpdate(1, 1)
			fr.WriteRSTStream(1, http2.ErrCodeCancel)
			fr.WriteGoAway(1, http2.ErrCodeNo, nil)
		}))
	}
	f.Add([]byte("\x00\x00\x00\x04\x00\x00\x00\x00\x00\xff\xff\xff\x01\x00\x00\x00\x00\x01"))
	f.Fuzz(func(t *testing.T, sent []byte) {
		synctest.Test(t, func(t *testing.T) {
			var log logged
			l := newPipes()
			s := NewServer(l, handle(func(v Visitor) {
				for _, line := range *v.Head() {
					switch strings.ToLower(line.Name) {
					case "host", "content-length", "transfer-encoding", "trailer", "connection", "upgrade":
						panic("head " + line.Name)
					}
					if strings.ContainsAny(line.Value, "\r\n\x00") || strings.ContainsAny(line.Name, ": \r\n") {
						panic("head " + line.Name)
					}
				}
				if v.Method() == "" || v.Target() == "" && v.Method() != "CONNECT" || v.Length() < -1 || v.Proto() != "HTTP/2.0" {
					panic(fmt.Sprintf("view: %q %q %d %s", v.Method(), v.Target(), v.Length(), v.Proto()))
				}
				n, err := io.Copy(io.Discard, v.Body())
				if err == nil && v.Length() >= 0 && n != v.Length() {
					panic(fmt.Sprintf("%d bytes of %d", n, v.Length()))
				}
				reply(v, "ok")
			}), Settings{Live: Live{HTTP2: true}, Log: log.logger()})
			var serving sync.WaitGroup
			serving.Go(s.Serve)
			c := l.dial()
			serving.Go(func() { io.Copy(io.Discard, c) })
			serving.Go(func() {
				io.WriteString(c, http2.ClientPreface)
				c.Write(sent)
			})
			time.Sleep(5 * time.Minute) // longer than anything that is waited for
			if n := s.Conns(); n != 0 {
				t.Error("the connection does not end")
			}
			c.Close()
			if err := s.Drain(context.Background()); err != nil {
				t.Error(err)
			}
			serving.Wait()
			if got := log.String(); got != "" {
				t.Errorf("logged %q", got)
			}
		})
	})
}

// Frames are told apart as the library does it, in whatever pieces they come.
func FuzzFrames(f *testing.F) {
	f.Add(frameBytes(func(fr *http2.Framer, _ func(...string) []byte) {
		fr.WriteSettings()
		fr.WriteData(1, true, []byte("abc"))
		fr.WriteDataPadded(1, true, []byte("abc"), make([]byte, 3))
		fr.WriteRSTStream(1, http2.ErrCodeCancel)
		fr.WriteRawFrame(0xbe, 3, 5, nil)
	}), uint8(3))
	f.Fuzz(func(t *testing.T, sent []byte, size uint8) {
		type one struct {
			kind, flags  byte
			length, data int
		}
		var got, want []one
		var fs frames
		for rest := sent; len(rest) > 0; {
			piece := rest[:min(int(size)+1, len(rest))]
			rest = rest[len(piece):]
			for len(piece) > 0 {
				before, another := len(piece), false
				if piece, another = fs.next(piece); another {
					data := fs.length
					if fs.kind == frameData {
						data = fs.data()
					}
					got = append(got, one{fs.kind, fs.flags, fs.length, data})
				}
				if len(piece) == before {
					t.Fatal("it does not go on")
				}
			}
		}
		r := bytes.NewReader(sent)
		fr := http2.NewFramer(io.Discard, r)
		fr.AllowIllegalReads = true
		fr.SetMaxReadFrameSize(1<<24 - 1)
		for {
			h, err := fr.ReadFrameHeader()
			if err != nil {
				break
			}
			first := make([]byte, min(h.Length, frameFirst))
			if _, err := io.ReadFull(r, first); err != nil {
				break
			}
			data := int(h.Length)
			if h.Type == http2.FrameData && h.Flags.Has(http2.FlagDataPadded) && h.Length > 0 {
				data -= 1 + int(first[0])
			}
			want = append(want, one{byte(h.Type), byte(h.Flags), int(h.Length), data})
			if _, err := io.CopyN(io.Discard, r, int64(h.Length)-int64(len(first))); err != nil && !errors.Is(err, io.EOF) {
				t.Fatal(err)
			}
		}
		if len(got) != len(want) {
			t.Fatalf("%v, want %v", got, want)
		}
		for i := range got {
			if got[i] != want[i] {
				t.Errorf("%d: %v, want %v", i, got[i], want[i])
			}
		}
	})
}
