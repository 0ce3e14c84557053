package probe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"
)

// nobody is who serves a slot that no node does, where votes are counted.
const nobody = "-"

var errSlots = errors.New("what it answers is no table of slots")

// span is a range of slots that one node serves, and the replicas of that node.
type span struct {
	first, last int // both in it
	master      string
	replicas    []string
}

// slots asks a node who serves which slots, as it believes. The spans are in order and do not overlap.
func (l *link) slots(ctx context.Context, asked string) ([]span, error) {
	said, err := l.client.Do(ctx, "cluster", "slots").Slice()
	if err != nil {
		return nil, err
	}
	return slotsIn(said, asked)
}

// about asks a node for what it says of its cluster, without what changes all the time; the same as before means that most likely
// nothing has changed. It is cheaper than the table of slots.
func (l *link) about(ctx context.Context) (string, error) {
	said, err := l.client.Do(ctx, "cluster", "info").Text()
	if err != nil {
		return "", err
	}
	var kept strings.Builder
	for line := range strings.Lines(said) {
		if key, _, _ := strings.Cut(line, ":"); !strings.HasPrefix(key, "cluster_stats") && !strings.HasPrefix(key, "total_") {
			kept.WriteString(line)
		}
	}
	return kept.String(), nil
}

// owns asks a node whether it serves a key as a primary: by reading it.
func (l *link) owns(ctx context.Context, key string) (role, error) {
	err := l.client.Do(ctx, "get", key).Err()
	switch word(err) {
	case "":
		if err != nil {
			return mute, err
		}
		return primary, nil
	case "nil", "WRONGTYPE":
		return primary, nil
	case "NOAUTH", "WRONGPASS", "NOPERM", "ERR":
		return mute, err
	}
	return replica, nil // it names another, or serves nobody for now
}

// slotsIn reads the answer of the node at asked.
func slotsIn(said []any, asked string) ([]span, error) {
	spans := make([]span, 0, len(said))
	for _, row := range said {
		of, ok := row.([]any)
		if !ok || len(of) < 3 || len(said) > Slots {
			return nil, errSlots
		}
		first, ok1 := of[0].(int64)
		last, ok2 := of[1].(int64)
		if !ok1 || !ok2 || first < 0 || last < first || last >= Slots {
			return nil, errSlots
		}
		s := span{first: int(first), last: int(last)}
		for i, node := range of[2:] {
			at, err := nodeIn(node, asked)
			switch {
			case err != nil && i == 0:
				return nil, err
			case err != nil: // a replica that nobody can reach yet
			case i == 0:
				s.master = at
			default:
				s.replicas = append(s.replicas, at)
			}
		}
		spans = append(spans, s)
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.first, b.first) })
	for i := 1; i < len(spans); i++ {
		if spans[i].first <= spans[i-1].last {
			return nil, errSlots
		}
	}
	return spans, nil
}

// nodeIn reads the address of a node: where it names no host, that is the host that was asked.
func nodeIn(node any, asked string) (string, error) {
	of, ok := node.([]any)
	if !ok || len(of) < 2 {
		return "", errSlots
	}
	port, ok := of[1].(int64)
	if !ok {
		return "", errSlots
	}
	host, ok := of[0].(string)
	switch {
	case !ok && of[0] != nil:
		return "", errSlots
	case host == "?": // it is to be known by a name, and that is not known yet
		if host = ipIn(of[2:]); host == "" {
			return "", errNowhere
		}
	}
	return beside(host, strconv.FormatInt(port, 10), asked)
}

// ipIn finds the IP address among what else is said of a node.
func ipIn(more []any) string {
	for _, list := range more {
		of, _ := list.([]any)
		for i := 0; i+1 < len(of); i += 2 {
			if of[i] == "ip" {
				ip, _ := of[i+1].(string)
				return ip
			}
		}
	}
	return ""
}

// beside is the address that a node at asked means by host and port: its own host, where it names none.
func beside(host, port, asked string) (string, error) {
	if host == "" {
		colon := strings.LastIndexByte(asked, ':')
		if colon < 0 {
			return "", errNowhere
		}
		host = strings.Trim(asked[:colon], "[]")
	}
	if host == "?" {
		return "", errNowhere
	}
	return spelled(host, port)
}

// agreed is who serves which slots by more than half of votes, which are tables of as many nodes, nil of one that is not
// heard. Where so many do not agree on a slot it stays with whom it is by before.
func agreed(before []span, votes [][]span) []span {
	edges := []int{0, Slots}
	tables := append([][]span{before}, votes...)
	for _, t := range tables {
		for _, s := range t {
			edges = append(edges, s.first, s.last+1)
		}
	}
	slices.Sort(edges)
	edges = slices.Compact(edges)
	next := make([]int, len(tables)) // the first span of each that does not lie before
	names, who := make([]string, len(votes)), make([]*span, len(tables))
	var all []span
	for e, first := range edges[:len(edges)-1] {
		for i, t := range tables {
			for next[i] < len(t) && t[next[i]].last < first {
				next[i]++
			}
			who[i] = nil
			if next[i] < len(t) && t[next[i]].first <= first {
				who[i] = &t[next[i]]
			}
		}
		for i, t := range votes {
			switch names[i] = ""; {
			case who[i+1] != nil:
				names[i] = who[i+1].master
			case t != nil:
				names[i] = nobody
			}
		}
		by := who[0]
		if to, ok := elect(names); ok {
			by = nil
			if to != nobody {
				by = who[1+slices.Index(names, to)]
			}
		}
		if by == nil {
			continue
		}
		if n := len(all) - 1; n >= 0 && all[n].master == by.master && all[n].last == first-1 {
			all[n].last = edges[e+1] - 1
			continue
		}
		all = append(all, span{first, edges[e+1] - 1, by.master, by.replicas})
	}
	return all
}

// redirection is where a node sends who asks it for a key.
type redirection struct {
	slot int
	to   string
	ask  bool // for this key, this time; the slot is moving
}

// redirected reads a redirection in what a canary met at a node.
func redirected(err error, asked string) (redirection, bool) {
	text := ""
	var theirs redis.Error
	var heard answered
	switch {
	case errors.As(err, &theirs):
		text = theirs.Error()
	case errors.As(err, &heard):
		text = string(heard)
	}
	words := strings.Fields(text)
	if len(words) != 3 || words[0] != "MOVED" && words[0] != "ASK" {
		return redirection{}, false
	}
	slot, err := strconv.ParseUint(words[1], 10, 16)
	colon := strings.LastIndexByte(words[2], ':')
	if err != nil || slot >= Slots || colon < 0 {
		return redirection{}, false
	}
	to, err := beside(strings.Trim(words[2][:colon], "[]"), words[2][colon+1:], asked)
	if err != nil {
		return redirection{}, false
	}
	return redirection{int(slot), to, words[0] == "ASK"}, true
}

func (r redirection) String() string { return fmt.Sprintf("slot %d is at %s", r.slot, r.to) }
