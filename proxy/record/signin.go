package record

import "github.com/prometheus/client_golang/prometheus"

// SignIn is what became of one attempt to sign in. The zero value is SignInUnconfirmed. Its words are a metric label.
type SignIn uint8

const (
	SignInUnconfirmed SignIn = iota // the app signed somebody in, and no check begun since found the store writable
	SignInSuccess                   // the app signed somebody in, and a check begun since found the store writable
	SignInRefused                   // the app said no
	SignInError                     // a backend failed, or Gatehouse did; a SignIn out of range counts as this
	SignInShed                      // Gatehouse answered in the app's place
	signIns
)

var signInWords = [signIns]string{
	SignInUnconfirmed: "unconfirmed", SignInSuccess: "success", SignInRefused: "refused", SignInError: "error", SignInShed: "shed",
}

// String returns the word of the surface.
func (s SignIn) String() string {
	if s < signIns {
		return signInWords[s]
	}
	return signInWords[SignInError]
}

// SignIn counts one attempt to sign in.
func (r *Recorder) SignIn(result SignIn) {
	if result >= signIns {
		result = SignInError
	}
	r.signIns.each[result].Inc()
}

// tally is a counter with one label from a closed set. Every series is there from the start, at 0, so that the first event
// shows as an increase, and counting one looks nothing up.
type tally struct {
	all  *prometheus.CounterVec
	each []prometheus.Counter // one for each word
}

func newTally(name, help, label string, words []string) tally {
	t := tally{all: prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{label})}
	for _, w := range words {
		t.each = append(t.each, t.all.WithLabelValues(w))
	}
	return t
}

func newSignIns() tally {
	return newTally("gatehouse_sign_ins_total", "Attempts to sign in by what became of them.", "result", signInWords[:])
}
