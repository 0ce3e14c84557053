// Package intake turns what a stranger sent into what Gatehouse believes: a request target that can be read in one way, a
// host, the visitor's own address, and field lines that are safe to pass on.
//
// What it refuses is a *Refusal; what it drops is dropped without a word, because browsers and honest proxies send it too.
package intake
