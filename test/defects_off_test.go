//go:build !defects

package test

// demanding is whether tests ask for what is known not to hold yet; go test -tags "faults defects" does.
const demanding = false
