//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "bench reads the kernel's accounting in /proc: it needs Linux")
	os.Exit(1)
}
