package test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"strconv"
	"strings"
	"testing"
)

// streaming is what must hold of whatever streams, by whichever way in, before whichever backend. base is where the backend's
// paths begin.
func streaming(t *testing.T, f *front, base string, s *streams) {
	for name, check := range map[string]func(t *testing.T, f *front, base string, c *talk, query string){
		"events": events("/events"), "pieces": events("/pieces"), "gone": gone, "upload": upload, "ranges": ranges, "head": head,
		"hints": hints, "trailers": trailers, "continue": continues, "refused upload": refused, "large": large,
	} {
		query := strings.ReplaceAll(t.Name()+"/"+name, " ", "-")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			check(t, f, base, s.talk(query), "?"+query)
		})
	}
}

// events: each arrives before the backend makes the next.
func events(path string) func(*testing.T, *front, string, *talk, string) {
	return func(t *testing.T, f *front, base string, c *talk, query string) {
		res := f.do(t, f.request(t, "GET", base+path+query, nil, "Accept: text/event-stream")) // the head comes before any of them
		if res == nil {
			return
		}
		defer res.Body.Close()
		for i := 1; i <= 3; i++ {
			c.next <- struct{}{}
			want := fmt.Sprintf("data: %d\n\n", i)
			got := make([]byte, len(want))
			if _, err := io.ReadFull(res.Body, got); err != nil || string(got) != want {
				t.Fatalf("event %d: %q %v", i, got, err)
			}
		}
		if rest, err := io.ReadAll(res.Body); len(rest) > 0 || err != nil {
			t.Errorf("after the last: %q %v", rest, err)
		}
	}
}

// gone: the backend hears of a visitor who leaves a stream in which nothing happens.
func gone(t *testing.T, f *front, base string, c *talk, query string) {
	ctx, leave := context.WithCancel(t.Context())
	defer leave()
	res := f.do(t, f.request(t, "GET", base+"/forever"+query, nil).WithContext(ctx))
	if res == nil {
		return
	}
	leave()
	_ = res.Body.Close()
	if got := c.await(t); got != "gone" {
		t.Errorf("the backend saw %q", got)
	}
}

// upload: what is sent reaches the backend before the rest is there.
func upload(t *testing.T, f *front, base string, c *talk, query string) {
	body, out := io.Pipe()
	answered := make(chan string, 1)
	go func() {
		res, err := f.client.Do(f.request(t, "POST", base+"/upload"+query, body))
		if err != nil {
			answered <- err.Error()
			return
		}
		defer res.Body.Close()
		text, _ := io.ReadAll(res.Body)
		answered <- string(text)
	}()
	for _, piece := range []string{"one", "two", strings.Repeat("three", 1000)} {
		if _, err := io.WriteString(out, piece); err != nil {
			t.Errorf("a piece was not taken: %v", err)
		}
		got := ""
		for len(got) < len(piece) && !t.Failed() {
			got += c.await(t)
		}
		if got != piece {
			t.Errorf("the backend saw %.20q; want %.20q", got, piece)
		}
	}
	_ = out.Close()
	if got := <-answered; got != "EOF" {
		t.Errorf("the upload ended with %q", got)
	}
}

// ranges: parts of a file, of which Gatehouse knows nothing.
func ranges(t *testing.T, f *front, base string, _ *talk, query string) {
	for _, c := range []struct {
		field  string
		status int
		want   string
		about  string
	}{
		{"Range: bytes=100-199", 206, string(file[100:200]), fmt.Sprintf("bytes 100-199/%d", len(file))},
		{"Range: bytes=-7", 206, string(file[len(file)-7:]), fmt.Sprintf("bytes %d-%d/%d", len(file)-7, len(file)-1, len(file))},
		{"Range: bytes=9999999-", 416, "invalid range: failed to overlap\n", fmt.Sprintf("bytes */%d", len(file))},
		{`If-None-Match: "1"`, 304, "", ""},
		{`If-Range: "2"`, 200, string(file), ""},
	} {
		res, body := f.ask(t, "GET", base+"/file"+query, nil, c.field)
		if res.StatusCode != c.status || body != c.want || res.Header.Get("Content-Range") != c.about {
			t.Errorf("%s: %d %q, %d bytes; want %d %q, %d", c.field, res.StatusCode, res.Header.Get("Content-Range"), len(body),
				c.status, c.about, len(c.want))
		}
	}
	res, body := f.ask(t, "GET", base+"/file"+query, nil, "Range: bytes=0-1,10-12")
	if kind := res.Header.Get("Content-Type"); res.StatusCode != 206 || !strings.HasPrefix(kind, "multipart/byteranges") ||
		strings.Count(body, "Content-Range") != 2 {
		t.Errorf("two ranges: %d %s %q", res.StatusCode, kind, body)
	}
}

// head: what GET would say, without a body.
func head(t *testing.T, f *front, base string, _ *talk, query string) {
	for range 2 { // whatever is left behind on the connection would be the next answer
		res, body := f.ask(t, "HEAD", base+"/file"+query, nil)
		if res.StatusCode != 200 || body != "" || res.Header.Get("Content-Length") != strconv.Itoa(len(file)) {
			t.Errorf("HEAD: %d, Content-Length %q, body %q", res.StatusCode, res.Header.Get("Content-Length"), body)
		}
	}
	res, body := f.ask(t, "GET", base+"/file"+query, nil)
	if res.StatusCode != 200 || body != string(file) {
		t.Errorf("after HEAD: %d with %d bytes; want %d", res.StatusCode, len(body), len(file))
	}
}

// hints: each 103 reaches the visitor before the backend has made up its mind.
func hints(t *testing.T, f *front, base string, c *talk, query string) {
	var links []string
	trace := &httptrace.ClientTrace{Got1xxResponse: func(status int, h textproto.MIMEHeader) error {
		links = append(links, fmt.Sprint(status, " ", h.Get("Link")))
		c.next <- struct{}{} // only now does the backend go on
		return nil
	}}
	r := f.request(t, "GET", base+"/hints"+query, nil)
	res := f.do(t, r.WithContext(httptrace.WithClientTrace(r.Context(), trace)))
	if res == nil {
		return
	}
	defer res.Body.Close()
	if body := readAll(t, res); res.StatusCode != 200 || body != "final" || res.Header.Get("Link") != "</c>; rel=next" {
		t.Errorf("the final answer: %d %q %v", res.StatusCode, body, res.Header)
	}
	if got := strings.Join(links, ", "); got != "103 </a.css>; rel=preload, 103 </b.js>; rel=preload" {
		t.Errorf("before it: %s", got)
	}
}

// trailers go both ways, announced or not.
func trailers(t *testing.T, f *front, base string, c *talk, query string) {
	r := f.request(t, "POST", base+"/trailers"+query, io.MultiReader(strings.NewReader("hello "), strings.NewReader("world")))
	r.Trailer = http.Header{"X-Sent": {"by the visitor"}}
	res := f.do(t, r)
	if res == nil {
		return
	}
	defer res.Body.Close()
	body := readAll(t, res)
	if got := c.await(t); got != "by the visitor" {
		t.Errorf("the backend got the trailer %q", got)
	}
	if tr := res.Trailer; body != "hello world" || tr.Get("X-Sum") != "11" || tr.Get("X-Status") != "0" || tr.Get("X-Sudden") != "late" {
		t.Errorf("the visitor got %q and the trailers %v", body, tr)
	}
	if res = f.do(t, f.request(t, "GET", base+"/length"+query, nil)); res == nil {
		return
	}
	defer res.Body.Close()
	want := ""
	if f.major == 2 && res.Header.Get("X-Major") == "2" {
		want = "it"
	}
	if body := readAll(t, res); body != "hello" || res.Trailer.Get("X-Behind") != want {
		t.Errorf("the visitor got %q and the trailers %v behind a length; want %q", body, res.Trailer, want)
	}
}

// continues: who asks first whether he may send is told so, and sends.
func continues(t *testing.T, f *front, base string, _ *talk, query string) {
	told := 0
	r := f.request(t, "POST", base+"/echo"+query, strings.NewReader("expected"), "Expect: 100-continue")
	trace := &httptrace.ClientTrace{Got100Continue: func() { told++ }}
	res := f.do(t, r.WithContext(httptrace.WithClientTrace(r.Context(), trace)))
	if res == nil {
		return
	}
	defer res.Body.Close()
	if body := readAll(t, res); res.StatusCode != 200 || body != "expected" || told != 1 {
		t.Errorf("%d %q, told %d times to go on", res.StatusCode, body, told)
	}
}

// refused: a backend that does not want an upload is heard, however large that would have been.
func refused(t *testing.T, f *front, base string, _ *talk, query string) {
	res, body := f.ask(t, "POST", base+"/refuse"+query, bytes.NewReader(make([]byte, 100_000)))
	if res.StatusCode != http.StatusRequestEntityTooLarge || body != "too much\n" {
		t.Errorf("%d %q", res.StatusCode, body)
	}
}

// large: more than any window or buffer holds, both ways at once where the protocols can, and whole.
func large(t *testing.T, f *front, base string, _ *talk, query string) {
	sent := bytes.Repeat(file, 10)
	res, body := f.ask(t, "PUT", base+"/echo"+query, bytes.NewReader(sent))
	if res.StatusCode != 200 || body != string(sent) {
		t.Errorf("%d, %d bytes of %d came back", res.StatusCode, len(body), len(sent))
	}
}
