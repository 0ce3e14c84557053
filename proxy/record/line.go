package record

import (
	"strconv"
	"strings"
	"time"

	"gatehouse/shed"
)

// How long a field may be in a line, in bytes before escaping.
const (
	maxID      = 128
	maxMethod  = 32
	maxScheme  = 16
	maxHost    = 256
	maxPath    = 2048
	maxName    = 128
	maxAgent   = 256
	maxReferer = 512
	maxErr     = 512
)

const timeLayout = "2006-01-02T15:04:05.000000Z"

// appendLine appends one line of JSON, with its line feed. Keys that have nothing to say are left out; the others always
// come in the same order.
func appendLine(b []byte, s *Series, e *Entry) []byte {
	b = append(b, `{"time":"`...)
	b = appendTime(b, e.Arrived.UTC())
	b = append(b, `","level":"INFO","msg":"request","id":`...)
	b = appendString(b, e.RequestID, maxID)
	if e.Client.IsValid() {
		b = append(b, `,"client":"`...)
		b = e.Client.WithZone("").AppendTo(b)
		b = append(b, '"')
	}
	if peer := e.Peer.Addr(); peer.IsValid() && peer != e.Client {
		b = append(b, `,"peer":"`...)
		b = peer.WithZone("").AppendTo(b)
		b = append(b, '"')
	}
	b = appendText(b, `,"method":`, e.Method, maxMethod)
	b = appendText(b, `,"scheme":`, e.Scheme, maxScheme)
	b = appendText(b, `,"host":`, e.Host, maxHost)
	path, query := splitTarget(e.Target)
	b = appendText(b, `,"path":`, path, maxPath)
	if query > 0 {
		b = appendInt(b, `,"query_bytes":`, int64(query))
	}
	b = appendText(b, `,"proto":`, e.Proto, maxScheme)
	if t := e.TLS; t != nil {
		b = appendText(b, `,"tls_version":`, t.Version, maxScheme)
		b = appendText(b, `,"tls_cipher":`, t.Cipher, maxName)
		b = appendText(b, `,"server_name":`, t.ServerName, maxHost)
		b = appendText(b, `,"client_certificate":`, t.Client, maxHost)
	}
	b = append(b, s.names...)
	if e.Classed {
		b = appendWord(b, `,"class":"`, e.Class.String())
	}
	b = appendText(b, `,"backend":`, e.Backend, maxHost)
	if e.Attempts > 1 {
		b = appendInt(b, `,"attempts":`, int64(e.Attempts))
	}
	b = appendWord(b, `,"outcome":"`, e.Outcome.String())
	b = appendText(b, `,"reason":`, e.Reason, maxName)
	b = appendInt(b, `,"status":`, int64(e.Status))
	b = appendInt(b, `,"bytes_in":`, e.BytesIn)
	b = appendInt(b, `,"bytes_out":`, e.BytesOut)
	if e.State != 0 || e.Cause != 0 {
		b = appendWord(b, `,"store":"`, e.State.String())
		b = appendWord(b, `,"cause":"`, e.Cause.String())
		if differs(e.State, e.Observed, e.Cause) {
			b = appendWord(b, `,"observed":"`, e.Observed.String())
		}
	}
	b = appendText(b, `,"guard":`, e.Guard, maxName)
	b = appendStages(b, &e.At)
	b = appendText(b, `,"user_agent":`, e.UserAgent, maxAgent)
	b = appendText(b, `,"referer":`, bareReferer(e.Referer), maxReferer)
	b = appendText(b, `,"error":`, e.Err, maxErr)
	return append(b, '}', '\n')
}

// names is the part of a line that is the same for all exchanges of one route and pool.
func names(route, pool string) string {
	return string(appendText(appendText(nil, `,"route":`, route, maxName), `,"pool":`, pool, maxName))
}

// appendTime appends t, which is in UTC, as timeLayout has it. Time.AppendFormat reads the layout each time, which costs more than the
// time.
func appendTime(b []byte, t time.Time) []byte {
	year, month, day := t.Date()
	if year < 0 || year > 9999 {
		return t.AppendFormat(b, timeLayout)
	}
	hour, minute, second := t.Clock()
	b = appendTwo(appendTwo(b, year/100), year%100)
	b = appendTwo(append(b, '-'), int(month))
	b = appendTwo(append(b, '-'), day)
	b = appendTwo(append(b, 'T'), hour)
	b = appendTwo(append(b, ':'), minute)
	b = appendTwo(append(b, ':'), second)
	us := t.Nanosecond() / 1000
	b = appendTwo(append(b, '.'), us/10_000)
	b = appendTwo(appendTwo(b, us/100%100), us%100)
	return append(b, 'Z')
}

func appendTwo(b []byte, n int) []byte { return append(b, byte('0'+n/10), byte('0'+n%10)) }

// differs reports whether there is an observed state to tell beside the one that was acted on. Where nobody said what was
// observed, it is the zero value, which is told only of a person's override.
func differs(state, observed shed.State, cause shed.Cause) bool {
	return state != observed && (observed != shed.Unknown || cause == shed.CauseOverride)
}

// appendStages appends how long each stage took, in milliseconds: from the one before it that was reached.
func appendStages(b []byte, at *Stages) []byte {
	b = append(b, `,"ms":{`...)
	if at.Decided > 0 {
		b = append(b, `"decide":`...)
		b = append(appendMillis(b, at.Decided), ',')
	}
	if at.Queued > 0 {
		b = append(b, `"queue":`...)
		b = append(appendMillis(b, at.Queued-at.Decided), ',')
	}
	if d, ok := at.backend(); ok {
		b = append(b, `"backend":`...)
		b = append(appendMillis(b, d), ',')
	}
	if at.Head > 0 && at.Done > 0 {
		b = append(b, `"deliver":`...)
		b = append(appendMillis(b, at.Done-at.Head), ',')
	}
	b = append(b, `"total":`...)
	return append(appendMillis(b, at.Done), '}')
}

// appendMillis appends d in milliseconds with three decimals. A stage that ended before it began took no time.
func appendMillis(b []byte, d time.Duration) []byte {
	us := max(d, 0).Microseconds()
	b = strconv.AppendInt(b, us/1000, 10)
	frac := us % 1000
	return append(b, '.', byte('0'+frac/100), byte('0'+frac/10%10), byte('0'+frac%10))
}

// appendText appends a key, which comes with all that stands around it, and a value; nothing where there is none.
func appendText(b []byte, key, value string, limit int) []byte {
	if value == "" {
		return b
	}
	return appendString(append(b, key...), value, limit)
}

// appendWord is appendText for a word of ours, of which nothing is to be escaped. The key ends with the value's quote.
func appendWord(b []byte, key, word string) []byte {
	b = append(b, key...)
	b = append(b, word...)
	return append(b, '"')
}

func appendInt(b []byte, key string, n int64) []byte {
	return strconv.AppendInt(append(b, key...), n, 10)
}

// splitTarget returns the path of a request target and how many bytes its query has. An absolute target is cut to its path,
// so that what stands before an @ is logged no more than a query is; an authority loses what stands before its @.
func splitTarget(target string) (path string, query int) {
	path = beforeQuery(target)
	query = max(len(target)-len(path)-1, 0)
	if strings.HasPrefix(path, "/") {
		return path, query
	}
	if _, rest, ok := strings.Cut(path, "://"); ok {
		if slash := strings.IndexByte(rest, '/'); slash >= 0 {
			return rest[slash:], query
		}
		return "/", query
	}
	return path[strings.LastIndexByte(path, '@')+1:], query
}

// bareReferer returns a Referer without its query and fragment. One that names a user loses everything up to the @.
func bareReferer(ref string) string {
	ref = beforeQuery(ref)
	_, authority, ok := strings.Cut(ref, "://")
	if !ok {
		return ref
	}
	if slash := strings.IndexByte(authority, '/'); slash >= 0 {
		authority = authority[:slash]
	}
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		return ref[strings.Index(ref, "://")+len("://")+at+1:]
	}
	return ref
}

func beforeQuery(ref string) string {
	if i := strings.IndexByte(ref, '?'); i >= 0 {
		ref = ref[:i]
	}
	if i := strings.IndexByte(ref, '#'); i >= 0 {
		ref = ref[:i]
	}
	return ref
}
