package edge

import (
	"sync/atomic"
	"time"
)

// clock writes Date lines, and formats one a second. The zero value is ready; it is safe for concurrent use.
type clock struct{ last atomic.Pointer[dated] }

type dated struct {
	second int64
	line   string
}

// appendDate puts a Date line (RFC 9110 section 6.6.1) at the end of a head that is complete, and completes it again.
func (c *clock) appendDate(head []byte) []byte {
	now := time.Now()
	d := c.last.Load()
	if d == nil || d.second != now.Unix() {
		d = &dated{now.Unix(), now.UTC().Format("Date: Mon, 02 Jan 2006 15:04:05 GMT\r\n\r\n")}
		c.last.Store(d)
	}
	return append(head[:len(head)-len("\r\n")], d.line...)
}
