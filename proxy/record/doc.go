// Package record turns what happened into what people and machines read: an exchange into one access-log line and one set
// of metrics, a change of the store into one event line, a counter and one row of the admin page.
//
//	Exchange ─┬─ Series ── requests_total, request_duration, upstream_duration      (Registry)
//	          ├─ windows ─ the last minute of each pool and route                   (Recent)
//	          └─ line ──── one JSON line, buffered, written by one goroutine        (Settings.Access)
//
//	SignIn, Guard ────────────────── counters                                       (Registry)
//	Shed, IsolationTax, Retry, ┬──── counters of what Pools and Quotas named        (Registry)
//	Quota                      └──── windows of each pool                           (Recent)
//	Watch ────────────────────────── gauges, asked for by a scrape                  (Registry)
//
//	StoreTransition, Override,     ┬─ metrics
//	RampHalved, QuotaStoreChange,  ├─ event log                                     (Settings.Events)
//	BackendChange and its like,    │
//	Reload ────────────────────────┴─ the ring of the last 50                       (Events)
//
// Labels come from closed sets only: the operator's names, the words of package shed, the outcomes here and the registered
// status codes. Whatever a stranger sends, the number of series stays as it is. Whatever a stranger sends, a line is one
// valid line of JSON that holds nothing a terminal would obey.
package record
