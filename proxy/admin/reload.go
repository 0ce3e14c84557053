package admin

import (
	"net/http"
	"strings"
)

// reloaded is what POST /reload answers in JSON.
type reloaded struct {
	OK       bool     `json:"ok"`
	Mistakes []string `json:"mistakes,omitempty"` // what kept the file from going live
	Warnings []string `json:"warnings,omitempty"` // of the file that went live
	Sum      string   `json:"sha256"`             // of the file in force now
}

// reload loads the file again and says what came of it: as JSON, or as text to who prefers it, such as a form without a
// script.
func (h *handler) reload(w http.ResponseWriter, r *http.Request) {
	err := h.set.Source.Reload(r.Context())
	c := h.set.Source.Status().Config
	out, code := reloaded{OK: err == nil, Sum: c.Sum}, http.StatusOK
	if err != nil {
		out.Mistakes, code = lines(err.Error()), http.StatusUnprocessableEntity
	} else {
		out.Warnings = c.Warnings
	}
	if !wantsText(r) {
		answerJSON(w, code, out)
		return
	}
	text := "The file was loaded."
	if len(out.Warnings) > 0 {
		text += "\n" + strings.Join(out.Warnings, "\n")
	}
	if !out.OK {
		text = "The file was not loaded; the last good one stays in force.\n" + strings.Join(out.Mistakes, "\n")
	}
	say(w, code, text)
}

// lines takes a text apart, without empty lines.
func lines(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}
