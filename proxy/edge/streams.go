package edge

//lint:file-ignore SA1019 The doc comment of the package says why it is this server and not net/http's.

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"
)

// What a connection of HTTP/2 may hold.
const (
	mostStreams = 100       // at once
	streamAhead = 256 << 10 // bytes of one body that may come before anybody reads them
	allAhead    = 1 << 20   // bytes of all of them
	frameSize   = 16 << 10  // bytes of a frame that comes: the least there can be
	headSlack   = 16 << 10  // bytes that a head may be too large for us, and still be refused in our own words
	readAhead   = 4 << 10   // bytes that are read at once of a plain connection
	prefaceSize = 24        // of RFC 9113 section 3.4
)

// http2Server serves HTTP/2 on the connections of one Server. Its methods are safe for concurrent use.
type http2Server struct {
	base *http.Server
	h2   *http2.Server
	once sync.Once
	soon *time.Timer // under once
}

func newHTTP2Server(limits Limits, log *slog.Logger) *http2Server {
	s := &http2Server{
		base: &http.Server{
			MaxHeaderBytes: limits.MaxHead + headSlack,
			ErrorLog:       slog.NewLogLogger(log.Handler(), slog.LevelDebug), // what it has to say is about visitors
		},
		h2: &http2.Server{
			MaxConcurrentStreams: mostStreams, MaxReadFrameSize: frameSize, IdleTimeout: limits.IdleTimeout,
			MaxUploadBufferPerStream: streamAhead, MaxUploadBufferPerConnection: allAhead,
		},
	}
	if err := http2.ConfigureServer(s.base, s.h2); err != nil {
		panic(err) // it only complains of a TLS config, and there is none
	}
	return s
}

// goAwaySoon has every connection hear, a moment from now, that it ends: who has streams on their way was told before.
func (s *http2Server) goAwaySoon() {
	s.once.Do(func() { s.soon = time.AfterFunc(partingTime, s.goAway) })
}

// end ends what goAwaySoon began.
func (s *http2Server) end() {
	s.once.Do(func() {})
	if s.soon != nil {
		s.soon.Stop()
	}
}

// goAway has every connection end once its streams have.
func (s *http2Server) goAway() {
	_ = s.base.Shutdown(context.Background()) // which has no connections of its own to wait for
}

// streams is the HTTP/2 of a connection: what the server reads from and writes to, and the owner of its streams.
type streams struct {
	*conn
	from    io.Reader
	preface int  // bytes of it that are still to come
	framed  bool // a frame has come,
	begun   bool // and the connection is busy
	in, out frames
	by      time.Time // the deadline for reading that is set; zero: none
	credit  credit

	waiting sync.Mutex
	over    bool
	parting time.Time // when the visitor was first told that it ends; zero: he was not
	running sync.WaitGroup
	parts   atomic.Bool // that is to be told with the next frame
}

// overTLS shows the server what was agreed on by TLS, so that it can refuse what HTTP/2 forbids there.
type overTLS struct{ *streams }

func (s overTLS) ConnectionState() tls.ConnectionState { return s.tls.ConnectionState() }

// serveStreams serves HTTP/2 until the connection ends, and waits for its streams. early is what was read already.
func (c *conn) serveStreams(early []byte) {
	now := time.Now()
	s := &streams{conn: c, from: c.Conn, preface: prefaceSize, by: now.Add(c.server.limits.HeadTimeout)}
	s.credit.begin(now)
	if c.tls == nil {
		s.from = bufio.NewReaderSize(io.MultiReader(bytes.NewReader(early), c.Conn), readAhead)
	}
	_ = c.SetReadDeadline(s.by)
	var over net.Conn = s
	if c.tls != nil {
		over = overTLS{s}
	}
	c.server.h2.h2.ServeConn(over, &http2.ServeConnOpts{Context: c.ctx, BaseConfig: c.server.h2.base, Handler: s})
	c.leave()
	s.waiting.Lock()
	s.over = true
	s.waiting.Unlock()
	s.running.Wait()
}

// ServeHTTP takes one stream through. It is called on goroutines of the server's.
func (s *streams) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.waiting.Lock()
	if s.over { // it was late to begin
		s.waiting.Unlock()
		panic(http.ErrAbortHandler)
	}
	s.running.Add(1)
	s.waiting.Unlock()
	defer s.running.Done()
	if !newStream(s, w, r).exchange() {
		panic(http.ErrAbortHandler) // the way to reset it
	}
	s.credit.answered()
}

// Read reads for the server, and looks at the frames that come. When patience is lost, the connection ends in ENHANCE_YOUR_CALM.
func (s *streams) Read(p []byte) (int, error) {
	if s.credit.gone() {
		s.server.log.Debug("a connection of HTTP/2 was ended for what it did", "peer", s.peer.String())
		return 0, http2.ConnectionError(http2.ErrCodeEnhanceYourCalm)
	}
	n, err := s.from.Read(p)
	s.look(p[:n])
	if s.framed && !s.begun { // from here on a drain asks the server to end it
		if s.begun = true; !s.state.CompareAndSwap(reading, busy) {
			return 0, net.ErrClosed
		}
	}
	return n, err
}

// look counts the frames in what was read, and has a head that has begun come in its time, in however many pieces. The preface and
// the first frame have that time, too.
func (s *streams) look(p []byte) {
	skip := min(s.preface, len(p))
	s.preface -= skip
	for p = p[skip:]; len(p) > 0; {
		var another bool
		if p, another = s.in.next(p); another {
			s.framed = true
			s.credit.came(&s.in, time.Now())
		}
	}
	inHead := s.in.inHead()
	if !s.framed || inHead != s.by.IsZero() {
		return
	}
	s.by = time.Time{}
	if inHead {
		s.by = time.Now().Add(s.server.limits.HeadTimeout)
	}
	_ = s.SetReadDeadline(s.by)
}

// Close is for the server, and lets a GOAWAY arrive, whatever is still coming.
func (s *streams) Close() error {
	if s.state.Load() == busy { // it is nobody else's to close
		s.spent.Store(true)
	}
	return s.conn.Close()
}

// Write sends what the server wrote. Resets among it that the visitor provoked count against him.
func (s *streams) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		var another bool
		if rest, another = s.out.next(rest); another && s.out.kind == frameReset {
			if code := http2.ErrCode(s.out.code()); code != http2.ErrCodeNo && code != http2.ErrCodeInternal { // those are ours
				s.credit.provoked(time.Now())
			}
		}
	}
	if err := s.send(p); err != nil {
		return 0, err
	}
	if s.out.whole() && s.parts.CompareAndSwap(true, false) {
		if err := s.send([]byte(noMoreStreams)); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// noMoreStreams is a GOAWAY that wants no more streams, and takes those that are on their way (RFC 9113 section 6.8). The library
// says at once which one is its last, and what comes behind it is lost to whoever cannot send it again.
const noMoreStreams = "\x00\x00\x08\x07\x00\x00\x00\x00\x00\x7f\xff\xff\xff\x00\x00\x00\x00"

// partingTime is how long streams may be on their way after that.
const partingTime = time.Second

// ends tells the visitor, once, that the connection is to end, and reports whether he has known for long enough.
func (s *streams) ends() bool {
	s.waiting.Lock()
	defer s.waiting.Unlock()
	if s.server.draining.Load() {
		return true
	}
	if s.parting.IsZero() {
		s.parting = time.Now()
		s.parts.Store(true)
		s.server.h2.goAwaySoon()
	}
	return time.Since(s.parting) >= partingTime
}
