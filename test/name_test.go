package test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// names stands for the resolver of a program: what the names of one domain lead to lies in a file. The program is told by
// having its libc's getaddrinfo answered by ours; nothing of the machine's is touched.
type names struct {
	t      *testing.T
	answer string // the file that holds the address
	lib    string
}

const resolver = `
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **res) {
	int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) = dlsym(RTLD_NEXT, "getaddrinfo");
	char address[64] = "";
	size_t n = node ? strlen(node) : 0;
	if (n > 0 && node[n-1] == '.') n--;
	if (n == strlen("store.test") && strncmp(node, "store.test", n) == 0) {
		FILE *f = fopen(getenv("STORE_TEST"), "r");
		if (!f) return EAI_FAIL;
		int got = fscanf(f, "%63s", address);
		fclose(f);
		if (got != 1) return EAI_NONAME;
		node = address;
	}
	return real(node, service, hints, res);
}
`

// newNames has store.test lead to that address.
func newNames(t *testing.T, address string) *names {
	t.Helper()
	dir := t.TempDir()
	n := &names{t: t, answer: filepath.Join(dir, "answer"), lib: filepath.Join(dir, "names.so")}
	writeFile(t, filepath.Join(dir, "names.c"), resolver)
	if out, err := exec.Command("cc", "-shared", "-fPIC", "-o", n.lib, filepath.Join(dir, "names.c"), "-ldl").CombinedOutput(); err != nil {
		t.Fatalf("cc: %v\n%s", err, out)
	}
	n.lead(address)
	return n
}

// lead has the name lead elsewhere from now on.
func (n *names) lead(address string) {
	n.t.Helper()
	next := n.answer + ".next"
	writeFile(n.t, next, address+"\n")
	if err := os.Rename(next, n.answer); err != nil {
		n.t.Fatal(err)
	}
}

// environment is what a program needs to ask this resolver: libc's, which Go's own is told to leave the matter to.
func (n *names) environment() []string {
	return []string{"LD_PRELOAD=" + n.lib, "STORE_TEST=" + n.answer, "GODEBUG=netdns=cgo"}
}

// nameFlips has the name of the store lead to another node, which is still somebody's replica. The old one goes on answering,
// and taking writes that nobody will ever read.
func nameFlips() *scenario {
	var n *names
	var after *redisServer
	return &scenario{
		name: "name leads elsewhere", quick: true, causes: []string{"read_only"}, state: "read-only",
		first: 2 * time.Second, again: 3 * time.Second, reads: true,
		honest: "the app keeps to the node it knows; it fails where the node that was left is still believed",
		prepare: func(st *stage) {
			after = startRedisAt(st.t, "127.0.0.2", st.store.port)
			after.do("REPLICAOF", "127.0.0.1", "9")
			n = newNames(st.t, "127.0.0.1")
			st.environment = n.environment()
		},
		site:   func(s *site) { s.store = "store.test:" + after.port },
		breaks: func(*stage) { n.lead("127.0.0.2") },
		mend:   func(*stage) { n.lead("127.0.0.1") },
		check: func(t *testing.T, st *stage, _ seen) {
			if !st.store.probed() {
				t.Error("the old node was never asked: the name was not ours")
			}
		},
	}
}
