package edge

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// kinds are the two ways in which HTTP/2 is begun.
var kinds = map[string]bool{"TLS": true, "plain": false}

func startH2(t *testing.T, secure bool, s Settings, h handle) *Server {
	t.Helper()
	s.HTTP2 = true
	if secure {
		return startTLS(t, s, h)
	}
	return start(t, s, h)
}

// transport is a browser of sorts: net/http's client, which speaks HTTP/2 and nothing else.
func transport(t *testing.T, secure bool) *http.Transport {
	t.Helper()
	tr := &http.Transport{Protocols: new(http.Protocols), DisableCompression: true}
	if secure {
		tr.Protocols.SetHTTP2(true)
		tr.TLSClientConfig = clientTLS()
	} else {
		tr.Protocols.SetUnencryptedHTTP2(true)
	}
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

func urlOf(s *Server, secure bool, path string) string {
	if secure {
		return "https://" + s.Address().String() + path
	}
	return "http://" + s.Address().String() + path
}

// raw is a connection of HTTP/2 frame by frame.
type raw struct {
	net.Conn
	t   *testing.T
	fr  *http2.Framer
	buf bytes.Buffer
	enc *hpack.Encoder
}

// dialRaw begins a connection, with these settings.
func dialRaw(t *testing.T, s *Server, settings ...http2.Setting) *raw {
	t.Helper()
	c := dial(t, s)
	if s.live.Load().tls != nil {
		c, _ = c.secure(clientTLS("h2"))
	}
	return begin(t, c, settings...)
}

// begin begins HTTP/2 on a connection.
func begin(t *testing.T, c *client, settings ...http2.Setting) *raw {
	t.Helper()
	r := &raw{Conn: c.Conn, t: t, fr: http2.NewFramer(c.Conn, c.br)}
	r.fr.AllowIllegalWrites = true
	r.fr.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	r.enc = hpack.NewEncoder(&r.buf)
	io.WriteString(c.Conn, http2.ClientPreface)
	r.do(r.fr.WriteSettings(settings...))
	return r
}

func (r *raw) do(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// block encodes names and values.
func (r *raw) block(fields ...string) []byte {
	r.buf.Reset()
	for i := 0; i < len(fields); i += 2 {
		r.enc.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	return bytes.Clone(r.buf.Bytes())
}

// open begins a request with the usual fields and more.
func (r *raw) open(id uint32, end bool, method, path string, more ...string) error {
	fields := append([]string{":method", method, ":scheme", "http", ":authority", "a.example", ":path", path}, more...)
	return r.fr.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: r.block(fields...), EndStream: end, EndHeaders: true})
}

// next reads the next frame of one of the kinds; of whatever kind where none is given.
func (r *raw) next(kinds ...http2.FrameType) (http2.Frame, error) {
	for {
		f, err := r.fr.ReadFrame()
		if err != nil {
			return nil, err
		}
		if len(kinds) == 0 {
			return f, nil
		}
		for _, k := range kinds {
			if f.Header().Type == k {
				return f, nil
			}
		}
	}
}

// fate reads on until stream id has ended, and says how: its status, or the code of its reset.
func (r *raw) fate(id uint32) string {
	r.t.Helper()
	status := ""
	for {
		f, err := r.next(http2.FrameHeaders, http2.FrameData, http2.FrameRSTStream, http2.FrameGoAway)
		switch {
		case err != nil:
			return "closed: " + err.Error()
		case f.Header().Type == http2.FrameGoAway:
			return f.(*http2.GoAwayFrame).ErrCode.String()
		case f.Header().StreamID != id:
		case f.Header().Type == http2.FrameRSTStream:
			if code := f.(*http2.RSTStreamFrame).ErrCode; code != http2.ErrCodeNo {
				return code.String()
			}
		default:
			if h, ok := f.(*http2.MetaHeadersFrame); ok && h.PseudoValue("status") != "" {
				status = h.PseudoValue("status")
			}
			if f.Header().Flags.Has(http2.FlagDataEndStream) {
				return status
			}
		}
	}
}

// goneAway reads on until the connection ends, and returns the code of the GOAWAY before that.
func (r *raw) goneAway() (code http2.ErrCode, err error) {
	code = http2.ErrCode(999)
	for {
		f, err := r.next(http2.FrameGoAway)
		if ne, ok := err.(net.Error); ok && ne.Timeout() {
			return code, errors.New("the connection stays open")
		}
		if err != nil {
			return code, nil
		}
		code = f.(*http2.GoAwayFrame).ErrCode
	}
}

// calmed fails the test unless what flood does is answered by the end of the connection, and neighbours are served all the while.
func calmed(t *testing.T, s *Server, r *raw, neighbour func(), flood func(i int) error) {
	t.Helper()
	type end struct {
		code http2.ErrCode
		err  error
	}
	ended := make(chan end, 1)
	go func() {
		code, err := r.goneAway()
		ended <- end{code, err}
	}()
	begin := time.Now()
	for i := 0; ; i++ {
		if err := flood(i); err != nil {
			break // he has been cut off
		}
		if i%5000 == 100 {
			neighbour()
		}
		if time.Since(begin) > patience {
			t.Fatalf("%d times, and the connection stays open", i)
		}
		select {
		case e := <-ended:
			ended <- e
		default:
			continue
		}
		break
	}
	r.SetDeadline(time.Now().Add(patience))
	e := wait(t, ended)
	if e.err != nil || e.code != http2.ErrCodeEnhanceYourCalm {
		t.Errorf("ended by %v, %v", e.code, e.err)
	}
	neighbour()
	eventually(t, "the connection is given up", func() bool { return s.Conns() <= 1 })
}
