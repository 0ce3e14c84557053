package test

// reader is a server that looks for the sign-in page in its own way. It tells in its log, between port and request line, whether it
// took a request for one to sign in: login or -.
type reader struct {
	daemon
	exact bool // it takes a path as it came, so that no other spelling reaches its sign-in page
	ports int  // 2: it reads in another way on its second port
}

var readers = []reader{
	{
		// Merging slashes, which is the default, and not; behind an alias as well.
		daemon: daemon{
			name:  "nginx",
			words: []string{"nginx", "-p", "{dir}", "-c", "{dir}/nginx.conf", "-e", "stderr"},
			files: map[string]string{"www/assets/x.css": "", "www/login": "", "nginx.conf": nginxHead + `
	log_format told "$remote_port $handler $request";
	access_log {dir}/seen.log told;
	map $host $handler { default -; }
	server {
		listen 127.0.0.1:{port};
		location = /login { set $handler login; return 200 login; }
		location = /login/ { set $handler login; return 200 login; }
		location / { return 200 app; }
	}
	server {
		listen 127.0.0.1:{second};
		merge_slashes off;
		location ~* ^/+login/?$ { set $handler login; return 200 login; }
		location /assets/ { alias {dir}/www/assets/; }
		location / { return 200 app; }
	}
}
`},
		}, ports: 2,
	},
	{
		// Refusing escaped slashes, which is the default, and reading them as slashes.
		daemon: daemon{
			name:  "apache2",
			words: []string{"apache2", "-d", "{dir}", "-f", "{dir}/apache2.conf", "-D", "FOREGROUND"},
			files: map[string]string{"apache2.conf": apacheHead + `
LoadModule env_module /usr/lib/apache2/modules/mod_env.so
Listen 127.0.0.1:{port}
Listen 127.0.0.1:{second}
<LocationMatch "^/login/?$">
	SetEnv handler login
</LocationMatch>
LogFormat "%{remote}p %{handler}e %r" told
<VirtualHost 127.0.0.1:{port}>
	CustomLog {dir}/seen.log told
</VirtualHost>
<VirtualHost 127.0.0.1:{second}>
	AllowEncodedSlashes On
	MergeSlashes Off
	CustomLog {dir}/seen.log told
</VirtualHost>
`},
		}, ports: 2,
	},
	{
		// As it came, and with all of its normalizers.
		daemon: daemon{
			name:  "haproxy",
			words: []string{"haproxy", "-db", "-f", "{dir}/haproxy.cfg"},
			loud:  true,
			files: map[string]string{"haproxy.cfg": haproxyHead + `
	log-format "%cp %[var(txn.handler)] %{+E}r"
frontend as_it_came
	bind 127.0.0.1:{port}
	http-request set-var(txn.handler) str(login) if { path /login /login/ }
	http-request return status 200
frontend normal
	bind 127.0.0.1:{second}
	http-request normalize-uri percent-to-uppercase
	http-request normalize-uri percent-decode-unreserved
	http-request normalize-uri path-strip-dot
	http-request normalize-uri path-merge-slashes
	http-request normalize-uri path-strip-dotdot full
	http-request set-var(txn.handler) str(login) if { path,url_dec -i /login /login/ }
	http-request return status 200
`},
		}, ports: 2,
	},
	{
		daemon: daemon{
			name:  "lighttpd",
			words: []string{"lighttpd", "-D", "-f", "{dir}/lighttpd.conf"},
			files: map[string]string{"lighttpd.conf": lighttpdHead + lighttpdReads + `
$HTTP["url"] =~ "^/login/?$" { setenv.add-response-header = ("X-Handler" => "login") }
`},
		},
	},
	{
		// Escaped slashes as slashes, and letters of either case.
		daemon: daemon{
			name:  "lighttpd-loose",
			words: []string{"lighttpd", "-D", "-f", "{dir}/lighttpd.conf"},
			files: map[string]string{"lighttpd.conf": lighttpdHead + lighttpdReads + `
server.http-parseopts = ("url-normalize" => "enable", "url-normalize-unreserved" => "enable", "url-ctrls-reject" => "enable",
	"url-path-2f-decode" => "enable", "url-path-dotseg-remove" => "enable", "url-path-backslash-trans" => "enable")
$HTTP["url"] =~ "(?i)^/login/?$" { setenv.add-response-header = ("X-Handler" => "login") }
`},
		},
	},
	{
		daemon: daemon{
			name:  "varnish",
			words: []string{"varnishd", "-F", "-j", "none", "-T", "none", "-n", "{dir}", "-f", "{dir}/reads.vcl", "-a", "127.0.0.1:{port}", "-s", "malloc,16m", "-p", "vsl_space=1M"},
			tells: []string{"varnishncsa", "-n", "{dir}", "-F", "%{VCL_Log:told}x %r"},
			files: map[string]string{"reads.vcl": `
vcl 4.1;
import std;
backend none none;
sub vcl_recv {
	if (req.url ~ "^/login/?(\?|$)") {
		std.log("told:" + std.port(client.ip) + " login");
	} else {
		std.log("told:" + std.port(client.ip) + " -");
	}
	return (synth(200));
}
`},
		}, exact: true,
	},
	{
		// Decoded once, as WSGI has it; and in every way in which a framework has ever been seen to read.
		daemon: daemon{
			name: "gunicorn",
			words: []string{"gunicorn", "-k", "gthread", "--threads", "4", "-w", "1", "-b", "127.0.0.1:{port}", "-b", "127.0.0.1:{second}", "--chdir", "{dir}",
				"--access-logfile", "{dir}/seen.log", "--access-logformat", "%({REMOTE_PORT}e)s %({x-handler}o)s %(r)s", "reads:app"},
			files: map[string]string{"reads.py": `
import re
from posixpath import normpath
from urllib.parse import unquote

def turn(p): return p.replace('\\', '/')
def bare(p): return re.sub(';[^/]*', '', p)
def trim(p): return re.sub('([^/. ])[. ]+(/|$)', r'\1\2', p)
def norm(p): return normpath(re.sub('/+', '/', p))
def cut(p): return re.split('[\0\n]', p)[0]

CHAINS = [[], [unquote], [unquote, unquote], [unquote, unquote, cut], [norm], [unquote, norm], [unquote, unquote, norm], [bare, unquote, norm], [unquote, bare, norm],
    [turn, norm], [unquote, turn, norm], [unquote, turn, norm, trim], [str.lower], [unquote, turn, norm, trim, str.lower],
    [bare, unquote, turn, bare, trim, norm, unquote, turn, bare, trim, norm, str.lower]]

def app(environ, start_response):
    readings = [environ['PATH_INFO']]
    if environ['SERVER_PORT'] == '{second}':
        for chain in CHAINS:
            path = environ['RAW_URI'].split('?')[0]
            for step in chain:
                path = step(path)
            readings.append(path)
    handler = 'login' if any(r in ('/login', '/login/') for r in readings) else '-'
    environ['wsgi.input'].read()
    start_response('200 OK', [('Content-Length', '0'), ('X-Handler', handler)])
    return [b'']
`},
		}, ports: 2,
	},
}

const lighttpdReads = `
server.modules += ("mod_setenv")
accesslog.format = "%{remote}p %{X-Handler}o %r"
`
