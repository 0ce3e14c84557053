package edge

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"gatehouse/proxy/h1"
)

// ErrNoUpgrade is what Visitor.Upgrade returns where the connection cannot be handed over.
var ErrNoUpgrade = errors.New("this connection cannot be upgraded")

// Upgrade hands out the connection itself, so that io.Copy from or to it need not take the bytes through here where the kernel
// can move them.
func (v *visit) Upgrade(head h1.Head) (net.Conn, io.Reader, error) {
	v.writing.Lock()
	defer v.writing.Unlock()
	switch {
	case v.answered:
		return nil, nil, errAnswered
	case !v.body.whole():
		return nil, nil, fmt.Errorf("%w: part of the body was not read", ErrNoUpgrade)
	}
	c := v.conn
	v.watch.stop(c)
	v.answered, v.upgraded = true, true
	var err error
	if v.out, err = h1.AppendAnswer(v.out, 101, head, h1.Framing{}, h1.Unsaid); err != nil {
		return nil, nil, err
	}
	if err := v.Flush(); err != nil {
		_ = c.Close()
		return nil, nil, err
	}
	c.upgraded.Store(true)
	_ = c.SetDeadline(time.Time{})
	if v.r == v.w {
		return c.Conn, c.Conn, nil
	}
	early := bytes.Clone(v.in[v.r:v.w])
	return c.Conn, io.MultiReader(bytes.NewReader(early), c.Conn), nil
}
