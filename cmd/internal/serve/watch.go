package serve

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// settle is how long a folder must be quiet before its file is read: editors and volume managers write in several steps.
const settle = 200 * time.Millisecond

// look is how often the file is looked at where nothing was heard: some file systems tell nothing.
const look = 5 * time.Second

// watch tells when the operator's file may have changed. It watches folders and not the file: a file that is replaced, or
// reached through a symlink that is swapped (as Kubernetes does with a ConfigMap), is another file afterwards.
type watch struct {
	path    string
	changed chan struct{} // one element: it may have changed, come and look
	quit    chan struct{}
	done    chan struct{}
}

// newWatch starts to watch. Its error means that only the slow look is left; the watch works all the same.
func newWatch(path string) (*watch, error) {
	w := &watch{path: path, changed: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{})}
	heard, err := fsnotify.NewWatcher()
	if err == nil {
		err = heard.Add(filepath.Dir(path))
	}
	if real, e := filepath.EvalSymlinks(path); e == nil && heard != nil && filepath.Dir(real) != filepath.Dir(path) {
		_ = heard.Add(filepath.Dir(real)) // further help, not needed for a swap in the first folder
	}
	go w.run(heard)
	return w, err
}

func (w *watch) run(heard *fsnotify.Watcher) {
	defer close(w.done)
	var events chan fsnotify.Event
	var errs chan error
	if heard != nil {
		defer heard.Close()
		events, errs = heard.Events, heard.Errors
	}
	quiet := time.NewTimer(look)
	defer quiet.Stop()
	var latest time.Time // when to look in any case, however busy the folder is; zero: nothing was heard
	stir := func() {
		if latest.IsZero() {
			latest = time.Now().Add(5 * settle)
		}
		quiet.Reset(min(settle, time.Until(latest)))
	}
	for {
		select {
		case <-w.quit:
			return
		case _, ok := <-events:
			if !ok {
				events = nil
			}
			stir()
		case _, ok := <-errs:
			if !ok {
				errs = nil
			}
			stir()
		case <-quiet.C:
			latest = time.Time{}
			quiet.Reset(look)
			select {
			case w.changed <- struct{}{}:
			default:
			}
		}
	}
}

func (w *watch) close() {
	close(w.quit)
	<-w.done
}

// fingerprint tells a change from a touch: the sums of the operator's file and of the template that it names.
type fingerprint struct{ file, page [sha256.Size]byte }

// sumOf returns the sum of a file; zero where it cannot be read.
func sumOf(path string) (sum [sha256.Size]byte) {
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return sum
	}
	if b, err := os.ReadFile(path); err == nil {
		sum = sha256.Sum256(b)
	}
	return sum
}
