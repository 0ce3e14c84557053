package edge

import (
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/summerwind/h2spec/config"
	"github.com/summerwind/h2spec/generic"
	"github.com/summerwind/h2spec/hpack"
	h2 "github.com/summerwind/h2spec/http2"
	"github.com/summerwind/h2spec/spec"
)

// excused are the cases of h2spec that fail, and why that is right; "plain " before those that fail only there. Whatever else fails
// is a fault. It is only read.
var excused = map[string]string{
	"http2/6.5.3/1":     "the library ends a connection whose SETTINGS say a thing twice: nobody does that who means well",
	"http2/8.1.2.2/1":   "the library answers 400 where it could reset the stream; RFC 9113 section 8.1.1 lets it",
	"http2/8.1.2.2/2":   "likewise",
	"plain http2/3.5/2": "what is no preface is HTTP/1 on a plain connection, and refused as that",
}

func TestH2Spec(t *testing.T) {
	silent, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	stdout := os.Stdout
	defer func() { os.Stdout = stdout }()
	os.Stdout = silent // it reports as it goes
	for kind, secure := range kinds {
		s := startH2(t, secure, Settings{}, func(v Visitor) {
			if _, err := io.Copy(io.Discard, v.Body()); err != nil { // what is wrong may come behind the head
				v.Abort()
			}
			reply(v, "some words")
		})
		c := &config.Config{
			Host: "127.0.0.1", Port: s.Address().(*net.TCPAddr).Port, Path: "/", Timeout: 3 * time.Second, MaxHeaderLen: 4000,
			Strict: true, TLS: secure, Insecure: true,
		}
		cases, failed := 0, map[string]string{}
		for _, group := range []*spec.TestGroup{generic.Spec(), h2.Spec(), hpack.Spec()} {
			group.Test(c)
			walk(group, func(id string, one *spec.TestCase) {
				cases++
				if one.Result == nil || one.Result.Failed || one.Result.Skipped {
					failed[id] = fmt.Sprintf("%s: %+v", one.Desc, one.Result)
				}
			})
		}
		if cases < 140 {
			t.Errorf("%s: only %d cases were run", kind, cases)
		}
		for id, what := range failed {
			if excused[id] == "" && excused[kind+" "+id] == "" {
				t.Errorf("%s: %s %s", kind, id, what)
			}
		}
		for id := range excused {
			only, id, ok := strings.Cut(id, " ")
			if !ok {
				only, id = kind, only
			}
			if only == kind && failed[id] == "" {
				t.Errorf("%s: %s is excused and does not fail", kind, id)
			}
		}
	}
}

// walk goes through all cases below a group.
func walk(g *spec.TestGroup, visit func(id string, one *spec.TestCase)) {
	for i, one := range append(g.Tests, g.StrictTests...) {
		visit(fmt.Sprintf("%s/%d", g.ID(), i+1), one)
	}
	for _, below := range g.Groups {
		walk(below, visit)
	}
}
