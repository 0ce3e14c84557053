package page

import "strings"

// form is how an answer is written.
type form uint8

const (
	formHTML form = iota
	formProblem
	formText
	forms
)

// rank says how closely a range names a form; the closest range decides (RFC 9110 section 12.5.1). A range with parameters
// asks for something that we do not have exactly: it counts less than the same range without.
type rank uint8

const (
	unnamed  rank = iota
	byAll         // */*
	byType        // text/*
	byParams      // text/html;level=1
	byName        // text/html
	byExact       // application/problem+json, which also goes by application/json
)

// negotiate chooses the form of an answer for an Accept field.
//
// The highest quality wins. Among equals a form that was named wins over one that only a wildcard covers, then HTML, problem
// and text in this order. Where nothing but wildcards or nothing at all was said, or nothing that we have is wanted, the
// answer is plain text: browsers name text/html when they open a page, and what does not is a program, a script's fetch, or
// an image that will not be looked at. An answer in an unwanted form is better than a 406 that hides the status.
func negotiate(accept string) form {
	var best [forms]struct {
		rank rank
		q    int
	}
	members(accept, func(value string, q int, params bool) {
		for f := range forms {
			r := f.named(value)
			if r >= byName && params {
				r = byParams
			}
			if b := &best[f]; r > b.rank {
				b.rank, b.q = r, q
			} else if r == b.rank && r != unnamed {
				b.q = max(b.q, q)
			}
		}
	})
	chosen, top, named := formText, 0, false
	for f, b := range best {
		if b.q == 0 {
			continue
		}
		is := b.rank >= byParams
		if b.q > top || b.q == top && is && !named {
			chosen, top, named = form(f), b.q, is
		}
	}
	if top > 0 && !named {
		return generic(chosen, best[formText].q == top, best[formProblem].q == top)
	}
	return chosen
}

// generic chooses among forms that only wildcards cover.
func generic(chosen form, text, problem bool) form {
	switch {
	case text:
		return formText
	case problem:
		return formProblem
	default:
		return chosen
	}
}

// named says how closely a media range names f.
func (f form) named(media string) rank {
	kind, sub, ok := strings.Cut(media, "/")
	switch {
	case !ok:
		return unnamed
	case kind == "*":
		if sub == "*" {
			return byAll
		}
		return unnamed
	case f == formProblem:
		return jsonNamed(kind, sub)
	case !strings.EqualFold(kind, "text"):
		return unnamed
	case sub == "*":
		return byType
	case f == formHTML && strings.EqualFold(sub, "html"), f == formText && strings.EqualFold(sub, "plain"):
		return byName
	}
	return unnamed
}

func jsonNamed(kind, sub string) rank {
	const suffix = "+json"
	switch {
	case !strings.EqualFold(kind, "application"):
		return unnamed
	case sub == "*":
		return byType
	case strings.EqualFold(sub, "problem+json"):
		return byExact
	case strings.EqualFold(sub, "json"), len(sub) > len(suffix) && strings.EqualFold(sub[len(sub)-len(suffix):], suffix):
		return byName
	}
	return unnamed
}

// grpcTypes are the media types of gRPC, the longer before what they begin with.
var grpcTypes = [...]string{
	"application/grpc-web-text+proto", "application/grpc-web-text+json", "application/grpc-web-text",
	"application/grpc-web+proto", "application/grpc-web+json", "application/grpc-web",
	"application/grpc+proto", "application/grpc+json", "application/grpc",
}

// grpcType returns the Content-Type of the answer to a gRPC call, and "" for a request that is none. What was asked for comes
// back from a closed set: a codec that is not in it is left out.
func grpcType(contentType string) string {
	if len(contentType) < len("application/grpc") {
		return ""
	}
	media, _ := cut(contentType, ';')
	media = trim(media)
	for _, t := range grpcTypes {
		if len(media) < len(t) || !strings.EqualFold(media[:len(t)], t) {
			continue
		}
		if len(media) == len(t) || media[len(t)] == '+' {
			return t
		}
	}
	return ""
}
