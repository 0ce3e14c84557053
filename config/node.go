package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// reader collects what is wrong with one file while its parts are read.
type reader struct {
	path     string // as it was named, for messages
	problems Problems
	warnings Problems
}

// value is a node, and where it stands in the file's own words.
type value struct {
	r      *reader
	node   *yaml.Node
	where  string
	hidden bool // it is, or stands below, something that looks like a secret: never shown
}

// maxItems bounds a list or a mapping, so that comparing its items with each other stays cheap.
const maxItems = 1000

// fail notes a mistake: "what is wrong; what is wanted".
func (v value) fail(format string, args ...any) {
	v.r.problems = append(v.r.problems, v.problem(format, args))
}

// warn notes what is legal and probably not meant.
func (v value) warn(format string, args ...any) {
	v.r.warnings = append(v.r.warnings, v.problem(format, args))
}

func (v value) problem(format string, args []any) Problem {
	return Problem{v.r.path, v.node.Line, v.node.Column, v.where, fmt.Sprintf(format, args...)}
}

// below returns what stands under a key.
func (v value) below(key string, node *yaml.Node) value {
	where := keyWord(key)
	if v.where != "" && where[0] != '[' {
		where = "." + where
	}
	return value{v.r, node, v.where + where, v.hidden || secretName(key)}
}

// kind says in a few words what the value is.
func (v value) kind() string {
	switch v.node.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	default:
		return v.shown()
	}
}

// readable reports whether there is something to go on with; if not, it has said so. Anchors and tags are refused because
// they make a line mean what only another line says.
func (v value) readable() bool {
	n := v.node
	switch {
	case n.Kind == yaml.AliasNode:
		v.fail("an alias; write the value out, or quote it if it is meant to begin with *")
		return false
	case n.Anchor != "":
		v.fail("an anchor; write the value without it, or quote it if it is meant to begin with &")
	case n.Style&yaml.TaggedStyle != 0:
		v.fail("a tag; write the value without it, or quote it if it is meant to begin with !")
	case n.Kind == yaml.ScalarNode && n.Tag == "!!null":
		v.fail("no value; give it one, or leave it out for the default")
		return false
	}
	return true
}

// entry is one key of a mapping.
type entry struct {
	name  string
	key   value // at the key, with the where of what stands under it
	value value
}

// entries returns the keys of a mapping in their order, each once; ok is false where the value is no mapping.
func (v value) entries(wanted string) (list []entry, ok bool) {
	if v.node.Kind != yaml.MappingNode {
		v.fail("%s; %s is wanted", v.kind(), wanted)
		return nil, false
	}
	if n := len(v.node.Content) / 2; n > maxItems {
		v.fail("%d keys; at most %d are wanted", n, maxItems)
		return nil, false
	}
	lines := map[string]int{}
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		k := v.node.Content[i]
		if k.Kind != yaml.ScalarNode || k.Tag == "!!merge" {
			value{v.r, k, v.where, v.hidden}.fail("an alias, a merge or more than a word as a key; plain words are wanted")
			continue
		}
		e := entry{k.Value, v.below(k.Value, k), v.below(k.Value, v.node.Content[i+1])}
		if line, twice := lines[e.name]; twice {
			e.key.fail("the same key as in line %d; each key is wanted once", line)
			continue
		}
		lines[e.name] = k.Line
		list = append(list, e)
	}
	return list, true
}

// field is a key that a mapping may have, and what reads its value.
type field struct {
	name string
	read func(value)
	// refusal, where set, says why the key is not one that may be used. It is not offered to anybody.
	refusal string
}

// mapping is a mapping after its fields were read.
type mapping struct {
	value
	has map[string]value // what was there, right or wrong; nil where that cannot be told
}

// fields reads a mapping of known keys, in the order of known and not of the file, so that what refers to something can be
// read after it.
func (v value) fields(known ...field) mapping {
	var names []string
	for _, f := range known {
		if f.refusal == "" {
			names = append(names, f.name)
		}
	}
	entries, ok := v.entries("a mapping with keys of " + strings.Join(names, ", "))
	if !ok {
		return mapping{value: v}
	}
	has, meant := map[string]value{}, map[string]value{}
	for _, e := range entries {
		has[e.name] = e.value
		i := slices.IndexFunc(known, func(f field) bool { return f.name == e.name })
		switch {
		case i >= 0 && known[i].refusal == "":
		case i >= 0:
			e.key.fail("not accepted; %s", known[i].refusal)
		case suggest(e.name, names) != "":
			meant[suggest(e.name, names)] = e.value
			e.key.fail("unknown key; did you mean %s? wanted here: %s", suggest(e.name, names), strings.Join(names, ", "))
		default:
			e.key.fail("unknown key; wanted here: %s", strings.Join(names, ", "))
		}
	}
	for _, f := range known {
		if e, there := has[f.name]; there && f.refusal == "" && e.readable() {
			f.read(e)
		}
	}
	for name, e := range meant { // misspelt is not missing
		if _, there := has[name]; !there {
			has[name] = e
		}
	}
	if v.merges() {
		has = nil
	}
	return mapping{v, has}
}

// merges reports whether a mapping has keys that are not words, and so may mean more than it says.
func (v value) merges() bool {
	for i := 0; i < len(v.node.Content); i += 2 {
		if k := v.node.Content[i]; k.Kind != yaml.ScalarNode || k.Tag == "!!merge" {
			return true
		}
	}
	return false
}

// need complains where a key is missing.
func (m mapping) need(name, wanted string) {
	if m.has == nil {
		return
	}
	if _, there := m.has[name]; !there {
		m.fail("no %s; %s is wanted", name, wanted)
	}
}

// said returns which of the keys are there, in their order here.
func (m mapping) said(keys ...string) (list []string) {
	for _, key := range keys {
		if _, there := m.has[key]; there {
			list = append(list, key)
		}
	}
	return list
}

// oneOf complains where more than one of some keys is there.
func (m mapping) oneOf(keys ...string) {
	said := m.said(keys...)
	for i := 1; i < len(said); i++ {
		m.at(said[i]).fail("both %s and %s; one of them is wanted", said[0], said[i])
	}
}

// at returns what stands under a key, or the mapping itself where that cannot be told.
func (m mapping) at(name string) value {
	if v, there := m.has[name]; there {
		return v
	}
	return m.value
}

// under returns what stands under a key of a mapping; false where there is no such key, or no mapping.
func (v value) under(name string) (value, bool) {
	if v.node.Kind != yaml.MappingNode {
		return value{}, false
	}
	for i := 0; i+1 < len(v.node.Content); i += 2 {
		if v.node.Content[i].Value == name {
			return v.below(name, v.node.Content[i+1]), true
		}
	}
	return value{}, false
}

// items returns the items of a list that can be read.
func (v value) items(wanted string) (list []value) {
	if v.node.Kind != yaml.SequenceNode {
		v.fail("%s; a list of %s is wanted", v.kind(), wanted)
		return nil
	}
	if len(v.node.Content) > maxItems {
		v.fail("%d items; at most %d are wanted", len(v.node.Content), maxItems)
		return nil
	}
	for i, n := range v.node.Content {
		item := value{v.r, n, v.where + "[" + strconv.Itoa(i) + "]", v.hidden}
		if item.readable() {
			list = append(list, item)
		}
	}
	return list
}

// some complains where a list or mapping is empty.
func (v value) some(what string) {
	if v.node.Kind != yaml.ScalarNode && len(v.node.Content) == 0 {
		v.fail("no %s; at least one is wanted", what)
	}
}

// each is items for lists of which one item may stand without the list, and which must not be empty.
func (v value) each(wanted string) []value {
	switch {
	case v.node.Kind == yaml.ScalarNode:
		return []value{v}
	case v.node.Kind == yaml.MappingNode:
		v.fail("a mapping; %s, or a list of such, is wanted", strings.TrimSuffix(wanted, ","))
	case len(v.node.Content) == 0:
		v.fail("an empty list; %s is wanted, or no key at all", wanted)
	default:
		return v.items(wanted)
	}
	return nil
}

// text returns a value that is a single, non-empty piece of text, as it is written in the file.
func (v value) text(wanted string) (string, bool) {
	if v.node.Kind != yaml.ScalarNode || v.node.Value == "" {
		v.fail("%s; %s is wanted", v.kind(), wanted)
		return "", false
	}
	return v.node.Value, true
}

// once adds s to list, unless it is there: then it says so.
func (v value) once(list []string, s string) []string {
	if slices.Contains(list, s) {
		v.fail("%s is in the list already; once is wanted", v.shown())
		return list
	}
	return append(list, s)
}
