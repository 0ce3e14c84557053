package sim

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

// looksRight fails where the drawing is not XML, has text over text or beyond its edge, or a figure that is none.
func looksRight(t *testing.T, c Chart) {
	t.Helper()
	s := c.draw()
	for dec := xml.NewDecoder(bytes.NewReader(s.Bytes())); ; {
		if _, err := dec.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("%s: %v", c.Title, err)
		}
	}
	if strings.Contains(s.String(), "NaN") || strings.Contains(s.String(), "Inf") {
		t.Errorf("%s: it has a figure that is none", c.Title)
	}
	for i, a := range s.texts {
		if a.x0 < 0 || a.y0 < 0 || a.x1 > s.width || a.y1 > s.height {
			t.Errorf("%s: %q lies beyond the edge", c.Title, a.words)
		}
		for _, b := range s.texts[:i] {
			if a.x0 < b.x1 && b.x0 < a.x1 && a.y0 < b.y1 && b.y0 < a.y1 {
				t.Errorf("%s: %q lies over %q", c.Title, a.words, b.words)
			}
		}
	}
}

func TestNamesOfCurvesThatEndTogetherDoNotMeet(t *testing.T) {
	flat := Series{Step: time.Second, Values: []float64{0, 0, 0}}
	p := Panel{Title: "A panel", Unit: "a second", Top: 10}
	for i, name := range []string{"one & all", "two < three", "three", "four", "five", "six"} {
		p.Curves = append(p.Curves, Curve{Name: name, Tone: i, Series: flat})
	}
	looksRight(t, Chart{Title: "A chart", Says: "of \"nothing\"", Length: 3 * time.Second, Tick: time.Second, Panels: []Panel{p, p}})
}

func TestTicksAreRound(t *testing.T) {
	for top, want := range map[float64]float64{1: 0.2, 3: 1, 8: 2, 60: 20, 100: 20, 550: 200, 2000: 500, 0.4: 0.1} {
		if got := tick(top); got < want*0.999 || got > want*1.001 {
			t.Errorf("an axis to %v has a mark every %v, want %v", top, got, want)
		}
	}
}
