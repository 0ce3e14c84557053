package page

import "sync/atomic"

// saying is an outcome with its reason, checked and as Gatehouse-Outcome has it.
type saying struct {
	asked, because  string // what an Ask says
	outcome, reason string // what is told
	line            string
}

// maxSayings bounds what is remembered of a Kind. There are fewer, since both words come from closed sets.
const maxSayings = 32

// sayings remembers the pairs of outcome and reason that answers of one Kind have. The zero value is empty. It is safe for
// concurrent use.
type sayings struct {
	known atomic.Pointer[[]saying] // replaced, never changed in place
}

// of returns the saying of an Ask's words, and that of what implies where they are none.
func (s *sayings) of(asked, because, implied string) saying {
	known := s.known.Load()
	if known != nil {
		for i := range *known {
			if k := &(*known)[i]; k.asked == asked && k.because == because {
				return *k
			}
		}
	}
	said := saying{asked: asked, because: because, outcome: word(asked, implied), reason: word(because, "")}
	said.line = said.outcome
	if said.reason != "" {
		said.line += "; reason=" + said.reason
	}
	if asked != "" && said.outcome != asked || said.reason != because {
		return said // a stranger's
	}
	var next []saying
	if known != nil {
		next = *known
	}
	if len(next) < maxSayings {
		// Who comes at the same time may lose his, and remembers it the next time.
		next = append(next[:len(next):len(next)], said)
		s.known.CompareAndSwap(known, &next)
	}
	return said
}
