// Package test holds what no single package can prove: the whole of Gatehouse with real servers, and the rules of the house.
package test
