// Package sockets knows where listening sockets come from, and to whom they go.
//
//	the service manager ──┐ handed down at the start (systemd socket activation)
//	the process before ───┼──> Sockets ── Listen ──> a listener that can be left to somebody else
//	the kernel ───────────┘ opened here    │
//	                                       └── Takeover ──> the process after this one
//
// A takeover begins in the process that serves. It starts its own program anew, which may be another one by now, and gives it
// every listening socket that it has. Until the new process says that it serves everything, nothing has changed: where it fails,
// says why, hangs or dies, the old one goes on. Once it does, the old one accepts nobody any more. Both hold the same sockets, not
// two on the same address, so whoever is in the backlog is taken by the new process, and nobody meets a closed one.
//
// Why not cloudflare/tableflip, whose protocol this follows: it keeps a copy of each listener that it has ever seen, so that one
// that a reload dropped would stay open with nobody to accept; it removes the files of Unix sockets that the new process does not
// want, also those that are the service manager's; it allows one Upgrader in a process, and no takeover before the last one's
// process has ended, which is as long as a visitor's tunnel lasts.
package sockets
