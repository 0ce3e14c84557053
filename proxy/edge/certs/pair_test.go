package certs

import (
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestFilesChange writes other pairs over a pair while it is served, half by half and all at once.
func TestFilesChange(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	k, log := keep(t)
	one, two := today(t, "a.test"), today(t, "a.test")
	f := one.file(t, dir, "a")
	commit(t, k, Settings{Files: []File{f}})
	address := listen(t, k.Config(ClientAuth{}, 0, Names{Files: []File{f}}))
	if leaf := shows(address, "a.test"); leaf == nil || !leaf.Equal(one.cert) {
		t.Fatalf("%v is served", leaf)
	}

	write(t, f.CertFile, two.certPEM)
	eventually(t, "the half is noticed", func() bool { return k.Status()[0].Error != "" })
	if leaf := shows(address, "a.test"); leaf == nil || !leaf.Equal(one.cert) {
		t.Errorf("half a pair is served: %v", leaf)
	}
	if _, err := k.Plan(Settings{Files: []File{f}}); err != nil {
		t.Errorf("a reload meanwhile: %v", err)
	}
	time.Sleep(10 * k.pace.look)
	write(t, f.KeyFile, two.keyPEM)
	eventually(t, "the pair is served", func() bool { leaf := shows(address, "a.test"); return leaf != nil && leaf.Equal(two.cert) })
	if s := k.Status()[0]; s.Error != "" || !s.ErrorAt.IsZero() {
		t.Errorf("status %+v", s)
	}
	if n := log.lines("level=ERROR"); n != 1 {
		t.Errorf("half a pair was told %d times:\n%s", n, log)
	}

	// As a symbolic link does that is turned to another folder.
	three := today(t, "a.test")
	next := three.file(t, t.TempDir(), "a")
	for from, to := range map[string]string{next.KeyFile: f.KeyFile, next.CertFile: f.CertFile} {
		if err := os.Symlink(from, to+".new"); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(to+".new", to); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the third is served", func() bool { leaf := shows(address, "a.test"); return leaf != nil && leaf.Equal(three.cert) })
	if err := os.Remove(f.KeyFile); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the loss is told", func() bool { return strings.Contains(k.Status()[0].Error, "no such file") })
	if leaf := shows(address, "a.test"); leaf == nil || !leaf.Equal(three.cert) {
		t.Error("files that are gone are served no more")
	}
}

// TestBadFiles has every mistake of files said at once, each in a line that says what to do.
func TestBadFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	k, _ := keep(t)
	one, two := today(t, "a.test"), today(t, "b.test")
	good := one.file(t, dir, "good")
	other := two.file(t, dir, "other")
	garbage := filepath.Join(dir, "garbage")
	write(t, garbage, []byte("not PEM"))
	locked := filepath.Join(dir, "locked")
	write(t, locked, pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY", Bytes: []byte{1}}))
	broken := filepath.Join(dir, "broken")
	write(t, broken, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte{1}}))
	cases := []struct {
		file File
		want []string
	}{
		{File{good.CertFile, other.KeyFile}, []string{other.KeyFile, "not the key of the first certificate in " + good.CertFile, "; want"}},
		{File{filepath.Join(dir, "none"), good.KeyFile}, []string{"none: cannot be read: no such file or directory; want"}},
		{File{good.CertFile, filepath.Join(dir, "none")}, []string{"none: cannot be read: no such file or directory; want"}},
		{File{garbage, good.KeyFile}, []string{"garbage: there is no certificate in it; want"}},
		{File{good.CertFile, garbage}, []string{"garbage: there is no private key in it; want"}},
		{File{good.CertFile, locked}, []string{"locked: the key is encrypted; want"}},
		{File{broken, good.KeyFile}, []string{"broken: the first certificate in it cannot be read", "; want"}},
		{File{good.KeyFile, good.CertFile}, []string{"there is no certificate in it"}},
	}
	all := Settings{Files: []File{good}, Clients: []ClientAuth{{garbage, true}, {garbage, false}, {}}}
	for _, c := range cases {
		all.Files = append(all.Files, c.file)
	}
	_, err := k.Plan(all)
	if err == nil {
		t.Fatal("no mistake was found")
	}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != len(cases)+1 {
		t.Fatalf("%d lines for %d mistakes:\n%v", len(lines), len(cases)+1, err)
	}
	for i, c := range cases {
		for _, want := range c.want {
			if !strings.Contains(lines[i], want) {
				t.Errorf("%q lacks %q", lines[i], want)
			}
		}
	}
	if len(k.Status()) != 0 {
		t.Error("a Plan that failed has changed something")
	}
}

// TestOldFile serves a certificate that has expired, with a warning.
func TestOldFile(t *testing.T) {
	t.Parallel()
	k, log := keep(t)
	now := time.Now()
	dir := t.TempDir()
	old := mint(t, nil, now.Add(-48*time.Hour), now.Add(-24*time.Hour), "old.test")
	ends := mint(t, nil, now.Add(-time.Hour), now.Add(2*time.Second), "ends.test")
	files := []File{old.file(t, dir, "old"), ends.file(t, dir, "ends"), mint(t, nil, now, now.Add(time.Hour*999)).file(t, dir, "nameless")}
	warnings := commit(t, k, Settings{Files: files})
	for i, want := range []string{"old.pem: the certificate expired", "ends.pem: the certificate expires at", "nameless.pem: the certificate has no names"} {
		if i >= len(warnings) || !strings.Contains(warnings[i], want) {
			t.Errorf("%q in %q", want, warnings)
		}
	}
	address := listen(t, k.Config(ClientAuth{}, 0, Names{Files: files}))
	if leaf := shows(address, "old.test"); leaf == nil || !leaf.Equal(old.cert) {
		t.Errorf("%v is served", leaf)
	}
	eventually(t, "the end is told", func() bool { return log.lines("ends.test") > 0 })
	time.Sleep(10 * k.pace.look)
	if n := log.lines("expired at"); n != 1 {
		t.Errorf("told %d times:\n%s", n, log)
	}
	if s := k.Status(); !strings.Contains(s[0].Error, "expired") || !strings.Contains(s[1].Error, "expired") {
		t.Errorf("status %+v", s)
	}
}

// FuzzPair reads what a stranger may have put into the files.
func FuzzPair(f *testing.F) {
	f.Add([]byte("-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"), []byte("-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n"))
	f.Add([]byte(""), []byte("x"))
	f.Fuzz(func(t *testing.T, cert, key []byte) {
		dir := t.TempDir()
		where := File{filepath.Join(dir, "c"), filepath.Join(dir, "k")}
		write(t, where.CertFile, cert)
		write(t, where.KeyFile, key)
		if c, err := read(where); err == nil && c.Leaf == nil {
			t.Error("a certificate without a leaf")
		} else if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("more than a line: %q", err)
		}
	})
}
