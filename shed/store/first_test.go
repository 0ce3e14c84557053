package store

import (
	"context"
	"testing"
	"testing/synctest"

	"gatehouse/shed"
)

// finding is a Prober that says nothing of the store: it finds out which parts there are.
type finding struct {
	*script
	found func()
}

func (f *finding) Probe(context.Context, int) Evidence {
	f.found()
	return Evidence{}
}

func TestWhatFindsThePartsIsNoFirstVerdict(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := cast(t, together(0))
		first := true
		tr.f.parts = []Part{{Name: "cluster", Prober: &finding{&script{t: t}, func() {
			if first {
				first = false
				tr.f.play(tr.part(t, "a", good))
			}
		}}}}
		tr.Group = NewGroup(tr.f, together(0), tr.note)
		tr.Start()
		defer tr.Close()
		if v := tr.First(t.Context()); v.State != shed.Writable || v.Late {
			t.Errorf("the first verdict is %v (%v)", v.State, v.Cause)
		}
	})
}
