package config

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Problem is one mistake in a file and where it stands.
type Problem struct {
	Path         string
	Line, Column int    // from 1; 0 where the mistake is the file itself
	Where        string // "routes[2].match.path"; "" where it is the file as a whole
	What         string // "what is wrong; what is wanted"
}

// Error returns the mistake as one line: "file:line:column: where: what is wrong; what is wanted". Parts that are not known
// are left out.
func (p Problem) Error() string {
	var b strings.Builder
	b.WriteString(p.Path)
	if p.Line > 0 {
		b.WriteString(":" + strconv.Itoa(p.Line))
		if p.Column > 0 {
			b.WriteString(":" + strconv.Itoa(p.Column))
		}
	}
	b.WriteString(": ")
	if p.Where != "" {
		b.WriteString(p.Where + ": ")
	}
	b.WriteString(p.What)
	return b.String()
}

// Problems is every mistake of a file, in its order. It is the error that Load returns.
type Problems []Problem

// Error returns the mistakes, one a line.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// sorted puts the mistakes in the order of the file; those at the same place stay in the order they were found.
func (ps Problems) sorted() Problems {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return ps
}
