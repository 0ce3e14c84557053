package upstream

import "errors"

// What Claim and Send return. The error behind it is wrapped too, and is for the log: it may name addresses.
var (
	// ErrNoBackend: every backend that may be used was tried already, or the pool has none.
	ErrNoBackend = errors.New("no backend is left")
	// ErrConnect: no connection could be had, or it was gone before a byte was written. Nothing was sent and nothing of the
	// request's body was read, so another backend may be tried.
	ErrConnect = errors.New("the backend cannot be reached")
	// ErrBroken: the request was sent, at least in part, and the answer is missing, malformed or cut short. It is also what
	// reading an Answer's body returns when the backend breaks off.
	ErrBroken = errors.New("the backend broke the exchange")
	// ErrStale comes with ErrBroken where the connection had been kept from an earlier exchange and ended before anything of an
	// answer came: most likely the backend closed it just as the request went out, which says nothing of how the backend does.
	ErrStale = errors.New("the connection, kept from an earlier exchange, ended before an answer")
	// ErrRefused comes with ErrBroken where the backend has said that it did nothing about the request (by HTTP/2: a stream that it
	// refused, or did not come to before it closed the connection), so that another backend may be tried with any that is whole.
	ErrRefused = errors.New("the backend did nothing about the request")
	// ErrLate: the context's deadline passed, or it was cancelled with ErrLate as its cause, before the head of the answer was
	// there. It is also what becomes of a call by gRPC that a backend cancels when the visitor's own time for it (Grpc-Timeout) is
	// over, before or after the head.
	ErrLate = errors.New("the backend is late")
	// ErrDeadline comes with ErrLate where it was the visitor's own time that was over.
	ErrDeadline = errors.New("the visitor's own time for the call is over")
	// ErrCancelled: the context was cancelled. Its cause is wrapped.
	ErrCancelled = errors.New("the exchange was cancelled")
	// ErrVisitor: the request's body could not be read to its end, which is not the backend's fault. What Body returned is
	// wrapped. By HTTP/2 it is also what reading an Answer's body returns then.
	ErrVisitor = errors.New("the request's body broke off")
	// ErrRequest: the request cannot be written as it is, such as a name with a line break. Nothing was sent, and no backend
	// would take it.
	ErrRequest = errors.New("the request cannot be sent")
)

// errUpload is wrapped in an ErrLate when the time went into waiting for the visitor's own body.
var errUpload = errors.New("the request's body was still awaited")
