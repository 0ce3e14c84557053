//go:build defects

package test

// demanding has tests ask for what is known not to hold yet.
const demanding = true
