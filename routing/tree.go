package routing

import "strings"

// tree finds the values whose keys a text begins with, in a time that depends on the text and on its longest key but not
// on how many keys there are: a radix tree over bytes. The zero value is empty. It is filled by put and then only read.
type tree[V any] struct {
	root    node[V]
	longest int // bytes of the longest key
}

// node stands for its parent's key with the label behind it. Only the root has an empty label.
type node[V any] struct {
	label    string
	firsts   string // the first bytes of the children's labels, in the children's order
	children []*node[V]
	lists    []list[V]
}

// list is what was put under one key with the same conditions, in the order of putting.
type list[V any] struct {
	border   border
	readings readings
	values   []V
}

// border says what must follow a key in the text.
type border uint8

const (
	borderNone   border = iota // anything, or nothing
	borderEnd                  // nothing
	borderSlash                // a slash, or nothing
	borderFolder               // one slash and no more, or nothing
)

func (b border) allows(rest []byte) bool {
	switch b {
	case borderEnd:
		return len(rest) == 0
	case borderSlash:
		return len(rest) == 0 || rest[0] == '/'
	case borderFolder:
		return len(rest) == 0 || len(rest) == 1 && rest[0] == '/'
	}
	return true
}

// put adds a value that is to be found by texts that begin with the key, go on as the border says, and were read in one of
// the ways.
func (t *tree[V]) put(key string, b border, ways readings, v V) {
	t.longest = max(t.longest, len(key))
	n := t.root.reach(key)
	for i := range n.lists {
		if l := &n.lists[i]; l.border == b && l.readings == ways {
			l.values = append(l.values, v)
			return
		}
	}
	n.lists = append(n.lists, list[V]{b, ways, []V{v}})
}

// reach returns the node of the key below n, and makes what is missing on the way.
func (n *node[V]) reach(key string) *node[V] {
	for key != "" {
		i := strings.IndexByte(n.firsts, key[0])
		if i < 0 {
			made := &node[V]{label: key}
			n.firsts += key[:1]
			n.children = append(n.children, made)
			return made
		}
		next := n.children[i]
		same := 1
		for same < len(key) && same < len(next.label) && key[same] == next.label[same] {
			same++
		}
		if same < len(next.label) {
			upper := &node[V]{label: next.label[:same], firsts: next.label[same : same+1], children: []*node[V]{next}}
			next.label = next.label[same:]
			n.children[i], next = upper, upper
		}
		n, key = next, key[same:]
	}
	return n
}

// enough is how many bytes of a text decide everything: beyond them no key goes, and no border looks.
func (t *tree[V]) enough() int { return t.longest + 2 }

// walk begins at the root, which every text has on its way.
func (t *tree[V]) walk(text []byte) walk[V] { return walk[V]{&t.root, text} }

// walk is the way of one text down a tree: the node where it is, nil past the last, and what of the text is left.
type walk[V any] struct {
	at   *node[V]
	rest []byte
}

// descend goes on to the next node.
func (w *walk[V]) descend() {
	if len(w.rest) > 0 {
		if i := strings.IndexByte(w.at.firsts, w.rest[0]); i >= 0 {
			next := w.at.children[i]
			if n := len(next.label); n <= len(w.rest) && string(w.rest[:n]) == next.label {
				w.at, w.rest = next, w.rest[n:]
				return
			}
		}
	}
	w.at = nil
}
