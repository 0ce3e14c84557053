package sim

import (
	"fmt"
	"time"

	"gatehouse/shed"
)

// drawn is the step of the curves of an overload.
const drawn = 3 * time.Second

// Chart draws both runs of the overload.
func (o Overload) Chart(with, without *OverloadTrace) Chart {
	took := func(t *OverloadTrace) Series { return t.Classes[shed.SignIn].Took.Quantiles(0.95, o.Long(), drawn) }
	top, queue := roundUp(with.goodput(o.Long()).Max(), without.goodput(o.Long()).Max()), roundUp(with.Queued.Max(), without.Queued.Max())
	late := roundUp(took(with).Max(), took(without).Max())
	w, wo := o.Figures(with, 3), o.Figures(without, 3)
	return Chart{
		Title: "A pool that is asked for three times what it can do",
		Lines: []string{
			fmt.Sprintf("It can do %.0f requests a second. Visitors of all classes wait one to two seconds for an answer, and "+
				"then go away.", o.Capacity),
			fmt.Sprintf("At three times that, Gatehouse's gate serves %s of the sign-ins, 95 of 100 within %d ms; the least "+
				"class pays first.",
				percent(w.Served[shed.SignIn]), w.P95[shed.SignIn].Milliseconds()),
			fmt.Sprintf("Behind a plain queue, in which whoever came first goes first, it is %s, within %d ms.",
				percent(wo.Served[shed.SignIn]), wo.P95[shed.SignIn].Milliseconds()),
		},
		Says: "Time series of a simulation behind Gatehouse's gate above and behind a plain queue below, on the same scales. " +
			"Behind the gate sign-ins are all served " +
			"at every load and no class gets nothing; behind the plain queue every class is served equally little, after a long wait.",
		Length: o.Long(), Tick: o.Each, NameAt: 4 * o.Each, Bands: o.bands(),
		Panels: []Panel{
			{"Answered while the visitor was there, of each class, behind the gate", "of 100", 100, with.classes(o.Long())},
			{"Answered while the visitor was there, of each class, behind a plain queue", "of 100", 100, without.classes(o.Long())},
			{"Answered while the visitor was there, all together", "requests a second", top, []Curve{
				{Name: "the gate", Tone: 1, Series: with.goodput(o.Long())},
				{Name: "a plain queue", Tone: 5, Dashed: true, Series: without.goodput(o.Long())}}},
			{"95 of 100 sign-ins were answered within", "seconds", late, []Curve{
				{Name: "the gate", Tone: 1, Series: took(with)}, {Name: "a plain queue", Tone: 5, Dashed: true, Series: took(without)}}},
			{"Requests that queue", "requests", queue, []Curve{
				{Name: "the gate", Tone: 1, Series: with.Queued}, {Name: "a plain queue", Tone: 5, Dashed: true, Series: without.Queued}}},
		},
	}
}

// Chart draws both runs of the overload of a pool whose limit nobody set.
func (a Adaptive) Chart(with, without *OverloadTrace) Chart {
	w, wo := a.Figures(with, 3), a.Figures(without, 3)
	took := func(t *OverloadTrace) Series { return t.Classes[shed.SignIn].Took.Quantiles(0.95, a.Long(), drawn) }
	signIns := func(t *OverloadTrace) Series { return t.classes(a.Long())[shed.SignIn].Series }
	both := func(of func(*OverloadTrace) Series) []Curve {
		return []Curve{{Name: "adaptive limit", Series: of(with)}, {Name: "no limit", Tone: 1, Dashed: true, Series: of(without)}}
	}
	cores := Series{Step: time.Second}
	for range with.Limit.Values {
		cores.Values = append(cores.Values, float64(a.Limit))
	}
	top := func(of func(*OverloadTrace) Series) float64 { return roundUp(of(with).Max(), of(without).Max()) }
	goodput := func(t *OverloadTrace) Series { return t.goodput(a.Long()) }
	return Chart{
		Title: "The same overload, of a pool whose capacity nobody wrote down",
		Lines: []string{
			fmt.Sprintf("%d cores that everything in work shares: %.0f requests a second. Gatehouse finds the limit by "+
				"itself.", a.Limit, a.Capacity),
			fmt.Sprintf("At three times that, %s of the capacity come to something, and %s of the sign-ins are served, 95 of "+
				"100 within %d ms.",
				percent(w.Goodput), percent(w.Served[shed.SignIn]), w.P95[shed.SignIn].Milliseconds()),
			fmt.Sprintf("Without a limit it is %s of the capacity, and it stays so when the load has gone back: everything "+
				"takes too long.",
				percent(wo.Goodput)),
		},
		Says: "Time series of a simulation with an adaptive limit and without a limit, on the same scales. With it the pool " +
			"stays as useful as it can be; without it " +
			"nothing is answered in time from the first overload on.",
		Length: a.Long(), Tick: a.Each, NameAt: 4 * a.Each, Bands: a.bands(),
		Panels: []Panel{
			{"Answered while the visitor was there, all together", "requests a second", top(goodput), both(goodput)},
			{"Sign-ins answered while the visitor was there", "of 100", 100, both(signIns)},
			{"95 of 100 sign-ins were answered within", "seconds", top(took), both(took)},
			{"The limit", "requests at once", roundUp(with.Limit.Max()), []Curve{
				{Name: "adaptive limit", Series: with.Limit}, {Name: "cores", Tone: 5, Dashed: true, Series: cores}}},
		},
	}
}

// bands tells the steps apart.
func (o Overload) bands() (all []Band) {
	for i, asked := range o.Steps {
		all = append(all, Band{time.Duration(i) * o.Each, time.Duration(i+1) * o.Each, fmt.Sprintf("asked for %g×", asked), i%2 == 1})
	}
	return all
}

// classes is which part of each class was answered in time, of 100.
func (t *OverloadTrace) classes(long time.Duration) (curves []Curve) {
	words := [shed.NumClasses]string{"members", "sign-ins", "unproved", "anonymous", "background"}
	for _, c := range shed.Classes {
		s := Series{Step: drawn}
		for at := time.Duration(0); at < long; at += drawn {
			s.Values = append(s.Values, 100*t.Classes[c].Served(at, at+drawn))
		}
		curves = append(curves, Curve{Name: words[c], Tone: int(c), Series: s})
	}
	return curves
}

// goodput is how many requests were answered in time, of all classes, a second.
func (t *OverloadTrace) goodput(long time.Duration) Series {
	s := t.Classes[0].Done.PerSecond(long, drawn)
	for _, c := range shed.Classes[1:] {
		for i, v := range t.Classes[c].Done.PerSecond(long, drawn).Values {
			s.Values[i] += v
		}
	}
	return s
}
