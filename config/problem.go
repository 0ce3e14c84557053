package config

// Problem is one mistake in a file and where it stands.
type Problem struct {
	Path         string
	Line, Column int    // from 1; 0 where the mistake is the file itself
	Where        string // "routes[2].match.path"
	What         string // "what is wrong; what is wanted"
}

// Problems is every mistake of a file, in its order. It is the error that Load returns.
type Problems []Problem
