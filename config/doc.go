// Package config reads the operator's file: Load returns a Config with every default filled in, or every mistake at once,
// each as "file:line:column: where: what is wrong; what is wanted".
//
// It walks the YAML's own nodes rather than decoding into structs, because only a node knows where it stands, and because
// a mistake must not end the reading. A value that is wrong keeps its default, so that one mistake does not make others
// appear. What looks like a secret is never repeated in a message.
//
// Everything that is named by a path is looked for beside the file, not in whatever directory the program was started in.
package config
