package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// Act is a fault and how long it lasts.
type Act struct {
	Fault Fault
	For   time.Duration
}

// Script is a row of acts and the load under which it is played: the same open-loop schedule on both sides, so that a slow
// answer delays nobody else's visit.
type Script struct {
	Acts    []Act
	Rates   [kinds]float64 // visits a second on each side; none of kind Returns, who come of themselves
	Members int            // on each side
}

// usualScript is what -script plays, with the load multiplied by rate: there are so many more members, each no busier.
func usualScript(rate float64) Script {
	const s = time.Second
	script := Script{Members: max(10, int(60*rate)), Acts: []Act{
		{Well, 3 * s}, {ReadOnly, 4 * s}, {Well, 4 * s}, {Full, 4 * s}, {Well, 3 * s}, {Slow, 4 * s}, {Well, 3 * s},
		{Hung, 4 * s}, {Well, 3 * s}, {Away, 3 * s}, {Well, 3 * s}, {Empty, 3 * s},
	}}
	script.Rates = [kinds]float64{Members: 60 * rate, SignIns: 15 * rate, Notes: 5 * rate, Anonymous: 15 * rate, Assets: 15 * rate}
	return script
}

// Event is an act as it was played.
type Event struct {
	Fault     Fault
	At, Until time.Time
}

// Run plays the script on a scene, tells out how it goes, and returns what was seen. It fails where ctx ends, or where the
// store cannot be made to do what the script says.
func (s Script) Run(ctx context.Context, scene *Scene, out io.Writer) (*Report, error) {
	crowds := [sides]*Crowd{
		Without: NewCrowd(Without, scene.Links.Without, s.Members, scene.Store.Holds),
		With:    NewCrowd(With, scene.Links.With, s.Members, scene.Store.Holds),
	}
	var total time.Duration
	for _, a := range s.Acts {
		total += a.For
	}
	fmt.Fprintf(out, "Two crowds of %d members, one behind Gatehouse, one without: the same apps, the same\nstore, the same load for %.0f s.\n\n",
		s.Members, total.Seconds())
	for _, c := range crowds {
		defer c.Close()
		if err := c.SignIn(ctx, scene.Links.Without); err != nil {
			return nil, err
		}
	}
	var book book
	begun := time.Now()
	load, stop := context.WithCancel(ctx)
	var visits sync.WaitGroup
	defer visits.Wait()
	defer stop()
	s.start(load, &visits, func(k Kind, n int) {
		for _, c := range crowds {
			visits.Go(func() { book.write(c.Visit(ctx, k, n)) })
		}
	})
	var events []Event
	for _, a := range s.Acts {
		e, err := s.act(ctx, a, scene.Store, begun, out)
		if err != nil {
			return nil, err
		}
		events = append(events, e)
		io.WriteString(out, book.since(e.At))
	}
	stop()
	visits.Wait()
	return NewReport(book.all(), events), nil
}

// act plays one act to its end.
func (s Script) act(ctx context.Context, a Act, store *Store, begun time.Time, out io.Writer) (Event, error) {
	text, _ := textOf(a.Fault)
	e := Event{Fault: a.Fault, At: time.Now()}
	if err := store.Set(a.Fault); err != nil {
		return e, err
	}
	fmt.Fprintf(out, "%4.0f s %-10s %s\n", e.At.Sub(begun).Seconds(), text.Label, text.Store)
	timer := time.NewTimer(a.For)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return e, ctx.Err()
	case <-timer.C:
	}
	e.Until = time.Now()
	return e, nil
}

// start makes visits by the schedule until ctx ends. visits counts its own goroutines too.
func (s Script) start(ctx context.Context, visits *sync.WaitGroup, visit func(k Kind, n int)) {
	begun := time.Now()
	for k, rate := range s.Rates {
		if rate <= 0 {
			continue
		}
		period := time.Duration(float64(time.Second) / rate)
		visits.Go(func() {
			timer := time.NewTimer(0)
			defer timer.Stop()
			for n := 0; ; n++ {
				// A share of the period apart, so that the kinds do not come all at once.
				timer.Reset(time.Until(begun.Add(period*time.Duration(n) + period*time.Duration(k)/time.Duration(kinds))))
				select {
				case <-ctx.Done():
					return
				case <-timer.C:
				}
				visit(Kind(k), n)
			}
		})
	}
}

// book is where visitors write what they saw. The zero value is empty. Safe for concurrent use.
type book struct {
	mu   sync.Mutex
	seen []Seen
}

func (b *book) write(s Seen) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seen = append(b.seen, s)
}

func (b *book) all() []Seen {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.seen
}

// since tells in a line for each side what was seen since t.
func (b *book) since(t time.Time) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var ok, page, bare, out [sides]int
	for _, s := range b.seen {
		if s.Ended.Before(t) {
			continue
		}
		switch s.Class {
		case OK:
			ok[s.Side]++
		case Page:
			page[s.Side]++
		case Bare:
			bare[s.Side]++
		}
		if s.SignedOut {
			out[s.Side]++
		}
	}
	var text strings.Builder
	for _, side := range [...]Side{Without, With} {
		fmt.Fprintf(&text, "%14s %5d ok %5d pages %5d bare errors %5d signed out\n", side, ok[side], page[side], bare[side], out[side])
	}
	return text.String()
}
