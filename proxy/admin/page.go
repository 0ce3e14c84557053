package admin

import (
	"bytes"
	"crypto/sha256"
	_ "embed" // the page's parts
	"encoding/base64"
	"html/template"
	"net/http"
)

var (
	//go:embed page.html
	pageHTML string
	//go:embed page.css
	pageCSS string
	//go:embed page.js
	pageJS string
)

// page renders a Status for a person. policy is the Content-Security-Policy that lets in its own style and script, by their
// hashes, and nothing else.
type page struct {
	template *template.Template
	policy   string
}

func newPage() page {
	t := template.New("page").Funcs(template.FuncMap{
		"away": away, "bar": bar, "because": because, "cause": cause, "certificate": certificate, "class": class, "clock": clock, "count": count,
		"crowds": crowds, "effect": effect, "fill": fill, "floats": floats, "headline": headline, "hill": hill, "left": left, "lines": lines,
		"many": many, "millis": millis, "moving": moving, "often": often, "onTrial": onTrial, "parts": parts, "rate": rate, "sheds": sheds, "reason": reason, "resource": resource,
		"soon": soon, "span": span, "spark": spark, "taxed": taxed, "until": until, "used": used, "wholes": wholes,
	})
	return page{
		template: template.Must(t.Parse(pageHTML)),
		policy: "default-src 'none'; style-src " + hashOf(pageCSS) + "; script-src " + hashOf(pageJS) +
			"; connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
	}
}

// hashOf returns a text's source expression.
func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// view is what the template is given.
type view struct {
	Status
	Title   string
	Program string // the version of the program, where the Status names none
	Still   bool   // without a script, the page does not ask for itself again
	CSS     template.CSS
	JS      template.JS
}

// render writes the whole page, or nothing but an error's answer.
func (p *page) render(w http.ResponseWriter, s Status, version string, still bool) error {
	var b bytes.Buffer
	v := view{Status: s, Title: title(s), Program: s.Version, Still: still, CSS: template.CSS(pageCSS), JS: template.JS(pageJS)}
	if v.Program == "" {
		v.Program = version
	}
	if err := p.template.Execute(&b, v); err != nil {
		say(w, http.StatusInternalServerError, "The page cannot be rendered; /status has the same as JSON.")
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, err := b.WriteTo(w)
	return err
}

// title says the worst of it, so that it can be read in a tab.
func title(s Status) string {
	for _, st := range s.Stores { // the whole comes first
		if st.Override != nil && st.PartOf == "" {
			return headline(st.State) + ", set by hand · Gatehouse"
		}
		if st.State != "writable" && st.PartOf == "" {
			return headline(st.State) + " · Gatehouse"
		}
		if st.State != "writable" {
			return st.Name + ": " + headline(st.State) + " · Gatehouse"
		}
	}
	if len(s.Degraded) > 0 {
		return "Degrading · Gatehouse"
	}
	if away(s.QuotaStore) {
		return "Quota store away · Gatehouse"
	}
	return "Gatehouse"
}

func floats(n []uint32) []float64 {
	out := make([]float64, len(n))
	for i, v := range n {
		out[i] = float64(v)
	}
	return out
}
