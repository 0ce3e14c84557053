package build

import (
	"gatehouse/config"
	"gatehouse/proxy"
	"gatehouse/routing"
	"gatehouse/shed"
	"gatehouse/shed/quota"
)

// Rule returns what a route of the file demands of a request.
func Rule(r config.Route) routing.Rule {
	return routing.Rule{
		Name: r.Name, Hosts: r.Match.Host, Paths: r.Match.Path, PathRegexps: r.Match.PathRegexp, Methods: r.Match.Method,
		Headers: pairs(r.Match.Header), Cookies: pairs(r.Match.Cookie), Queries: pairs(r.Match.Query),
		Ambiguous: policy(r.AmbiguousPaths),
	}
}

func pairs(in []config.Pair) []routing.Pair {
	var out []routing.Pair
	for _, p := range in {
		out = append(out, routing.Pair(p))
	}
	return out
}

func policy(word string) routing.Policy {
	switch word {
	case "as_matched":
		return routing.AsMatched
	case "report":
		return routing.Report
	default:
		return routing.Refuse
	}
}

// Need returns what a route of the file needs of the session store.
func Need(r config.Route) shed.Need {
	switch r.Needs {
	case "write":
		return shed.NeedWrite
	case "none":
		return shed.NeedNone
	default:
		return shed.NeedRead
	}
}

func (p *Plan) route(r config.Route) *proxy.Route {
	out := &proxy.Route{
		Name: r.Name, Pool: p.pools[r.Pool], Overflow: p.pools[r.Overflow], Need: Need(r), SignIn: r.SignIn, Restart: r.Restart,
		Timeout: r.Timeout, ImpairedTimeout: min(r.ImpairedTimeout, r.Timeout), MaxAge: r.VerdictMaxAge,
		Members: r.Members, Background: r.Background, SignOut: r.SignOut, Guard: r.Guard, Wait: r.Wait, Convert: map[int]bool{}, Series: p.living.Record.Series(r.Name, r.Pool),
	}
	if r.Overflow != "" {
		out.OverflowSeries = p.living.Record.Series(r.Name, r.Overflow)
	}
	for _, status := range r.Convert {
		out.Convert[status] = true
	}
	for _, name := range r.Quotas {
		for _, q := range p.cfg.Quotas {
			if q.Name == name {
				out.Quotas = append(out.Quotas, p.quota(q))
			}
		}
	}
	return out
}

// keepSeries drops the metrics of routes and pools that are gone.
func (p *Plan) keepSeries() {
	var routes []string
	for _, r := range p.cfg.Routes {
		routes = append(routes, r.Name)
	}
	p.living.Record.Keep(routes)
}

// pageLimits bound how many pages are made. They are there from the beginning and only change their settings.
type pageLimits struct{ perClient, perAddress *quota.Limiter }

func newPageLimits() pageLimits {
	return pageLimits{quota.New(quota.Settings{}), quota.New(quota.Settings{})}
}

func (p *Plan) commitPage() {
	l, d := p.living, p.cfg.Degrade
	l.pages.perClient.Set(quota.Settings{Rate: d.Rate.PerClient.PerSecond(), Burst: d.Rate.Burst})
	perAddress := d.Rate.PerAddress.PerSecond()
	l.pages.perAddress.Set(quota.Settings{Rate: perAddress, Burst: max(int(perAddress), d.Rate.Burst)})
}
