// Package config reads the operator's file: Load returns a Config with every default filled in, or every mistake at once,
// each as "file:line:column: where: what is wrong; what is wanted".
package config
