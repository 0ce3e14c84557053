package probe

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// fake is a server that speaks the protocol and is not Redis: it knows GET, SET and what say adds.
type fake struct {
	mu   sync.Mutex
	keys map[string]string
	seen []string // the commands, by name and first argument
	// say answers a command in place of the fake: what it returns is sent as it is. "" leaves the command to the fake, "hang"
	// answers nothing, "listen" says what is pushed, and "close" ends the connection.
	say func(words []string) string

	push chan string // what is sent to whoever is answered "listen"; an empty one closes the connection
	quit chan struct{}
}

// serveFake starts a fake and returns its address.
func serveFake(t testing.TB, say func(words []string) string) (*fake, string) {
	t.Helper()
	f := &fake{keys: map[string]string{}, say: say, push: make(chan string), quit: make(chan struct{})}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { f.serve(conn) })
			all.Go(func() { <-f.quit; _ = conn.Close() })
		}
	})
	t.Cleanup(func() { _ = l.Close(); close(f.quit); all.Wait() })
	return f, l.Addr().String()
}

func (f *fake) serve(conn net.Conn) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	for {
		words, err := command(r)
		if err != nil {
			return
		}
		switch said := f.answer(words); said {
		case "hang":
		case "close":
			return
		case "listen":
			for text := " "; text != ""; {
				select {
				case text = <-f.push:
					_, _ = io.WriteString(conn, text)
				case <-f.quit:
					return
				}
			}
			return
		default:
			if _, err := io.WriteString(conn, said); err != nil {
				return
			}
		}
	}
}

func (f *fake) answer(words []string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	name := strings.ToLower(words[0])
	f.seen = append(f.seen, strings.Join(append([]string{name}, words[1:min(2, len(words))]...), " "))
	if f.say != nil {
		if said := f.say(words); said != "" {
			return said
		}
	}
	switch name {
	case "get":
		if v, ok := f.keys[words[1]]; ok {
			return bulk(v)
		}
		return "$-1\r\n"
	case "set":
		f.keys[words[1]] = words[2]
		return "+OK\r\n"
	}
	return fmt.Sprintf("-ERR unknown command '%s'\r\n", words[0])
}

// count is how often a command was seen.
func (f *fake) count(name string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.seen {
		if s == name {
			n++
		}
	}
	return n
}

func bulk(s string) string { return "$" + strconv.Itoa(len(s)) + "\r\n" + s + "\r\n" }

// command reads one command.
func command(r *bufio.Reader) (words []string, err error) {
	var n int
	if n, err = length(r, '*'); err != nil {
		return nil, err
	}
	for range n {
		size, err := length(r, '$')
		if err != nil {
			return nil, err
		}
		b := make([]byte, size+2)
		if _, err := io.ReadFull(r, b); err != nil {
			return nil, err
		}
		words = append(words, string(b[:size]))
	}
	return words, nil
}

func length(r *bufio.Reader, kind byte) (int, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return 0, err
	}
	if line[0] != kind {
		return 0, fmt.Errorf("%q", line)
	}
	return strconv.Atoi(strings.TrimSpace(line[1:]))
}
