//go:build !faults

package test

// everyFault is false where only the quick scenarios run; make faults runs all, by the build tag faults.
const everyFault = false
