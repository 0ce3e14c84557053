package sim

import (
	"math"
	"slices"
	"strconv"
	"time"
)

// Chart is a drawing of panels one under the other over the same time.
type Chart struct {
	Title  string
	Lines  []string // what there is to see, under the title
	Says   string   // the whole in words, for those who have it read to them
	Length time.Duration
	Tick   time.Duration // between two marks of the time axis
	NameAt time.Duration // the curves' names stand in the order that the curves have at this moment; 0: at the end
	Bands  []Band
	Panels []Panel
}

// Band is a stretch of time that is told apart in every panel.
type Band struct {
	From, To time.Duration
	Name     string
	Shaded   bool
}

// Panel is one figure over time. Panels that are to be compared have the same Top.
type Panel struct {
	Title  string
	Unit   string  // of the vertical axis
	Top    float64 // the largest figure that it can show; a curve is cut there
	Curves []Curve
}

// Curve is one line of a panel.
type Curve struct {
	Name   string
	Tone   int // 0 to 5
	Area   bool
	Dashed bool
	Series Series
}

// The measures of a chart, in pixels where it is shown at its own size.
const (
	wide       = 900.0
	left       = 62.0
	right      = 178.0 // room for the curves' names
	panelHigh  = 112.0
	panelTitle = 40.0 // from a panel's foot to the next one's top
	rowHigh    = 16.0
)

// SVG draws the chart.
func (c Chart) SVG() []byte { return c.draw().Bytes() }

func (c Chart) draw() *svg {
	top := 40 + rowHigh*float64(len(c.Lines)) + 24
	s := &svg{width: wide, height: top + float64(len(c.Panels))*(panelHigh+panelTitle) + 34}
	s.begin(c.Title, c.Says)
	s.text(20, 32, 18, start, "head", c.Title)
	for i, l := range c.Lines {
		s.text(20, 38+rowHigh*float64(i+1), 13, start, "soft", l)
	}
	for i, p := range c.Panels {
		y := top + panelTitle + float64(i)*(panelHigh+panelTitle)
		c.panel(s, p, y, i == 0)
	}
	foot := top + float64(len(c.Panels))*(panelHigh+panelTitle)
	for at := time.Duration(0); at <= c.Length; at += c.Tick {
		s.text(c.x(at), foot+16, 12, middle, "soft", strconv.Itoa(int(at.Seconds())))
	}
	s.text(wide-20, foot+16, 12, end, "soft", "seconds")
	s.end()
	return s
}

// x is where a moment stands.
func (c Chart) x(at time.Duration) float64 {
	return left + (wide-left-right)*at.Seconds()/c.Length.Seconds()
}

// panel draws one, its upper edge at y. The first one names the bands.
func (c Chart) panel(s *svg, p Panel, y float64, first bool) {
	foot := y + panelHigh
	for _, b := range c.Bands {
		upper := y
		if first { // up to the bands' names, which stand over the panel's
			upper -= 42
		}
		if b.Shaded {
			s.rect(c.x(b.From), upper, c.x(b.To)-c.x(b.From), foot-upper, "band")
		}
		if first {
			s.text((c.x(b.From)+c.x(b.To))/2, y-29, 12, middle, "soft", b.Name)
		}
	}
	step := tick(p.Top)
	height := func(v float64) float64 { return foot - panelHigh*min(max(v, 0), p.Top)/p.Top }
	for v := 0.0; v <= p.Top+step/1e6; v += step {
		class := "grid"
		if v == 0 {
			class = "axis"
		}
		s.line(left, height(v), wide-right, height(v), class)
		s.text(left-8, height(v)+4, 12, end, "soft", strconv.FormatFloat(v, 'g', 6, 64))
	}
	for at := c.Tick; at < c.Length; at += c.Tick {
		s.line(c.x(at), foot, c.x(at), foot+4, "axis")
	}
	s.text(left, y-9, 13, start, "head", p.Title)
	s.text(wide-right, y-9, 12, end, "soft", p.Unit)
	for _, curve := range p.Curves {
		c.curve(s, curve, height)
	}
	c.names(s, p, y, height)
}

// curve draws one, in pieces where figures are missing. A figure stands for the step that it ends or fills, and is drawn in its
// middle.
func (c Chart) curve(s *svg, curve Curve, height func(float64) float64) {
	var piece []point
	for i, v := range curve.Series.Values {
		at := time.Duration(i)*curve.Series.Step + curve.Series.Step/2
		if at > c.Length {
			break
		}
		if !math.IsNaN(v) {
			piece = append(piece, point{c.x(at), height(v)})
			continue
		}
		curve.piece(s, piece, height(0))
		piece = nil
	}
	curve.piece(s, piece, height(0))
}

func (c Curve) piece(s *svg, points []point, foot float64) {
	if len(points) == 0 {
		return
	}
	tone := strconv.Itoa(c.Tone)
	if c.Area {
		under := append([]point{{points[0].x, foot}}, points...)
		s.path(append(under, point{points[len(points)-1].x, foot}), "area f"+tone)
	}
	class := "curve s" + tone
	if c.Dashed {
		class += " dashed"
	}
	s.path(points, class)
}

// names writes the curves' names beside the panel, each as near to where its curve ends as the others let it, with a piece of
// the curve before it.
func (c Chart) names(s *svg, p Panel, y float64, height func(float64) float64) {
	type name struct {
		Curve
		y float64
	}
	all := make([]name, 0, len(p.Curves))
	for _, curve := range p.Curves {
		n := name{curve, y + panelHigh}
		until := c.Length
		if c.NameAt > 0 {
			until = c.NameAt
		}
		shown := curve.Series.Values[:min(len(curve.Series.Values), int(until/max(curve.Series.Step, 1)))]
		if i := slices.IndexFunc(shown, math.IsNaN); i > 0 { // it ends before
			shown = shown[:i]
		}
		if len(shown) > 0 && !math.IsNaN(shown[len(shown)-1]) {
			n.y = height(shown[len(shown)-1])
		}
		all = append(all, n)
	}
	slices.SortStableFunc(all, func(a, b name) int { return int(a.y - b.y) })
	const apart = 17.0
	for i := range all { // down from the top, then up from the foot
		all[i].y = max(all[i].y, y+6)
		if i > 0 {
			all[i].y = max(all[i].y, all[i-1].y+apart)
		}
	}
	for i := len(all) - 1; i >= 0; i-- {
		limit := y + panelHigh - 2
		if i < len(all)-1 {
			limit = all[i+1].y - apart
		}
		all[i].y = min(all[i].y, limit)
	}
	for _, n := range all {
		class := "curve s" + strconv.Itoa(n.Tone)
		if n.Dashed {
			class += " dashed"
		}
		s.line(wide-right+8, n.y, wide-right+28, n.y, class)
		s.text(wide-right+33, n.y+4, 12, start, "", n.Name)
	}
}

// tick returns a round distance between the marks of an axis that ends at top: three to six of them.
func tick(top float64) float64 {
	step := math.Pow(10, math.Floor(math.Log10(top)))
	for _, part := range []float64{0.1, 0.2, 0.5, 1, 2} {
		if top/(step*part) <= 5 {
			return step * part
		}
	}
	return 5 * step
}

// roundUp returns the least round figure that is not under the largest of those.
func roundUp(of ...float64) float64 {
	most := slices.Max(of)
	if most <= 0 {
		return 1
	}
	step := tick(most)
	return math.Ceil(most/step) * step
}
