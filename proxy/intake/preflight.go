package intake

import "gatehouse/proxy/h1"

// Preflight reports whether a request is a CORS preflight, which carries no cookies and needs nothing of the session store
// (Fetch standard, section 4.8).
func Preflight(method string, head h1.Head) bool {
	return method == "OPTIONS" && head.Has("Origin") && head.Has("Access-Control-Request-Method")
}
