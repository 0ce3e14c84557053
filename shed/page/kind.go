package page

// Kind is what an answer is about. The zero value is Degraded.
type Kind uint8

const (
	Degraded  Kind = iota // the session store cannot give what the route needs
	LinedUp               // sign-ins come back by a ramp, and this one has to wait
	Shed                  // no capacity
	Limited               // too often; always a few bytes
	Rejected              // what came in cannot be taken: the 400 class
	NotFound              // no route
	Failed                // the backend gave no proper answer
	Internal              // a mistake of our own
	SignedOut             // the app could not end the session, so it was ended on this device
	kinds
)

// Kinds lists every Kind.
var Kinds = [...]Kind{Degraded, LinedUp, Shed, Limited, Rejected, NotFound, Failed, Internal, SignedOut}

// traits are what a Kind implies.
type traits struct {
	word    string // as an operator's template sees it
	outcome string // where the Ask names none
	status  int    // where the Ask names none
	grpc    string // the code of grpc-status
	message string // of grpc-message: for the people who wrote the client
	again   bool   // trying again may help
	onward  bool   // nothing is left to try, and the way on is Restart
}

// The gRPC codes are UNAVAILABLE (14), which clients may retry; RESOURCE_EXHAUSTED (8) for callers who come too often; and
// what gRPC itself makes of a 400 and a 404: INTERNAL (13) and UNIMPLEMENTED (12). Who wanted to sign out, and is, gets an OK (0).
var traitsOf = [kinds]traits{
	Degraded:  {"degraded", "degraded", 503, "14", "the session store is impaired", true, false},
	LinedUp:   {"lined_up", "lined_up", 503, "14", "sign-ins are let in a few at a time", true, false},
	Shed:      {"shed", "shed", 503, "14", "no capacity", true, false},
	Limited:   {"limited", "limited", 429, "8", "too many requests", true, false},
	Rejected:  {"rejected", "rejected", 400, "13", "the request was not understood", false, false},
	NotFound:  {"not_found", "rejected", 404, "12", "no route", false, false},
	Failed:    {"failed", "error", 502, "14", "the backend did not answer", true, false},
	Internal:  {"internal", "error", 500, "13", "internal error", true, false},
	SignedOut: {"signed_out", "degraded", 200, "0", "signed out on this device", false, true},
}

// String returns the word that templates see.
func (k Kind) String() string { return k.traits().word }

func (k Kind) traits() *traits {
	if k >= kinds {
		k = Internal
	}
	return &traitsOf[k]
}

// phrase returns the reason phrase of a status that Gatehouse gives (RFC 9110 section 15), which RFC 9457 section 4.2.1 wants
// as the title of a problem whose type is about:blank.
func phrase(status int) string {
	switch status {
	case 200:
		return "OK"
	case 400:
		return "Bad Request"
	case 401:
		return "Unauthorized"
	case 403:
		return "Forbidden"
	case 404:
		return "Not Found"
	case 405:
		return "Method Not Allowed"
	case 408:
		return "Request Timeout"
	case 411:
		return "Length Required"
	case 413:
		return "Content Too Large"
	case 414:
		return "URI Too Long"
	case 415:
		return "Unsupported Media Type"
	case 417:
		return "Expectation Failed"
	case 421:
		return "Misdirected Request"
	case 426:
		return "Upgrade Required"
	case 429:
		return "Too Many Requests"
	case 431:
		return "Request Header Fields Too Large"
	case 500:
		return "Internal Server Error"
	case 501:
		return "Not Implemented"
	case 502:
		return "Bad Gateway"
	case 503:
		return "Service Unavailable"
	case 504:
		return "Gateway Timeout"
	case 505:
		return "HTTP Version Not Supported"
	}
	if status < 500 {
		return "Request Not Accepted"
	}
	return "Server Error"
}
