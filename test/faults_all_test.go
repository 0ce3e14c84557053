//go:build faults

package test

// everyFault has TestFaults run every scenario there is.
const everyFault = true
