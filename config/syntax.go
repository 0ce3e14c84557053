package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// parse returns the root of the one document in data, or what is wrong with it as YAML. The problem has no Path.
func parse(data []byte) (*yaml.Node, *Problem) {
	if len(data) > maxSize {
		return nil, &Problem{What: fmt.Sprintf("larger than a configuration is; at most %d bytes are wanted", maxSize)}
	}
	if !utf8.Valid(data) {
		good := data[:firstBad(data)]
		line := bytes.Count(good, []byte("\n"))
		column := utf8.RuneCount(good[bytes.LastIndexByte(good, '\n')+1:])
		return nil, &Problem{Line: line + 1, Column: column + 1, What: "not UTF-8; text in UTF-8 is wanted"}
	}
	documents, err := decode(data, 2)
	switch {
	case err != nil:
		return nil, misread(data, err)
	case len(documents) == 0 || len(documents[0].Content) == 0 || len(documents) == 1 && empty(documents[0].Content[0]):
		return nil, &Problem{What: "nothing in the file; at least listen, pools and routes are wanted"}
	case len(documents) > 1:
		second := documents[1]
		return nil, &Problem{Line: second.Line, Column: second.Column, What: "a second YAML document; one is wanted"}
	}
	return documents[0].Content[0], nil
}

func empty(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" && n.Value == "" }

// firstBad returns where the first byte stands that is not UTF-8.
func firstBad(data []byte) int {
	for i := 0; i < len(data); {
		c, n := utf8.DecodeRune(data[i:])
		if c == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(data)
}

// decode returns the first documents of data, at most that many. The YAML package panics on some of the input it cannot
// read, which is an error like any other here.
func decode(data []byte, most int) (documents []*yaml.Node, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("yaml: %v", p)
		}
	}()
	d := yaml.NewDecoder(bytes.NewReader(data))
	for len(documents) < most {
		n := new(yaml.Node)
		switch err := d.Decode(n); {
		case errors.Is(err, io.EOF):
			return documents, nil
		case err != nil:
			return nil, err
		}
		documents = append(documents, n)
	}
	return documents, nil
}

// misread turns the YAML package's error into a problem. Its message may repeat what stands in the file, which may be a
// secret (a password that begins with * is taken for an alias), so only messages that repeat nothing are passed on.
func misread(data []byte, err error) *Problem {
	text, hint := strings.TrimPrefix(err.Error(), "yaml: "), 1
	if rest, is := strings.CutPrefix(text, "line "); is {
		if digits, rest, is := strings.Cut(rest, ": "); is {
			text = rest
			hint, _ = strconv.Atoi(digits)
		}
	}
	line, start := spoiled(data, hint)
	first := strings.TrimLeft(start, " ")
	switch {
	case strings.Contains(text, "unknown anchor"):
		text = "an alias; write the value out, or quote it if it is meant to begin with *"
	case strings.HasPrefix(first, "\t"):
		text = "a tab at the beginning of the line; spaces are wanted"
	case strings.Contains(text, "cannot start any token"):
		text = "not YAML: a character that begins no value; quotes around the value are wanted"
	case strings.ContainsAny(text, "`") || strings.Contains(text, "internal error"):
		text = "not YAML; well-formed YAML is wanted"
	default:
		text = "not YAML: " + text + "; well-formed YAML is wanted"
	}
	return &Problem{Line: line, Column: 1 + len(start) - len(first), What: text}
}

// spoiled returns the line, and its number, up to which data still could be read: the YAML package's own numbers are off by
// one for some mistakes, and name the beginning of the block for others. The search ends early in a large file, and then
// hint is as good as can be had.
func spoiled(data []byte, hint int) (int, string) {
	lines := bytes.SplitAfter(data, []byte("\n"))
	budget := 4 << 20
	for n, end := len(lines)-1, len(data)-len(lines[len(lines)-1]); n >= 0; n-- {
		if budget -= end; budget < 0 {
			break
		}
		if _, err := decode(data[:end], 1<<20); err == nil {
			return n + 1, strings.TrimRight(string(lines[n]), "\r\n")
		}
		if n > 0 {
			end -= len(lines[n-1])
		}
	}
	hint = min(max(hint, 1), len(lines))
	return hint, strings.TrimRight(string(lines[hint-1]), "\r\n")
}
