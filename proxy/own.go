package proxy

import (
	"iter"
	"strings"
	"time"

	"gatehouse/proxy/h1"
	"gatehouse/shed/line"
	"gatehouse/shed/session"
)

// takeOwn takes Gatehouse's own cookies out of the request, since they are none of the app's business, and keeps the lines that
// held them.
func (x *exchange) takeOwn() {
	for i, l := range *x.head {
		if !strings.EqualFold(l.Name, "Cookie") {
			continue
		}
		if rest := session.StripOwn(l.Value); len(rest) != len(l.Value) {
			x.own = append(x.own, l)
			(*x.head)[i].Value = rest
		}
	}
	if len(x.own) > 0 {
		x.head.DelFunc(func(l h1.Line) bool { return l.Value == "" && strings.EqualFold(l.Name, "Cookie") })
	}
}

// mostTried is how many cookies of one name are looked at: another site of the same domain can add some, and each costs a
// signature.
const mostTried = 4

// owned yields the first values of a cookie of Gatehouse's own.
func (x *exchange) owned(name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		n := 0
		for value := range session.Cookies(x.own, name) {
			if n++; n > mostTried || !yield(value) {
				return
			}
		}
	}
}

// place is where the visitor stands in the line, as far as he can show it; the zero Place where he cannot.
func (x *exchange) place() line.Place {
	for value := range x.owned(session.PlaceCookie) {
		if seen, id, ok := x.rt.Seal.Placed(value, x.request.Client); ok {
			return line.Place{Seen: seen, ID: id}
		}
	}
	return line.Place{}
}

// lay puts one of Gatehouse's own cookies into an answer; a life of zero takes it away again. A journey may come back from an
// identity provider by a form that its page posts, so those cookies go along from other sites.
func (x *exchange) lay(head *h1.Head, name, value string, life time.Duration) {
	head.Add("Set-Cookie", session.SetCookie(name, value, life, x.secure(), name != session.ProofCookie))
}

// dropOwn keeps a backend from speaking in Gatehouse's name.
func dropOwn(head *h1.Head) {
	head.DelFunc(func(l h1.Line) bool {
		if !strings.EqualFold(l.Name, "Set-Cookie") {
			return false
		}
		name, _, _ := strings.Cut(l.Value, "=")
		return session.Own(strings.Trim(name, " \t"))
	})
}
