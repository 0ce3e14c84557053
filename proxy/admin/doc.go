// Package admin is the listener for operators: health, metrics, status, the live page, reload and override.
//
//	request ── host known? ── path and method known? ── token, where one is set ── same origin, where it changes something ── answer
//	            421            404, 405                  401                        403
//
// /livez and /readyz never ask for a token, since whoever asks for them has none. Everything that changes something is a
// POST. What there is to say comes from a Source, so that this package knows neither pools nor stores; the page renders the
// same Status that /status gives as JSON, on this side, so that it reads the same without a script. The script only asks for
// the page again and puts in what is different.
package admin
