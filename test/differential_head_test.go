package test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestABodyAfterHEADIsNobodysAnswer: an app that answers HEAD as it does GET, which gunicorn lets it do, sends a body where none
// belongs, and a slow one sends it late. What is in it may be a visitor's own words. The next visitor must not get it for an answer.
func TestABodyAfterHEADIsNobodysAnswer(t *testing.T) {
	d := daemon{
		name:  "gunicorn",
		words: []string{"gunicorn", "-k", "gthread", "--threads", "4", "-w", "1", "-b", "127.0.0.1:{port}", "--keep-alive", "60", "--chdir", "{dir}", "late:app"},
		files: map[string]string{"late.py": `
import time
from urllib.parse import unquote

def app(environ, start_response):
    text = unquote(environ['QUERY_STRING']).encode() or b'hello'
    start_response('200 OK', [('Content-Type', 'text/plain'), ('Content-Length', str(len(text)))])
    def pieces():
        yield b''
        if environ['REQUEST_METHOD'] == 'HEAD':
            time.sleep(0.5)
        yield text
    return pieces()
`},
	}
	p := d.launch(t, "")
	g := startGatehouse(t, oneAtATime(p.address))
	front := strings.TrimPrefix(g.url, "http://")
	if _, err := strike(front, "HEAD /note?HTTP/1.1%20200%20OK%0d%0aContent-Length:%204%0d%0a%0d%0aevil HTTP/1.1\r\nHost: a\r\n\r\n", leaves); err != nil {
		t.Fatal(err)
	}
	time.Sleep(100 * time.Millisecond)
	res, err := http.Get(g.url + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body := readAll(t, res); body != "hello" {
		t.Errorf("somebody else got %d %q", res.StatusCode, body)
	}
}
