package test

import (
	"fmt"
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

// TestANameThatLeadsElsewhereIsFollowed: a managed store fails over by its name. The old node goes on answering, and taking
// writes that nobody will ever read, and is left all the same.
func TestANameThatLeadsElsewhereIsFollowed(t *testing.T) {
	t.Parallel()
	before := startRedis(t)
	after := startRedisAt(t, "127.0.0.2", before.port)
	n := newNames(t, "127.0.0.1")
	a := startApp(t, before.address(), ordinary)
	s := site{backend: a.URL, store: "store.test:" + before.port}
	g := startGatehouseIn(t, n.environment(), s.text())
	if got := g.storeState(t); got != "writable" {
		t.Fatalf("the store is %s: %s", got, g.log())
	}
	if !before.probed() {
		t.Fatal("the old node is not asked: the name is not ours")
	}
	flipped := time.Now()
	n.lead("127.0.0.2")
	eventually(t, 2*time.Second*slack, "the new node is asked", after.probed)
	took := time.Since(flipped)
	fmt.Printf("DNS flip: followed after %d ms (promised: 2000)\n", took.Milliseconds())
	after.do("REPLICAOF", "127.0.0.1", "9")
	eventually(t, patience, "the new node's trouble is seen", func() bool { return g.storeState(t) == "read-only" })
	after.do("REPLICAOF", "NO", "ONE")
	eventually(t, patience, "and its end", func() bool { return g.storeState(t) == "writable" })
}
