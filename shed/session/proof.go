package session

import "time"

// ProofLife is how long a proof is good. Proves asks for a new one when half of it is over.
const ProofLife = 24 * time.Hour

// Proof returns the value of a cookie that says: this session was seen to exist. id is the session's, as Carried returns it; with
// and without quotes, and with its percent escapes decoded or not, it is the same session. Without an id there is nothing to
// prove, and the value is "".
//
// The id is in the signature and not in the value: who finds a proof does not find a session.
func (s *Seal) Proof(id string, now time.Time) string {
	said, ok := stamped(now)
	if !ok || unquoted(id) == "" {
		return ""
	}
	return s.seal(ofProof, &said, &bond{id: id})
}

// Proves reports whether a value is a proof of the session with that id, and whether that is to be renewed: good, and past half
// of its life. Without its session, or with another one, a proof proves nothing. It takes about a microsecond, allocates
// nothing, and says nothing about whether the session still exists.
func (s *Seal) Proves(value, id string, now time.Time) (good, renew bool) {
	if unquoted(id) == "" {
		return false, false
	}
	said, ok := s.open(ofProof, value, 8, &bond{id: id})
	if !ok {
		return false, false
	}
	age, good := fresh(said.time(), now, ProofLife)
	return good, good && age >= ProofLife/2
}
