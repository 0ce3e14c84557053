package sim

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strings"
)

// svg writes an SVG and remembers where its texts stand, so that a test can see that none covers another.
type svg struct {
	bytes.Buffer
	width, height float64
	texts         []box
}

// box is the room that a text takes, by an estimate.
type box struct {
	x0, y0, x1, y1 float64
	words          string
}

// style is light and dark by the reader's own setting. GitHub shows an SVG as an image, in which the setting of the browser
// counts and not the page's, so that the drawing has a ground of its own. Colours are told apart by the colour-blind, and every
// curve's name stands beside it.
const style = `
svg { --ground:#ffffff; --ink:#1f2328; --soft:#59636e; --grid:#e4e8ec; --band:#eef1f4;
      --c0:#0969da; --c1:#bc4c00; --c2:#1a7f37; --c3:#8250df; --c4:#cf222e; --c5:#59636e; }
@media (prefers-color-scheme: dark) { svg {
      --ground:#0d1117; --ink:#e6edf3; --soft:#9198a1; --grid:#262c34; --band:#1a2029;
      --c0:#58a6ff; --c1:#f0883e; --c2:#3fb950; --c3:#bc8cff; --c4:#ff7b72; --c5:#9198a1; } }
text { font-family: system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: var(--ink); }
.head { font-weight: 600; } .soft { fill: var(--soft); }
.ground { fill: var(--ground); } .band { fill: var(--band); } .grid { stroke: var(--grid); } .axis { stroke: var(--soft); }
.curve { fill: none; stroke-width: 1.8; stroke-linejoin: round; } .dashed { stroke-dasharray: 5 4; }
.area { stroke: none; opacity: .28; }
.s0 { stroke: var(--c0); } .s1 { stroke: var(--c1); } .s2 { stroke: var(--c2); }
.s3 { stroke: var(--c3); } .s4 { stroke: var(--c4); } .s5 { stroke: var(--c5); }
.f0 { fill: var(--c0); } .f1 { fill: var(--c1); } .f2 { fill: var(--c2); }
.f3 { fill: var(--c3); } .f4 { fill: var(--c4); } .f5 { fill: var(--c5); }
`

// begin writes the head: what the drawing is, in a line and in a paragraph, for those who have it read to them.
func (s *svg) begin(title, says string) {
	fmt.Fprintf(s, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g" width="%g" height="%g" role="img" `+
		`aria-labelledby="title says">`+"\n",
		s.width, s.height, s.width, s.height)
	fmt.Fprintf(s, "<title id=\"title\">%s</title>\n<desc id=\"says\">%s</desc>\n<style>%s</style>\n",
		escaped(title), escaped(says), style)
	fmt.Fprintf(s, `<rect class="ground" width="%g" height="%g" rx="6"/>`+"\n", s.width, s.height)
}

func (s *svg) end() { s.WriteString("</svg>\n") }

// Where a text stands by its point.
const (
	start  = "start"
	middle = "middle"
	end    = "end"
)

// text writes words with the foot of their line at (x, y).
func (s *svg) text(x, y, size float64, anchor, class, words string) {
	fmt.Fprintf(s, `<text x="%.1f" y="%.1f" font-size="%g" text-anchor="%s" class="%s">%s</text>`+"\n",
		x, y, size, anchor, class, escaped(words))
	wide := float64(len([]rune(words))) * size * 0.53
	switch anchor {
	case middle:
		x -= wide / 2
	case end:
		x -= wide
	}
	s.texts = append(s.texts, box{x, y - 0.8*size, x + wide, y + 0.2*size, words})
}

// line writes a straight line.
func (s *svg) line(x0, y0, x1, y1 float64, class string) {
	fmt.Fprintf(s, `<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" class="%s"/>`+"\n", x0, y0, x1, y1, class)
}

// rect writes a rectangle.
func (s *svg) rect(x, y, wide, high float64, class string) {
	fmt.Fprintf(s, `<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" class="%s"/>`+"\n", x, y, wide, high, class)
}

// path writes a line through points.
func (s *svg) path(points []point, class string) {
	var d strings.Builder
	for i, p := range points {
		verb := byte('L')
		if i == 0 {
			verb = 'M'
		}
		fmt.Fprintf(&d, "%c%.1f %.1f", verb, p.x, p.y)
	}
	fmt.Fprintf(s, `<path d="%s" class="%s"/>`+"\n", d.String(), class)
}

type point struct{ x, y float64 }

func escaped(words string) string {
	var b strings.Builder
	if err := xml.EscapeText(&b, []byte(words)); err != nil {
		return ""
	}
	return b.String()
}
