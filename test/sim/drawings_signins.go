package sim

import (
	"fmt"
	"math"
	"time"
)

// Chart draws both runs of the herd.
func (h Herd) Chart(with, without *Trace) Chart {
	const until = 240 * time.Second
	admitted := func(t *Trace) Series { return t.Admitted.PerSecond(until, time.Second) }
	returns := func(t *Trace) Series { return t.Returns.PerSecond(until, time.Second) }
	ramp := Series{Step: time.Second}
	for at := time.Duration(0); at < h.To+h.Ramp.Over; at += time.Second {
		allowed := math.NaN()
		if at >= h.To {
			allowed = h.Allows(at + time.Second/2)
		}
		ramp.Values = append(ramp.Values, allowed)
	}
	w, wo := h.Figures(with), h.Figures(without)
	most := roundUp(admitted(with).Max(), admitted(without).Max(), h.Ramp.To)
	back := roundUp(returns(with).Max(), returns(without).Max())
	outside := roundUp(with.Outside.Max(), without.Outside.Max())
	return Chart{
		Title: "A session store comes back before 5,000 visitors",
		Lines: []string{
			fmt.Sprintf("It was away for %.0f s. Nine in ten come again when they are told to, one in ten asks every second.",
				(h.To - h.From).Seconds()),
			fmt.Sprintf("With the line no second holds more than %s of what the ramp allows, and 99 of 100 sign-ins take %d ms "+
				"(before: %d).",
				percent(w.Excess), w.P99.Milliseconds(), w.Normal.Milliseconds()),
			fmt.Sprintf("Without it all are told to come again in 30 s: %s come in one second, %s are refused after all, and it "+
				"takes %d ms.",
				whole(admitted(without).Max()), whole(float64(wo.Shed)), wo.P99.Milliseconds()),
		},
		Says: fmt.Sprintf("Time series of a simulation with Gatehouse's line above and without it below, on the same scales. "+
			"With it, admissions follow the ramp from "+
			"%.0f to %.0f a second; the busiest second of returns has %.1f times the mean. Without it, admissions jump to %.0f "+
			"in one second, and returns peak at %.1f times the mean.",
			h.Ramp.From, h.Ramp.To, w.PeakToMean, admitted(without).Max(), wo.PeakToMean),
		Length: until, Tick: 30 * time.Second,
		Bands: []Band{{h.From, h.To, "the store is away", true}},
		Panels: []Panel{
			{"Sign-ins admitted, with the line", "a second", most, []Curve{
				{Name: "admitted", Area: true, Series: admitted(with)}, {Name: "the ramp", Tone: 5, Dashed: true, Series: ramp}}},
			{"Sign-ins admitted, without", "a second", most, []Curve{
				{Name: "admitted", Tone: 1, Area: true, Series: admitted(without)}, {Name: "the ramp", Tone: 5, Dashed: true, Series: ramp}}},
			{"Visitors who come again, as they were told, with the line", "a second", back, []Curve{
				{Name: "come again", Area: true, Series: returns(with)}}},
			{"Visitors who come again, without", "a second", back, []Curve{
				{Name: "come again", Tone: 1, Area: true, Series: returns(without)}}},
			{"Visitors who are not signed in yet", "visitors", outside, []Curve{
				{Name: "with the line", Series: with.Outside}, {Name: "without", Tone: 1, Dashed: true, Series: without.Outside}}},
		},
	}
}

// Chart draws both runs of the metastable case.
func (m Metastable) Chart(with, without *Trace) Chart {
	const step = 5 * time.Second
	rate := func(x *Moments) Series { return x.PerSecond(m.Length, step) }
	w, wo := m.Figures(with), m.Figures(without)
	top := roundUp(rate(&without.Admitted).Max(), rate(&with.Admitted).Max())
	busy := roundUp(with.Busy.Max(), without.Busy.Max())
	sides := func(t *Trace, tone int) []Curve {
		return []Curve{
			{Name: "signed in", Tone: tone, Area: true, Series: rate(&t.Done)},
			{Name: "sent to the servers", Tone: 5, Dashed: true, Series: rate(&t.Admitted)},
		}
	}
	return Chart{
		Title: "An outage of 30 seconds, and retries",
		Lines: []string{
			fmt.Sprintf("%.0f visitors a second want to sign in, the servers can do 60; who gets no answer within 3 s tries "+
				"again, up to %d times.", m.Calm, m.Tries),
			fmt.Sprintf("With Gatehouse the site is in order after %.0f s, the last who came meanwhile is in after %.0f s, "+
				"nobody waits after %.0f s.",
				w.Back.Seconds(), w.Cleared.Seconds(), w.Drained.Seconds()),
			fmt.Sprintf("Without it the servers only work for visitors who have gone: ten minutes later %s of those who come "+
				"get in.", percent(wo.Last)),
		},
		Says: fmt.Sprintf("Time series of a simulation with Gatehouse above and without it below, on the same scales. With "+
			"Gatehouse sign-ins return to %.0f a second "+
			"within %.0f seconds. Without it retries keep the login servers saturated and hardly anybody is signed in until the end.",
			m.Calm, w.Back.Seconds()),
		Length: m.Length, Tick: time.Minute,
		Bands: []Band{{m.From, m.To, "store away", true}},
		Panels: []Panel{
			{"Sign-ins, with Gatehouse", "a second", top, sides(with, 0)},
			{"Sign-ins, without", "a second", top, sides(without, 1)},
			{"Sign-ins that the login servers have taken on", "sign-ins", busy, []Curve{
				{Name: "with Gatehouse", Series: with.Busy}, {Name: "without", Tone: 1, Series: without.Busy}}},
			{"Visitors who want to sign in and are not", "visitors", roundUp(with.Outside.Max(), without.Outside.Max()), []Curve{
				{Name: "with Gatehouse", Series: with.Outside}, {Name: "without", Tone: 1, Series: without.Outside}}},
		},
	}
}

func percent(part float64) string { return fmt.Sprintf("%.0f %%", part*100) }

// whole is a figure without its fraction, its thousands set apart.
func whole(v float64) string {
	n := int(math.Round(v))
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", whole(float64(n/1000)), n%1000)
}
