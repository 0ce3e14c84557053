// Package serve runs one Gatehouse from one file: load, build, serve, reload, drain.
//
// It stands apart from the program so that the demo runs the very same thing.
package serve
