package session

import (
	"strconv"
	"strings"
	"time"
)

// cookieDate reads a date by the algorithm that browsers share (RFC 6265 section 5.1.1): a time, a day, a month and a year, in
// any order among anything else. What is not a date at all is false.
func cookieDate(s string) (time.Time, bool) {
	var clock [3]int
	var day, month, year int
	var timed, dayed, yeared bool
	for s != "" {
		i := 0
		for i < len(s) && !delimits(s[i]) {
			i++
		}
		word := s[:i]
		s = s[min(i+1, len(s)):]
		if word == "" {
			continue
		}
		if !timed {
			if c, ok := clockTime(word); ok {
				clock, timed = c, true
				continue
			}
		}
		n, digits := leadingNumber(word)
		switch {
		case !dayed && (digits == 1 || digits == 2):
			day, dayed = n, true
		case month == 0 && monthOf(word) > 0:
			month = monthOf(word)
		case !yeared && digits >= 2 && digits <= 4:
			year, yeared = n, true
		}
	}
	switch {
	case year >= 70 && year <= 99:
		year += 1900
	case year <= 69:
		year += 2000
	}
	if !timed || !dayed || !yeared || month == 0 || year < 1601 || clock[0] > 23 || clock[1] > 59 || clock[2] > 59 {
		return time.Time{}, false
	}
	t := time.Date(year, time.Month(month), day, clock[0], clock[1], clock[2], 0, time.UTC)
	return t, t.Day() == day // there is no 30th of February
}

// delimits reports whether c stands between the words of a date.
func delimits(c byte) bool {
	return c == '\t' || c >= 0x20 && c <= 0x2f || c >= 0x3b && c <= 0x40 || c >= 0x5b && c <= 0x60 || c >= 0x7b && c <= 0x7e
}

// clockTime reads hours, minutes and seconds of one or two digits each, with anything but a digit after them.
func clockTime(word string) (clock [3]int, ok bool) {
	for i := range clock {
		n, digits := leadingNumber(word)
		if digits < 1 || digits > 2 {
			return clock, false
		}
		clock[i], word = n, word[digits:]
		if i < 2 {
			if word == "" || word[0] != ':' {
				return clock, false
			}
			word = word[1:]
		}
	}
	return clock, true
}

// leadingNumber returns the number that a word begins with, and how many digits it has; more than four are not read.
func leadingNumber(word string) (n, digits int) {
	for digits < len(word) && digit(word[digits]) {
		digits++
	}
	if digits == 0 || digits > 4 {
		return 0, digits
	}
	n, _ = strconv.Atoi(word[:digits])
	return n, digits
}

// monthOf returns the month that a word begins with, 1 to 12, or 0.
func monthOf(word string) int {
	const names = "janfebmaraprmayjunjulaugsepoctnovdec"
	if len(word) < 3 {
		return 0
	}
	for i := 0; i < len(names); i += 3 {
		if strings.EqualFold(word[:3], names[i:i+3]) {
			return i/3 + 1
		}
	}
	return 0
}

func digit(c byte) bool { return '0' <= c && c <= '9' }
