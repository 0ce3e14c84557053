package edge

import "time"

// Limits bound what one visitor can hold. A zero field is its default, which is safe in production. IdleTimeout and WriteTimeout
// may be a quarter longer.
type Limits struct {
	HeadTimeout time.Duration // to read a request's head, from its first byte, or from the beginning of the connection: 5s
	IdleTimeout time.Duration // between two requests on a connection: 60s
	// WriteTimeout is for each 16 KiB of an answer, or the rest, to be taken: 40s, since a visitor's kernel may make room only when
	// half of what it holds was read.
	WriteTimeout time.Duration
	BodyGrace    time.Duration // for a request's body to begin to come: 10s
	BodyRate     int           // bytes a second that a body must bring on average after that: 500
	MaxHead      int           // bytes of a request's head: 32 KiB
	MaxConns     int           // connections at once; more wait to be accepted: 20000
}

func (l Limits) withDefaults() Limits {
	duration := func(d *time.Duration, def time.Duration) {
		if *d <= 0 {
			*d = def
		}
	}
	number := func(n *int, def int) {
		if *n <= 0 {
			*n = def
		}
	}
	duration(&l.HeadTimeout, 5*time.Second)
	duration(&l.IdleTimeout, time.Minute)
	duration(&l.WriteTimeout, 40*time.Second)
	duration(&l.BodyGrace, 10*time.Second)
	number(&l.BodyRate, 500)
	number(&l.MaxHead, 32<<10)
	number(&l.MaxConns, 20000)
	return l
}
