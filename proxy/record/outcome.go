package record

// Outcome is what became of an exchange. The zero value is Proxied. Its words are the metric label, the log word and the
// word in Gatehouse-Outcome.
type Outcome uint8

const (
	Proxied   Outcome = iota // a backend's answer was delivered
	Degraded                 // the page instead of asking a backend: the store cannot give what the route needs
	Converted                // the page instead of a backend's answer
	Limited                  // a quota, or the limit on pages, said no
	Shed                     // the pool had no room
	LinedUp                  // a place in the line
	Rejected                 // refused for what it is: unreadable, ambiguous, or for no route
	Error                    // a backend failed, or Gatehouse did; an Outcome out of range counts as this
	outcomes
)

var outcomeWords = [outcomes]string{
	Proxied: "proxied", Degraded: "degraded", Converted: "converted", Limited: "limited", Shed: "shed", LinedUp: "lined_up",
	Rejected: "rejected", Error: "error",
}

// String returns the word of the surface.
func (o Outcome) String() string {
	if o < outcomes {
		return outcomeWords[o]
	}
	return outcomeWords[Error]
}

// codes are the status codes that have a label of their own: the registered ones, and 0 for an exchange that ended before
// an answer was committed. They are sorted. All others share one label, since a backend may send any three digits.
var codes = [...]int{
	0, 100, 101, 102, 103,
	200, 201, 202, 203, 204, 205, 206, 207, 208, 226,
	300, 301, 302, 303, 304, 305, 307, 308,
	400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 418, 421, 422, 423, 424, 425,
	426, 428, 429, 431, 451,
	500, 501, 502, 503, 504, 505, 506, 507, 508, 510, 511,
}

const (
	codeSlots = len(codes) + 1 // the last one is for all others
	noCode    = "none"
	otherCode = "other"
)

// codeSlot returns the place of a status code in the closed set.
func codeSlot(status int) int {
	if status < 0 || status >= len(slotOf) {
		return len(codes)
	}
	return int(slotOf[status])
}

// slotOf has the slot of every code up to the last one that has a label.
var slotOf = func() (slots [512]uint8) {
	for i := range slots {
		slots[i] = uint8(len(codes))
	}
	for i, code := range codes {
		slots[code] = uint8(i)
	}
	return slots
}()
