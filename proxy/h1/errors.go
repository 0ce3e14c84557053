package h1

import "errors"

// Refusal is a message that is not read any further, and why. It is an error. After one the connection cannot be used any
// more: where the message ends is not known.
type Refusal struct {
	Status int    // of the answer that a request refused so should get; a backend's answer refused so is a 502, whatever it says
	Reason string // a word of the closed set below, fit for a log or a label
}

// Error returns the reason.
func (r *Refusal) Error() string { return "malformed message: " + r.Reason }

// ErrMore says that what is there is right so far, and not yet everything.
var ErrMore = errors.New("more bytes are needed")

// Every way in which a message is refused. They are only read.
var (
	ErrStartLine  = &Refusal{400, "start_line"}      // not three parts with one space between, or too many blank lines before it
	ErrMethod     = &Refusal{400, "method"}          // not a name, or longer than any there is
	ErrTarget     = &Refusal{400, "request_target"}  // a control character, a fragment, or none of the four forms
	ErrLongTarget = &Refusal{414, "target_size"}     // beyond Limits.Target
	ErrVersion    = &Refusal{505, "version"}         // well-formed, but neither HTTP/1.0 nor HTTP/1.1
	ErrPreface    = &Refusal{505, "http2_preface"}   // the visitor speaks HTTP/2
	ErrStatus     = &Refusal{400, "status"}          // not three digits from 100 to 999
	ErrName       = &Refusal{400, "field_name"}      // empty, with a space before the colon or another character a name cannot have
	ErrValue      = &Refusal{400, "field_value"}     // a control character
	ErrFold       = &Refusal{400, "folded_line"}     // a line that begins with white space
	ErrBareLF     = &Refusal{400, "bare_lf"}         // a line that ends in LF alone
	ErrBareCR     = &Refusal{400, "bare_cr"}         // a CR that ends no line
	ErrTooLarge   = &Refusal{431, "head_size"}       // beyond Limits.Head, Lines or Trailer
	ErrHost       = &Refusal{400, "host"}            // none where one is required, or a character that no host has
	ErrHosts      = &Refusal{400, "hosts"}           // more than one
	ErrLength     = &Refusal{400, "content_length"}  // not a plain decimal number of at most 18 digits
	ErrLengths    = &Refusal{400, "content_lengths"} // more than one, even if equal
	ErrCoding     = &Refusal{501, "coding"}          // a Transfer-Encoding other than chunked, once
	ErrOldCoding  = &Refusal{400, "old_coding"}      // a Transfer-Encoding in HTTP/1.0
	ErrFramings   = &Refusal{400, "both_framings"}   // Content-Length and Transfer-Encoding
	ErrInterim    = &Refusal{400, "interim_body"}    // an interim answer that announces a body
	ErrChunk      = &Refusal{400, "chunk"}           // a malformed size or extension, or no line end after the data
	ErrChunkSize  = &Refusal{400, "chunk_size"}      // a size of too many digits, or too many bytes that are no data
	ErrUnwritable = &Refusal{500, "unwritable"}      // what was to be written would not be read back as one message
)
