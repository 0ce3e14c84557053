package certs

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/mholt/acmez/v3/acme"
)

// kind is what went wrong, as far as it matters for when to try again and what to say.
type kind int

const (
	fine       kind = iota
	unreached       // the directory cannot be reached: nothing is counted
	unkept          // the folder or Redis cannot be used: nothing was asked
	cutShort        // the directory was lost while it was asked
	limited         // it has had enough of us for now
	unproved        // a challenge failed
	turnedDown      // it will not issue this name, or not to us
)

// trouble is an error by its kind. Its text is one line that says what to do.
type trouble struct {
	kind kind
	err  error
}

func (t *trouble) Error() string { return t.err.Error() }
func (t *trouble) Unwrap() error { return t.err }

// kindOf sorts what came of asking a directory.
func kindOf(err error) kind {
	var p acme.Problem
	if !errors.As(err, &p) {
		return kindOfPlain(err)
	}
	_, authorization := p.Resource.(acme.Authorization)
	switch {
	case p.Type == acme.ProblemTypeRateLimited || p.Status == 429:
		return limited
	case authorization:
		return unproved
	case p.Status >= 500 || p.Type == acme.ProblemTypeServerInternal:
		return cutShort
	default:
		return turnedDown
	}
}

// kindOfPlain sorts what is no problem document. An answer that is none, such as that of a proxy before a directory that is away,
// has its status only in the library's text.
func kindOfPlain(err error) kind {
	var (
		web  *url.Error
		wire net.Error
	)
	switch {
	case errors.As(err, &web), errors.As(err, &wire), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return cutShort
	case strings.Contains(err.Error(), "HTTP 5"):
		return cutShort
	default:
		return turnedDown
	}
}

// explain makes a directory's error the line that says what to do.
func explain(name string, set ACME, err error) *trouble {
	k := kindOf(err)
	why := err.Error()
	var p acme.Problem
	if errors.As(err, &p) {
		why = p.Detail
		if short := strings.TrimPrefix(p.Type, acme.ProblemTypeNamespace); short != "" {
			why += " (" + short + ")"
		}
	}
	var advice string
	switch k {
	case cutShort:
		advice = "the directory failed or was lost while it was asked; it is asked again by itself"
	case limited:
		advice = "the directory's limit is reached; wait, or have it raised by whoever runs the directory"
	case unproved:
		advice = "the directory could not prove that the name is this machine's: " + ports(name, set)
	default:
		advice = "the directory refuses to issue it; look at the name, at its CAA records in DNS, and at what the directory asks of accounts"
	}
	return &trouble{k, fmt.Errorf("%s: %s: %s", name, why, advice)}
}

// ports says what must reach us.
func ports(name string, set ACME) string {
	const web, secure = "port 80 (http-01)", "port 443 (tls-alpn-01)"
	which := web + " or " + secure
	switch {
	case !set.TLSALPN:
		which = web
	case !set.HTTP:
		which = secure
	}
	return "DNS must lead " + name + " here, and from outside " + which + " must reach this Gatehouse"
}
