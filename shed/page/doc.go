// Package page makes every answer that Gatehouse gives in a backend's place: that the store is impaired, that the visitor is
// in line, that there is no capacity, no route, no answer from behind, that he is signed out on this device.
//
// An answer comes in the form that the request asked for: HTML for people, application/problem+json (RFC 9457; the same members
// as application/json where nothing went wrong), plain text, or a gRPC status; and in the visitor's language where the
// catalogue has it. Everything that can be is put together when a Maker is made; an answer is then a few copies with holes
// filled in.
//
// Nothing of a request is repeated in an answer except the path of Ask.Restart and Ask.RequestID, and these only after they
// were checked to hold nothing that means anything to HTML, JSON or a header. An operator's template replaces the HTML form
// and is proved at New against every answer it will have to give.
package page
