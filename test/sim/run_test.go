package sim

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"
)

// folder is where the drawings go. Without it they are made, and looked at by the tests, but not kept.
var folder = flag.String("draw", "", "write each simulation's drawing into this folder")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// inVirtualTime runs both, one after the other, each in a bubble of its own.
func inVirtualTime[T any](t *testing.T, protected, unprotected func() T) (with, without T) {
	t.Helper()
	synctest.Test(t, func(*testing.T) { with = protected() })
	synctest.Test(t, func(*testing.T) { without = unprotected() })
	return with, without
}

// draw makes the drawing, looks whether it can be read, and keeps it where the flag says.
func draw(t *testing.T, name string, c Chart) {
	t.Helper()
	looksRight(t, c)
	if *folder == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(*folder, name+".svg"), c.SVG(), 0o644); err != nil {
		t.Error(err)
	}
}

// TestARunRepeatsItself: the same seed, the same figures. The Line draws waits by chance, so that no run with it does.
func TestARunRepeatsItself(t *testing.T) {
	o := TheOverload()
	first, second := inVirtualTime(t, o.Protected, o.Protected)
	for step := range o.Steps {
		if a, b := o.Figures(first, step), o.Figures(second, step); a != b {
			t.Errorf("step %d: %+v, and the second time %+v", step, a, b)
		}
	}
}
