package intake

import "gatehouse/shed"

// Refusal is a request that is not let in, and why. It is an error.
type Refusal struct {
	Status int
	Reason shed.Reason // a word of the closed set below
	Close  bool        // the connection cannot be trusted with another request
}

// Error returns the reason.
func (r *Refusal) Error() string { return "refused: " + string(r.Reason) }

// Every way in which a request is refused. They are only read.
var (
	ErrMethod     = &Refusal{405, "method", true}
	ErrTarget     = &Refusal{400, "request_target", true}
	ErrPath       = &Refusal{400, "path", false}
	ErrHost       = &Refusal{400, "host", true}
	ErrHosts      = &Refusal{400, "hosts_disagree", true}
	ErrConnection = &Refusal{400, "connection_field", true}
	ErrExpect     = &Refusal{417, "expect", true}
	ErrField      = &Refusal{400, "field", true}
)
