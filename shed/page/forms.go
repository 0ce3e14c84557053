package page

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"html"
)

//go:embed page.css
var style string

const gate = `<svg viewBox="0 0 56 56" fill="none" stroke="currentColor" stroke-width="3" stroke-linecap="round" ` +
	`stroke-linejoin="round" aria-hidden="true"><path d="M8 50V26a20 20 0 0 1 40 0v24M3 50h50"/>` +
	`<path class="gate" stroke-width="2" d="M19 44V22M28 44V18M37 44V22M14 29h28M14 37h28"/></svg>`

// compose returns the parts of one answer in one form and language.
func compose(k Kind, l *words, f form) []part {
	switch {
	case f == formProblem:
		return composeProblem(k, l)
	case f == formText:
		return composeText(k, l)
	case k == Limited:
		return composeTerse(l)
	default:
		return composeHTML(k, l)
	}
}

func composeHTML(k Kind, l *words) []part {
	w := writer{escape: html.EscapeString}
	w.markup(`<!doctype html>
<html lang="` + l.tag + `">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
`)
	if k.traits().again {
		w.fillIf(reloads, `<meta http-equiv="refresh" content="`, holeSeconds, `;url=`)
		w.fillIf(reloads, ``, holeRestart, "\">\n")
	}
	w.sentence(0, "<title>", l.title[k], "</title>\n")
	// Without an icon of its own a browser asks the ailing site for one.
	w.markup("<link rel=\"icon\" href=\"data:,\">\n<style>")
	w.markup(style)
	w.markup("</style>\n</head>\n<body>\n<main>\n" + gate + "\n")
	w.sentence(0, "<h1>", l.title[k], "</h1>\n")
	w.sentence(0, "<p>", l.lead[k], "</p>\n")
	sentences(&w, k, l, `<p class="note">`, "<p>", "</p>\n")
	w.sentence(reloads, `<p class="when">`, l.itself, "</p>\n")
	w.sentence(manual, `<p class="when">`, l.yourself, "</p>\n")
	if t := k.traits(); t.again || t.onward {
		w.fillIf(0, `<a href="`, holeRestart, `">`)
	} else {
		w.markup(`<a href="/">`)
	}
	w.sentence(0, "", l.label(k), "</a>\n")
	w.sentence(named, `<p class="ref">`, l.reference, "")
	w.fillIf(named, "<code>", holeID, "</code></p>\n")
	w.markup("</main>\n</body>\n</html>\n")
	return w.parts
}

// sentences writes what follows the lead: that the session stands, where in the line the visitor does, and what became of a
// form.
func sentences(w *writer, k Kind, l *words, note, plain, after string) {
	if k == Degraded {
		w.sentence(stands, note, l.signedIn, after)
	}
	if k == Degraded || k == LinedUp {
		w.sentence(placed, note, l.kept, "")
		w.sentence(first, l.gap, l.next, "")
		w.sentence(second, l.gap, l.one, "")
		w.people(later, l.gap, l.ahead)
		w.markupIf(placed, after)
	}
	if k.traits().again {
		w.sentence(uncertain, plain, l.unsure, after)
	}
}

// composeTerse is the page of a visitor who comes too often: whatever it costs, he gets it often. It stays below 200 bytes, of
// which those that make it readable on a phone are worth more than a title in words.
func composeTerse(l *words) []part {
	w := writer{escape: html.EscapeString}
	w.markup(`<!doctype html><html lang=` + l.tag + `><meta name=viewport content=width=device-width>`)
	w.fillIf(0, "<title>", holeStatus, "</title>")
	w.sentence(0, "<main><h1>", l.title[Limited], "</h1>")
	w.sentence(waits, "<p>", l.yourself, "")
	w.markup("</main>")
	return w.parts
}

func composeText(k Kind, l *words) []part {
	w := writer{escape: func(s string) string { return s }}
	w.sentence(0, "", l.title[k], "\n")
	if k == Limited {
		w.sentence(waits, "", l.yourself, "\n")
		return w.parts
	}
	w.sentence(0, "\n", l.lead[k], "\n")
	sentences(&w, k, l, "", "", "\n")
	w.sentence(waits, "", l.yourself, "\n")
	w.sentence(named, "\n", l.reference, "")
	w.fillIf(named, "", holeID, "\n")
	return w.parts
}

// composeProblem is RFC 9457. The members beyond it are those of Gatehouse-Outcome, Retry-After in seconds, the request's id,
// and for who has a place in the line: in_line, waited_seconds, and ahead where that can be told. Times are in seconds, in the
// detail, too.
func composeProblem(k Kind, l *words) []part {
	w := writer{escape: escapeJSON, exact: true}
	w.markup(`{"type":"about:blank","title":"`)
	w.fill(holePhrase)
	w.markup(`","status":`)
	w.fill(holeStatus)
	if k != Limited {
		w.markup(`,"detail":"`)
		w.words(l.title[k] + l.stop + l.gap + l.lead[k])
		sentences(&w, k, l, l.gap, l.gap, "")
		w.sentence(waits, l.gap, l.yourself, "")
		w.fillIf(0, `","outcome":"`, holeOutcome, `"`)
		w.fillIf(reasoned, `,"reason":"`, holeReason, `"`)
	}
	w.fillIf(waits, `,"retry_after":`, holeSeconds, "")
	if k == Degraded || k == LinedUp {
		w.fillIf(placed, `,"in_line":true,"waited_seconds":`, holeWaited, "")
		w.fillIf(counted, `,"ahead":`, holeQueue, "")
	}
	if k != Limited {
		w.fillIf(named, `,"request_id":"`, holeID, `"`)
	}
	w.markup("}\n")
	return w.parts
}

// escapeJSON returns s as it stands between the quotes of a JSON string.
func escapeJSON(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		return ""
	}
	return string(b[1 : len(b)-1])
}

// styleSource returns the CSP source that allows exactly this style.
func styleSource(css string) string {
	sum := sha256.Sum256([]byte(css))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// policy returns the Content-Security-Policy of a page with these style sources. Images are what the page itself holds.
func policy(styles string) string {
	if styles == "" {
		styles = "'none'"
	}
	return "default-src 'none'; style-src " + styles +
		"; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}
