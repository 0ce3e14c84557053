package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// FuzzParse holds Parse to this, whatever it is given: it does not panic, a mistake is Problems with their places in order,
// and what is right is right again, with the same result.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"testdata/*/*.yaml", configs + "/*.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			f.Fatalf("%v, %d files", err, len(files))
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			if len(data) < 8<<10 {
				f.Add(data)
			}
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse("fuzz.yaml", data)
		again, err2 := Parse("fuzz.yaml", data)
		if !reflect.DeepEqual(c, again) || !reflect.DeepEqual(err, err2) {
			t.Fatal("the same bytes gave two results")
		}
		if err == nil {
			if len(c.Listen) == 0 || len(c.Pools) == 0 || len(c.Routes) == 0 {
				t.Fatalf("loaded without its parts: %+v", c)
			}
			if broken := broken(c); broken != "" {
				t.Fatalf("%s: %+v", broken, c)
			}
			return
		}
		list, ok := err.(Problems)
		if !ok || len(list) == 0 || c != nil {
			t.Fatalf("%v with the error %#v", c, err)
		}
		for i, p := range list {
			if p.Line < 0 || p.Line > strings.Count(string(data), "\n")+1+strings.Count(string(data), "\r")+strings.Count(string(data), "\u0085")+strings.Count(string(data), "\u2028")+strings.Count(string(data), "\u2029") {
				t.Fatalf("line %d of a file that has not so many: %v", p.Line, p)
			}
			if i > 0 && p.Line < list[i-1].Line {
				t.Fatalf("out of order: %v", list)
			}
			if strings.ContainsAny(p.Error(), "\n\r\x1b") {
				t.Fatalf("not one line: %q", p.Error())
			}
		}
	})
}
