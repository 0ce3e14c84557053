package config

import (
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The readers below leave *to as it is, which is the default, where the value is wrong.

// duration reads "100ms" or "10m".
func (v value) duration(to *time.Duration, least, most time.Duration) {
	const wanted = "a duration such as 100ms, 2s or 10m"
	s, ok := v.text(wanted)
	if !ok {
		return
	}
	d, err := time.ParseDuration(s)
	switch {
	case err != nil:
		v.fail("%s; %s is wanted", v.shown(), wanted)
	case d < least || d > most:
		v.fail("%s is out of range; %s to %s is wanted", v.shown(), short(least), short(most))
	default:
		*to = d
	}
}

// short writes a duration without the zero units of time.Duration.String: 1h, not 1h0m0s.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// rate reads "10/s", "600/m" or "0.5/h".
func (v value) rate(to *Rate) {
	const wanted = "a rate such as 10/s, 600/m or 3600/h"
	s, ok := v.text(wanted)
	if !ok {
		return
	}
	count, unit, _ := strings.Cut(s, "/")
	per := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour}[unit]
	if per == 0 || !regexp.MustCompile(`^[0-9]{1,18}(\.[0-9]{1,9})?$`).MatchString(count) {
		v.fail("%s; %s is wanted", v.shown(), wanted)
		return
	}
	n, err := strconv.ParseFloat(count, 64)
	r := Rate{n, per}
	if err != nil || n <= 0 || r.PerSecond() > maxPerSecond {
		v.fail("%s is out of range; more than 0 and at most %d/s is wanted", v.shown(), maxPerSecond)
		return
	}
	*to = r
}

// share reads a part of a whole, such as 0.90: at least least and at most 1.
func (v value) share(to *float64, least float64) {
	const wanted = "a part of the whole such as 0.90"
	s, ok := v.text(wanted)
	if !ok {
		return
	}
	if !regexp.MustCompile(`^[0-9]{1,3}(\.[0-9]{1,9})?$`).MatchString(s) {
		v.fail("%s; %s is wanted", v.shown(), wanted)
		return
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f < least || f > 1 {
		v.fail("%s is out of range; %g to 1 is wanted", v.shown(), least)
		return
	}
	*to = f
}

// maxPerSecond bounds every rate: beyond it a rate bounds nothing.
const maxPerSecond = 1_000_000

// number reads a whole number in decimal.
func (v value) number(to *int, least, most int) {
	s, ok := v.text("a whole number")
	if !ok {
		return
	}
	if !regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`).MatchString(s) {
		v.fail("%s; a whole number such as 64 is wanted", v.shown())
		return
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < least || n > most {
		v.fail("%s is out of range; %d to %d is wanted", v.shown(), least, most)
		return
	}
	*to = n
}

// size reads "4KiB" as bytes.
func (v value) size(to *int, least, most int) {
	const wanted = "a size with its unit, B, kB, KiB or MiB, such as 4KiB,"
	s, ok := v.text(wanted)
	if !ok {
		return
	}
	digits := strings.TrimRight(s, "BiKMk")
	unit := map[string]int{"B": 1, "kB": 1000, "KiB": 1 << 10, "MiB": 1 << 20}[s[len(digits):]]
	if unit == 0 || !regexp.MustCompile(`^[0-9]+$`).MatchString(digits) {
		v.fail("%s; %s is wanted", v.shown(), wanted)
		return
	}
	n, err := strconv.Atoi(digits)
	if err != nil || n > math.MaxInt/unit || n*unit < least || n*unit > most {
		v.fail("%s is out of range; %dB to %dB is wanted", v.shown(), least, most)
		return
	}
	*to = n * unit
}

// flag reads true or false.
func (v value) flag(to *bool) {
	s := strconv.FormatBool(*to)
	v.word(&s, "true", "false")
	*to = s == "true"
}

// word reads one of a few words.
func (v value) word(to *string, words ...string) {
	s, ok := v.text("one of " + strings.Join(words, ", "))
	if !ok {
		return
	}
	if !slices.Contains(words, s) {
		v.fail("%s; one of %s is wanted", v.shown(), strings.Join(words, ", "))
		return
	}
	*to = s
}
