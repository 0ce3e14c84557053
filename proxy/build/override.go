package build

import (
	"errors"

	"gatehouse/shed/store"
)

// ErrNoStore is what Override and EndOverride return where there is nothing to override.
var ErrNoStore = errors.New("the file names no session store, so there is nothing to override")

// Override has o acted on, in place of an earlier one. Anybody may call it. It survives a reload.
func (l *Living) Override(o store.Override) error {
	m := l.monitor()
	if m == nil {
		return ErrNoStore
	}
	return m.Override(o)
}

// EndOverride ends the override that is in force, if one is; by is who says so. Anybody may call it.
func (l *Living) EndOverride(by string) error {
	m := l.monitor()
	if m == nil {
		return ErrNoStore
	}
	m.EndOverride(by)
	return nil
}

// monitor returns what exchanges ask of the whole store; nil where there is none.
func (l *Living) monitor() watched {
	if rt := l.Handler.Live(); rt != nil && len(rt.Stores) > 0 {
		return rt.Stores[0].Monitor.(watched)
	}
	return nil
}
