package build

import (
	"errors"
	"os"
)

var errNoFile = errors.New("it is no regular file")

// readFile reads what the operator's file names. A pipe is not opened: that could last for ever.
func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &os.PathError{Op: "read", Path: path, Err: errNoFile}
	}
	return os.ReadFile(path)
}
