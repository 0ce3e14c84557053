package main

import "strings"

// Fault is what is wrong with the demo's store. The words are those of the control page's form and of the script.
type Fault string

// The faults, and the absence of one. Empty is an event rather than a state: the store forgets everything and is well.
const (
	Well     Fault = "well"
	ReadOnly Fault = "read-only"
	Full     Fault = "full"
	Slow     Fault = "slow"
	Hung     Fault = "hung"
	Away     Fault = "away"
	Empty    Fault = "empty"
)

// FaultText is how a fault is told to a person.
type FaultText struct {
	Fault  Fault
	Label  string // on a button
	Store  string // what the store does
	Expect string // what to look for in the browser
	// Reasons are the words that Gatehouse may give on the page while the store has this fault. A stall looks slow to one
	// probe and hung to another, so those two share theirs.
	Reasons []string
	// Definite says that the store refuses outright, so that one failed check is proof.
	Definite bool
	// Readable says that sessions can still be looked up: members must not notice.
	Readable bool
}

// faultTexts lists every fault in the order of the control page.
func faultTexts() []FaultText {
	stalled := []string{"slow", "hung", "paused", "unconfirmed"}
	return []FaultText{
		{Fault: Well, Label: "Well", Store: "Reads and writes work.",
			Expect: "Everything works. After a fault, sign-ins come back at a rising rate."},
		{Fault: ReadOnly, Label: "Read-only", Store: "Reads answer, writes are refused with READONLY, as after a failover.",
			Expect:  "Members go on reading. Signing in and saving a note get the page.",
			Reasons: []string{"read_only", "unconfirmed"}, Definite: true, Readable: true},
		{Fault: Full, Label: "Full", Store: "Reads answer, writes are refused with OOM: no memory is left.",
			Expect:  "The same as read-only, and the page's reason is another.",
			Reasons: []string{"full", "unconfirmed"}, Definite: true, Readable: true},
		{Fault: Slow, Label: "Slow", Store: "Every command takes 1.5 s.",
			Expect:  "Without Gatehouse every page crawls. With it the page comes at once; probe.timeout says what is too slow.",
			Reasons: stalled},
		{Fault: Hung, Label: "Hung", Store: "Connections are accepted, and no answer comes.",
			Expect:  "Without Gatehouse pages hang for seconds, fail, and sign people out. With it: the page, and sessions stay.",
			Reasons: stalled},
		{Fault: Away, Label: "Away", Store: "Nobody listens: connections are refused. The data is kept.",
			Expect:  "Without Gatehouse every member is signed out. With it nobody is.",
			Reasons: []string{"refused", "unconfirmed"}, Definite: true},
		{Fault: Empty, Label: "Empty it", Store: "Every session is forgotten at once, and the store is well.",
			Expect: "All members must sign in again, whoever stands in front: Gatehouse lets them in at a rising rate."},
	}
}

// textOf returns the text of f, and false for a word that is no fault.
func textOf(f Fault) (FaultText, bool) {
	for _, t := range faultTexts() {
		if t.Fault == f {
			return t, true
		}
	}
	return FaultText{}, false
}

const (
	replyReadOnly = "READONLY You can't write against a read only replica."
	replyFull     = "OOM command not allowed when used memory > 'maxmemory'."
)

// refusal returns the error with which a store in state f refuses a command, and "" where it carries it out. A full store
// still deletes and still sets expiry times, as the real one does.
func refusal(f Fault, command string) string {
	writes, grows := effect(command)
	switch {
	case f == ReadOnly && writes:
		return replyReadOnly
	case f == Full && grows:
		return replyFull
	default:
		return ""
	}
}

// effect says whether a command changes data, and whether it may need memory for that. A command that it does not know is
// held to be a read.
func effect(command string) (writes, grows bool) {
	switch strings.ToUpper(command) {
	case "DEL", "UNLINK", "EXPIRE", "PEXPIRE", "EXPIREAT", "PEXPIREAT", "PERSIST", "GETDEL", "GETEX", "HDEL", "LPOP", "RPOP",
		"LREM", "LTRIM", "SREM", "SPOP", "ZREM", "ZREMRANGEBYSCORE", "RENAME", "FLUSHALL", "FLUSHDB":
		return true, false
	case "SET", "SETEX", "PSETEX", "SETNX", "GETSET", "MSET", "MSETNX", "APPEND", "SETRANGE", "INCR", "INCRBY", "INCRBYFLOAT",
		"DECR", "DECRBY", "HSET", "HSETNX", "HMSET", "HINCRBY", "LPUSH", "RPUSH", "LSET", "LINSERT", "SADD", "ZADD", "ZINCRBY",
		"COPY", "EVAL", "EVALSHA":
		return true, true
	default:
		return false, false
	}
}
