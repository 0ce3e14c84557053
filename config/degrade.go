package config

import (
	"os"
	"time"
)

func defaultDegrade() Degrade {
	return Degrade{
		Status:     503,
		RetryAfter: RetryAfter{5 * time.Second, 60 * time.Second},
		Rate:       DegradeRate{PerClient: Rate{2, time.Second}, Burst: 10, PerAddress: Rate{500, time.Second}},
	}
}

// degrade reads the answer that Gatehouse gives in a backend's place.
func (v value) degrade(to *Degrade) {
	v.fields(
		field{name: "status", read: func(v value) { v.degradeStatus(&to.Status) }},
		field{name: "retry_after", read: func(v value) { v.retryAfter(&to.RetryAfter) }},
		field{name: "rate", read: func(v value) {
			v.fields(
				field{name: "per_client", read: func(v value) { v.rate(&to.Rate.PerClient) }},
				field{name: "burst", read: func(v value) { v.number(&to.Rate.Burst, 1, 1_000_000) }},
				field{name: "per_address", read: func(v value) { v.rate(&to.Rate.PerAddress) }},
			)
		}},
		field{name: "page", read: func(v value) { v.template(&to.Page) }},
	)
}

// degradeStatus reads the status of the page. It must say that it is not the page that was asked for: 200 would be kept by
// caches and search engines.
func (v value) degradeStatus(to *int) {
	n := 0
	if v.number(&n, 0, 999); n == 0 {
		return
	}
	if n != 429 && (n < 500 || n > 599) {
		v.fail("%d; 429 or 500 to 599 is wanted", n)
		return
	}
	*to = n
}

func (v value) retryAfter(to *RetryAfter) {
	v.fields(
		field{name: "min", read: func(v value) { v.duration(&to.Min, time.Second, 24*time.Hour) }},
		field{name: "max", read: func(v value) { v.duration(&to.Max, time.Second, 24*time.Hour) }},
	)
	if to.Min > to.Max {
		v.fail("min is above max; at most %s is wanted", short(to.Max))
	}
}

// template reads the path of the page's template. Whether it can be used is for the page to say; here it must be there, and
// not be too large to be one.
func (v value) template(to *string) {
	v.file(to)
	if *to == "" {
		return
	}
	switch about, err := os.Stat(*to); {
	case err != nil:
		v.fail("%s cannot be read: %s; a template's file is wanted", v.shown(), cause(err))
	case !about.Mode().IsRegular():
		v.fail("%s is no file; a template's file is wanted", v.shown())
	case about.Size() > maxSize:
		v.fail("%s holds %d bytes; at most %d are wanted", v.shown(), about.Size(), maxSize)
	}
}
