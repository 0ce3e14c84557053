package shed

// Class is how much a request matters when a pool cannot take everybody. A lesser value matters more. The zero value is Member.
type Class uint8

const (
	Member     Class = iota // it carries a session that was seen to be good
	SignIn                  // it signs somebody in
	Unproved                // it carries a session that nothing is known of: anybody can make one up
	Anonymous               // it carries none
	Background              // nobody waits for it, by the operator's word
)

// NumClasses is how many there are.
const NumClasses = 5

// Classes lists every class, the one that matters most first.
var Classes = [NumClasses]Class{Member, SignIn, Unproved, Anonymous, Background}

var classWords = [NumClasses]string{"member", "sign_in", "unproved", "anonymous", "background"}

// String returns the word of the operator's file, of metrics and of the log. A Class out of range counts as Background.
func (c Class) String() string {
	if c < NumClasses {
		return classWords[c]
	}
	return classWords[Background]
}

// known is c, or Background where c is out of range.
func (c Class) known() Class { return min(c, Background) }
