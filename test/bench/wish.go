//go:build linux

package main

import "crypto/tls"

// wish is what a load asks again and again. It is safe for concurrent use.
type wish interface {
	// begin returns the nth visitor who has that wish. It is not connected yet.
	begin(p *process, n int) visit
}

// visit is one visitor with one connection of his own. It is not safe for concurrent use.
type visit interface {
	dial() error
	// ask has the wish fulfilled once. It connects where there is no connection. An error is whatever was not what was wanted.
	ask() error
	close()
}

// asking is a visitor with a question.
type asking struct {
	*visitor
	question *question
}

func (a asking) ask() error { return a.visitor.ask(a.question) }

func (q *question) begin(p *process, n int) visit { return asking{newVisitor(p.address, n), q} }

// secret is a question that is asked over TLS.
type secret struct {
	*question
	tls *tls.Config
}

func (s secret) begin(p *process, n int) visit {
	v := newVisitor(p.secret, n)
	v.tls = s.tls
	return asking{v, s.question}
}
