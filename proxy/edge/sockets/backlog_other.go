//go:build !linux

package sockets

// turnAway cannot be done here: somebody may still get into a backlog in the moment in which it is closed.
func turnAway(uintptr) bool { return false }
