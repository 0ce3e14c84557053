package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// file reads the path of a file. A relative one is taken from the folder of the operator's file, whatever directory the
// program was started in.
func (v value) file(to *string) {
	s, ok := v.text("the path of a file")
	if !ok {
		return
	}
	if strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c == 0x7f }) {
		v.fail("control characters in the path; the path of a file is wanted")
		return
	}
	*to = v.r.beside(s)
}

func (r *reader) beside(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	whole, err := filepath.Abs(filepath.Join(filepath.Dir(r.path), path))
	if err != nil {
		return filepath.Join(filepath.Dir(r.path), path)
	}
	return whole
}

// present reads the path of a file that must be there, and returns what it is as the system has it; nil where that cannot be told.
// A file that may not be looked at is left to whoever opens it: who asks a running Gatehouse how it stands reads this file too, and
// need not be one who may.
func (v value) present(to *string, what string) fs.FileInfo {
	v.file(to)
	if *to == "" {
		return nil
	}
	about, err := os.Stat(*to)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return nil
	case err != nil:
		v.fail("%s cannot be read: %s; %s is wanted", v.shown(), cause(err), what)
		return nil
	case !about.Mode().IsRegular():
		v.fail("%s is no file; %s is wanted", v.shown(), what)
		return nil
	}
	return about
}

// privateKey reads the path of the file with the key of a certificate.
func (v value) privateKey(to *string) {
	if about := v.present(to, "a file with the certificate's key, in PEM,"); about != nil && about.Mode().Perm()&0o004 != 0 {
		v.warn("anybody on this machine can read it, and with it pass for whom the certificate names; mode 0600 is wanted")
	}
}

// folder reads the path of a folder that is there, or will be made.
func (v value) folder(to *string) {
	path := ""
	if v.file(&path); path == "" {
		return
	}
	if about, err := os.Stat(path); err == nil && !about.IsDir() {
		v.fail("%s is no folder; the path of a folder is wanted", v.shown())
		return
	}
	*to = path
}
