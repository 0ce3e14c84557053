// Package routing says which route a request takes, and why.
package routing
