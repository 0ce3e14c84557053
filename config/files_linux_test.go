package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
)

// TestFilesOutOfSight leaves a file that may not be looked at to whoever opens it. It is read as somebody who is nobody, whom, other
// than root, a folder can shut out.
func TestFilesOutOfSight(t *testing.T) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "closed"), 0o000); err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(minimal, `":8080"`, `":443", tls: {certificates: [{cert_file: closed/a.pem, key_file: closed/a.pem}]}`, 1)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if os.Getuid() == 0 {
		const nobody = 65534
		if err := syscall.Setfsuid(nobody); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = syscall.Setfsuid(0) }()
	}
	if _, err := os.Stat(filepath.Join(dir, "closed", "a.pem")); !errors.Is(err, fs.ErrPermission) {
		t.Fatalf("%v; want a file that may not be looked at", err)
	}
	if _, err := Parse(filepath.Join(dir, "test.yaml"), []byte(text)); err != nil {
		t.Error(err)
	}
}
