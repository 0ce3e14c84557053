package upstream

import (
	"io"
	"sync"
	"time"

	"gatehouse/proxy/h1"
)

const (
	roomSize  = 32 << 10
	maxWhole  = 16 << 10 // bytes of a body that is sent together with its head
	chunkHead = 8        // room for the size line of a chunk that is no larger than a room
	lastWrite = 50 * time.Millisecond
)

var rooms = sync.Pool{New: func() any { return new([roomSize]byte) }}

// upload is a request's body that is written while the answer is awaited, by a goroutine of its own. The exchange owns it, and
// waits for its end; but for a body that cannot be interrupted, which may hold it in a Read.
type upload struct {
	body  *body
	conn  *conn
	done  chan struct{} // closed when the goroutine ends
	whole bool          // all was written; once done
}

func (b *body) upload(c *conn) *upload {
	u := &upload{body: b, conn: c, done: make(chan struct{})}
	go u.run()
	return u
}

func (u *upload) run() {
	defer close(u.done)
	room := rooms.Get().(*[roomSize]byte)
	defer rooms.Put(room)
	u.whole = u.copy(room[:])
}

// copy reports whether the whole was written. A write that fails is no reason to give up the exchange: a backend may answer
// before it has read the request, and close. What has become of it the answer's reader sees. But without the rest of the body
// there is nothing to wait for.
func (u *upload) copy(room []byte) bool {
	into, chunked := room, u.body.length < 0
	if chunked {
		into = room[chunkHead : roomSize-len(h1.ChunkEnd)]
	}
	for {
		n, err := u.body.Read(into)
		if err != nil && err != io.EOF {
			if u.body.fault() != nil {
				_ = u.conn.Close()
			}
			return false
		}
		out := into[:n]
		if chunked {
			out = chunk(room, n)
			if err == io.EOF {
				out = h1.AppendLastChunk(out, u.body.trailer)
			}
		}
		if len(out) > 0 {
			if _, err := u.conn.Write(out); err != nil {
				return false
			}
		}
		if err == io.EOF {
			return true
		}
	}
}

// chunk frames the n bytes at room[chunkHead:], in place.
func chunk(room []byte, n int) []byte {
	if n == 0 {
		return room[:0]
	}
	var line [chunkHead]byte
	size := h1.AppendChunkHead(line[:0], n)
	begin := chunkHead - len(size)
	copy(room[begin:], size)
	return append(room[begin:chunkHead+n], h1.ChunkEnd...)
}

// sent reports whether the whole request is out, now that the answer has ended. The end of the last write may take its time to be
// told.
func (u *upload) sent() bool {
	select {
	case <-u.done:
		return u.whole
	default:
	}
	if !u.body.over() {
		return false
	}
	patience := time.NewTimer(lastWrite)
	defer patience.Stop()
	select {
	case <-u.done:
		return u.whole
	case <-patience.C:
		return false
	}
}

// end ends the upload. The connection is closed already, or the upload done.
func (u *upload) end() {
	u.body.stop()
	if u.body.interruptible() {
		<-u.done
	}
}

// gather reads the whole of a small body behind dst, which has the room for it and a byte more.
func (b *body) gather(dst []byte) ([]byte, error) {
	room := dst[:len(dst)+int(b.length)+1]
	for n := len(dst); ; {
		k, err := b.Read(room[n:])
		n += k
		switch {
		case err == io.EOF:
			return room[:n], nil
		case err != nil:
			return dst, err
		}
	}
}
