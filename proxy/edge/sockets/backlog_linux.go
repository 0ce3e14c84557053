package sockets

import "syscall"

// turnAway has the kernel drop, unanswered, whoever asks for a new connection from now on, and reports whether it does. Those whose
// handshake has begun get through. Who is turned away asks again after a second, and finds the socket closed.
//
// Without it, somebody could get into the backlog between the last look into it and the end of the socket, and be reset.
func turnAway(fd uintptr) bool {
	const flags, synAck, syn = 13, 0x12, 0x02 // RFC 9293 section 3.1
	//lint:ignore SA1019 nothing else in the standard library sets a filter
	return syscall.AttachLsf(int(fd), []syscall.SockFilter{
		{Code: syscall.BPF_LD | syscall.BPF_B | syscall.BPF_ABS, K: flags},
		{Code: syscall.BPF_ALU | syscall.BPF_AND | syscall.BPF_K, K: synAck},
		{Code: syscall.BPF_JMP | syscall.BPF_JEQ | syscall.BPF_K, K: syn, Jf: 1},
		{Code: syscall.BPF_RET | syscall.BPF_K, K: 0},
		{Code: syscall.BPF_RET | syscall.BPF_K, K: 1 << 18},
	}) == nil
}
