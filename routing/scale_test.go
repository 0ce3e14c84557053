package routing

import (
	"fmt"
	"testing"
)

// scale is a kind of table that can have any number of routes.
type scale struct {
	name  string
	route func(i int) Rule
	ask   func(i int) (host, raw string) // a request for that route
	most  int                            // routes asked for a request, however many there are; 0 where that grows
}

var scales = []scale{
	{"exact", func(i int) Rule { return Rule{Paths: []string{fmt.Sprintf("/page-%d", i)}} },
		func(i int) (string, string) { return "example.com", fmt.Sprintf("/page-%d", i) }, 1},
	{"prefix", func(i int) Rule { return Rule{Paths: []string{fmt.Sprintf("/area-%d/*", i)}} },
		func(i int) (string, string) { return "example.com", fmt.Sprintf("/area-%d/some/page", i) }, 1},
	{"deep", func(i int) Rule { return Rule{Paths: []string{fmt.Sprintf("/api/v1/a/b/c/d/%d/%d/*", i/100, i%100)}} },
		func(i int) (string, string) {
			return "example.com", fmt.Sprintf("/api/v1/a/b/c/d/%d/%d/x", i/100, i%100)
		}, 1},
	{"host", func(i int) Rule { return Rule{Hosts: []string{fmt.Sprintf("tenant-%d.example.com", i)}} },
		func(i int) (string, string) { return fmt.Sprintf("tenant-%d.example.com", i), "/some/page" }, 1},
	{"suffix", func(i int) Rule {
		return Rule{Hosts: []string{fmt.Sprintf("*.tenant-%d.example.com", i)}, Paths: []string{"/", "/app/*"}}
	}, func(i int) (string, string) { return fmt.Sprintf("www.tenant-%d.example.com", i), "/app/page" }, 1},
	{"both", func(i int) Rule {
		return Rule{Hosts: []string{fmt.Sprintf("tenant-%d.example.com", i/10)}, Paths: []string{fmt.Sprintf("/area-%d/*", i%10)}}
	}, func(i int) (string, string) {
		return fmt.Sprintf("tenant-%d.example.com", i/10), fmt.Sprintf("/area-%d/page", i%10)
	}, 1},
	{"expression", func(i int) Rule { return Rule{PathRegexps: []string{fmt.Sprintf("/item-%d(/[0-9]+)?", i)}} },
		func(i int) (string, string) { return "example.com", fmt.Sprintf("/item-%d/7", i) }, 4},
	{"narrowed", func(i int) Rule {
		return Rule{Paths: []string{"/api/*"}, PathRegexps: []string{fmt.Sprintf("/api/(v1|v2)/item-%d/.*", i)}}
	}, func(i int) (string, string) { return "example.com", fmt.Sprintf("/api/v2/item-%d/7", i) }, 1},
	{"mixed", mixed, func(i int) (string, string) {
		switch i % 5 {
		case 0:
			return "www.example.com", fmt.Sprintf("/page-%d", i)
		case 1:
			return "example.com", fmt.Sprintf("/area-%d/x", i)
		case 2:
			return fmt.Sprintf("tenant-%d.example.com", i), "/"
		case 3:
			return fmt.Sprintf("tenant-%d.example.com", i), "/login"
		}
		return "example.org", fmt.Sprintf("/item-%d/7", i)
	}, 5},
	{"readings", func(i int) Rule { return Rule{Paths: []string{fmt.Sprintf("/area-%d/*", i)}} },
		func(i int) (string, string) { return "example.com", fmt.Sprintf("/area-%d/group%%2Fname", i) }, 1},
	{"crooked", func(i int) Rule { return Rule{Paths: []string{fmt.Sprintf("/Area;v=%d", i)}, Ambiguous: AsMatched} },
		func(i int) (string, string) { return "example.com", fmt.Sprintf("/Area;v=%d", i) }, 1},
	{"parameters", func(i int) Rule { return Rule{Paths: []string{fmt.Sprintf("/area;v=%d", i)}} },
		func(int) (string, string) { return "example.com", "/area" }, 1},
	{"elsewhere", func(i int) Rule { return Rule{Paths: []string{fmt.Sprintf("/area-%d/*", i)}} },
		func(i int) (string, string) { return "example.com", fmt.Sprintf("/Another/Page-%d.html", i) }, 1},
	// What grows: nothing but another key, or an expression that may begin with anything, tells these routes apart.
	{"by-header", func(i int) Rule {
		return Rule{Paths: []string{"/api/*"}, Headers: []Pair{{Name: "X-Tenant", Values: []string{fmt.Sprint(i)}}}}
	}, func(i int) (string, string) { return "example.com", "/api/x" }, 0},
	{"blind", func(i int) Rule { return Rule{PathRegexps: []string{fmt.Sprintf("/[a-z]+/item-%d", i)}} },
		func(i int) (string, string) { return "example.com", fmt.Sprintf("/some/item-%d", i) }, 0},
}

func mixed(i int) Rule {
	switch i % 5 {
	case 0:
		return Rule{Hosts: []string{"example.com", "www.example.com"}, Paths: []string{fmt.Sprintf("/page-%d", i), fmt.Sprintf("/old/page-%d", i)}}
	case 1:
		return Rule{Paths: []string{fmt.Sprintf("/area-%d/*", i)}, Methods: []string{"GET", "HEAD"}}
	case 2:
		return Rule{Hosts: []string{fmt.Sprintf("tenant-%d.example.com", i), fmt.Sprintf("*.tenant-%d.example.com", i)}}
	case 3:
		return Rule{Hosts: []string{"*.example.com"}, Paths: []string{fmt.Sprintf("/login/%d", i)}, Queries: []Pair{{Name: "q"}}}
	}
	return Rule{Hosts: []string{"*.org", "*.net", "*.com", "*.de", "*.fr"}, PathRegexps: []string{fmt.Sprintf("/item-%d/[0-9]+", i)}}
}

// rules has n routes, the last of which takes what the others leave.
func (s scale) rules(n int) []Rule {
	var rules []Rule
	for i := range n - 1 {
		r := s.route(i)
		r.Name = fmt.Sprint(i)
		rules = append(rules, r)
	}
	return append(rules, Rule{Name: "app"})
}

// requests are spread over the table, so that a large one is not all in a near cache.
func (s scale) requests(t testing.TB, n int) []*Request {
	var list []*Request
	for k := range min(n-1, 500) {
		host, raw := s.ask(k * (n - 1) / min(n-1, 500))
		r := get(t, raw)
		r.Host = host
		list = append(list, r)
	}
	return list
}

// asked counts the routes that are asked for a request, whether one of them takes it or not.
func asked(x *index, r *Request) int {
	a := newAsk(r)
	path := appendFolded(nil, r.Path, x.enough)
	line := x.any.queue(nil, path, 0)
	for _, g := range x.groups(nil, a.bare) {
		line = g.queue(line, path, 0)
	}
	n := 0
	for ; len(line) > 0; line = line.skip(1) {
		if n++; line[0][0].takes(&a) {
			break
		}
	}
	return n
}

// TestRoutesAskedDoNotGrow: a request asks as few of 3,000 routes as of 10.
func TestRoutesAskedDoNotGrow(t *testing.T) {
	for _, s := range scales {
		if s.most == 0 {
			continue
		}
		for _, n := range []int{10, 3_000} {
			tab := table(t, s.rules(n)...)
			for _, r := range s.requests(t, n) {
				if got := asked(&tab.index, r); got > s.most {
					t.Fatalf("%s: %d of %d routes are asked for %q; want %d", s.name, got, n, r.RawPath, s.most)
				}
			}
		}
	}
}

// TestManyRoutesAllocateNothing: see TestMatchAllocations, which has few.
func TestManyRoutesAllocateNothing(t *testing.T) {
	for _, s := range scales {
		if s.name == "expression" || s.name == "narrowed" || s.name == "blind" || s.name == "mixed" {
			continue // what package regexp allocates is its own affair
		}
		tab := table(t, s.rules(1_000)...)
		most := 0.0
		if s.name == "readings" || s.name == "crooked" {
			most = 2
		}
		for _, r := range s.requests(t, 10) {
			r.Fields = Fields(fields{{"X-Tenant", "7"}})
			if got := testing.AllocsPerRun(20, func() { tab.Match(r) }); got > most {
				t.Errorf("%s: %q: %v allocations", s.name, r.RawPath, got)
			}
		}
	}
}

func BenchmarkMatch(b *testing.B) {
	for _, s := range scales {
		var few float64
		for _, n := range []int{10, 1_000, 10_000} {
			b.Run(fmt.Sprintf("%s/routes=%d", s.name, n), func(b *testing.B) {
				tab, requests := table(b, s.rules(n)...), s.requests(b, n)
				b.ReportAllocs()
				i := 0
				for b.Loop() {
					tab.Match(requests[i])
					if i++; i == len(requests) {
						i = 0
					}
				}
				each := float64(b.Elapsed()) / float64(b.N)
				if n == 10 {
					few = each
				}
				b.ReportMetric(each/few, "times-10-routes")
			})
		}
	}
}

func BenchmarkNew(b *testing.B) {
	for _, s := range scales {
		b.Run(s.name+"/routes=10000", func(b *testing.B) {
			rules := s.rules(10_000)
			b.ReportAllocs()
			for b.Loop() {
				table(b, rules...)
			}
		})
	}
}
