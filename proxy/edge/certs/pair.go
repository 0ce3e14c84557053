package certs

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// pair is a certificate of files as it was last found good. Only the Keeper's watch changes it, under the Keeper's mu.
type pair struct {
	file    File
	cert    *tls.Certificate // with its Leaf
	stamp   stamp            // of the files when they were last read
	problem string           // why what is there now cannot be used; cert is from before
	since   time.Time        // of problem
	warned  string           // what was last said of its dates
}

// stamp is how a change of the files is seen without reading them.
type stamp struct {
	cert, key mark
	young     bool // changed so lately that another change might look the same
}

type mark struct {
	at   time.Time
	size int64
}

// settles is how long after a change a file's time of change cannot be trusted to show another one: no file system that
// certificates live on counts in larger steps.
const settles = 2 * time.Second

// stampOf looks at the files. The zero stamp stands for what cannot be looked at, and is never equal to another.
func stampOf(f File) stamp {
	var s stamp
	for _, one := range []struct {
		path string
		into *mark
	}{{f.CertFile, &s.cert}, {f.KeyFile, &s.key}} {
		info, err := os.Stat(one.path)
		if err != nil {
			return stamp{}
		}
		*one.into = mark{info.ModTime(), info.Size()}
		s.young = s.young || time.Since(info.ModTime()) < settles
	}
	return s
}

// same reports whether the files are those that were read at other.
func (s stamp) same(other stamp) bool {
	return !other.young && s.cert == other.cert && s.key == other.key && s != stamp{}
}

var (
	errNoCertificate = errors.New("there is no certificate in it; want PEM, -----BEGIN CERTIFICATE-----, the leaf first and its intermediates behind it")
	errNoKey         = errors.New("there is no private key in it; want PEM, -----BEGIN PRIVATE KEY-----")
	errEncrypted     = errors.New("the key is encrypted; want one without a passphrase (openssl pkey -in it -out another), readable by Gatehouse alone")
)

// read reads a pair. Its error is one line that says what to do.
func read(f File) (*tls.Certificate, error) {
	certPEM, err := os.ReadFile(f.CertFile)
	if err != nil {
		return nil, unreadable(f.CertFile, err)
	}
	keyPEM, err := os.ReadFile(f.KeyFile)
	if err != nil {
		return nil, unreadable(f.KeyFile, err)
	}
	if _, err := firstCertificate(certPEM); err != nil {
		return nil, fmt.Errorf("%s: %w", f.CertFile, err)
	}
	if err := looksLikeKey(keyPEM); err != nil {
		return nil, fmt.Errorf("%s: %w", f.KeyFile, err)
	}
	cert, err := tls.X509KeyPair(certPEM, keyPEM)
	switch {
	case err == nil:
		return &cert, nil
	case strings.Contains(err.Error(), "does not match"):
		return nil, fmt.Errorf("%s: this is not the key of the first certificate in %s; want the two files that were made together, the leaf before its intermediates",
			f.KeyFile, f.CertFile)
	default:
		return nil, fmt.Errorf("%s with %s: %w; want a certificate and its key as their authority gave them", f.CertFile, f.KeyFile, err)
	}
}

func unreadable(path string, err error) error {
	if inner := (*os.PathError)(nil); errors.As(err, &inner) {
		err = inner.Err
	}
	return fmt.Errorf("%s: cannot be read: %w; want a PEM file that Gatehouse's user may read", path, err)
}

func firstCertificate(data []byte) (*x509.Certificate, error) {
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			cert, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return nil, fmt.Errorf("the first certificate in it cannot be read: %w; want it as its authority gave it", err)
			}
			return cert, nil
		}
	}
	return nil, errNoCertificate
}

func looksLikeKey(data []byte) error {
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "" {
			return errEncrypted
		}
		if strings.HasSuffix(block.Type, "PRIVATE KEY") {
			return nil
		}
	}
	return errNoKey
}

// pool reads the authorities of a PEM file.
func pool(path string) (*x509.CertPool, []byte, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, unreadable(path, err)
	}
	p := x509.NewCertPool()
	if !p.AppendCertsFromPEM(data) {
		return nil, nil, fmt.Errorf("%s: there is no certificate in it that can be used; want the authority's, PEM", path)
	}
	return p, data, nil
}

// soon is how long before its end a file's certificate is warned of: nobody renews it but the operator.
const soon = 7 * 24 * time.Hour

// dates says what is to be said of a leaf's time, if anything. What can be served is served all the same.
func dates(leaf *x509.Certificate, now time.Time) string {
	switch until := leaf.NotAfter.Format(time.RFC3339); {
	case now.After(leaf.NotAfter):
		return "expired at " + until + " and is served all the same, which browsers refuse; put a new one in its place"
	case now.Before(leaf.NotBefore):
		return "is not valid before " + leaf.NotBefore.Format(time.RFC3339) + " and is served all the same; look at this machine's clock"
	case leaf.NotAfter.Sub(now) < soon:
		return "expires at " + until + "; put a new one in its place before"
	}
	return ""
}
