package test

// The servers of the differential test: each answers every request in its own words, says in X-Saw which one it took it for, and
// keeps the connection wherever it does so at all. lighttpd and Varnish would not read a body for an answer of their own, so they
// have a server behind them.
var daemons = []daemon{
	{
		name:  "nginx",
		words: []string{"nginx", "-p", "{dir}", "-c", "{dir}/nginx.conf", "-e", "stderr"},
		files: map[string]string{"nginx.conf": nginxHead + `
	log_format told "$remote_port $request";
	access_log {dir}/seen.log told;
	server {
		listen 127.0.0.1:{port};
		server_name _;
		client_max_body_size 0;
		add_header X-Saw $request_uri always;
		location / { return 200 "saw\n"; }
	}
}
`},
	},
	{
		name:  "apache2",
		words: []string{"apache2", "-d", "{dir}", "-f", "{dir}/apache2.conf", "-D", "FOREGROUND"},
		files: map[string]string{"saw.txt": "saw\n", "apache2.conf": apacheHead + `
LoadModule rewrite_module /usr/lib/apache2/modules/mod_rewrite.so
LoadModule headers_module /usr/lib/apache2/modules/mod_headers.so
Listen 127.0.0.1:{port}
AllowEncodedSlashes NoDecode
RewriteEngine On
RewriteRule ^ {dir}/saw.txt [L]
Header always set X-Saw "expr=%{THE_REQUEST}"
LogFormat "%{remote}p %r" told
CustomLog {dir}/seen.log told
`},
	},
	{
		name:  "haproxy",
		words: []string{"haproxy", "-db", "-f", "{dir}/haproxy.cfg"},
		loud:  true,
		files: map[string]string{"haproxy.cfg": haproxyHead + `
frontend told
	bind 127.0.0.1:{port}
	log-format "%cp %{+E}r"
	http-request return status 200 content-type text/plain string saw hdr X-Saw "%[url]"
`},
	},
	{
		name:  "lighttpd", // by default it refuses whatever can be read in two ways, and closes: it is not fooled by anything
		words: []string{"lighttpd", "-D", "-f", "{dir}/lighttpd.conf"},
		files: map[string]string{"lighttpd.conf": lighttpdHead + `
accesslog.format = "%{remote}p %r"
server.modules += ("mod_proxy")
proxy.server = ("" => (("host" => "127.0.0.1", "port" => {behind})))
`},
	},
	{
		name:  "varnish",
		words: []string{"varnishd", "-F", "-j", "none", "-T", "none", "-n", "{dir}", "-f", "{dir}/told.vcl", "-a", "127.0.0.1:{port}", "-s", "malloc,16m", "-p", "vsl_space=1M", "-p", "timeout_idle=60"},
		tells: []string{"varnishncsa", "-n", "{dir}", "-F", "%{VCL_Log:port}x %r"},
		files: map[string]string{"told.vcl": `
vcl 4.1;
import std;
backend behind { .host = "127.0.0.1"; .port = "{behind}"; }
sub vcl_recv {
	std.log("port:" + std.port(client.ip));
	return (pass);
}
`},
	},
	{
		name: "gunicorn",
		words: []string{"gunicorn", "-k", "gthread", "--threads", "4", "-w", "1", "-b", "127.0.0.1:{port}", "--keep-alive", "60", "--chdir", "{dir}",
			"--access-logfile", "{dir}/seen.log", "--access-logformat", "%({REMOTE_PORT}e)s %(r)s", "saw:app"},
		files: map[string]string{"saw.py": `
def app(environ, start_response):
    environ['wsgi.input'].read()
    start_response('200 OK', [('Content-Type', 'text/plain'), ('Content-Length', '4'), ('X-Saw', environ['RAW_URI'])])
    return [] if environ['REQUEST_METHOD'] == 'HEAD' else [b'saw\n'] # gunicorn would send it all the same
`},
	},
}

// What every file of these servers begins with: one process where there is a choice, in the foreground, with all that it writes in
// its folder.
const (
	nginxHead = `
daemon off;
master_process off;
pid {dir}/pid;
events { worker_connections 256; }
http {
	client_body_temp_path {dir}/body;
	proxy_temp_path {dir}/proxy;
	fastcgi_temp_path {dir}/fastcgi;
	uwsgi_temp_path {dir}/uwsgi;
	scgi_temp_path {dir}/scgi;
	keepalive_requests 100000;
	keepalive_timeout 60s;
`
	apacheHead = `
{user}
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
ServerName gatehouse.test
PidFile {dir}/pid
DefaultRuntimeDir {dir}
ErrorLog {dir}/error.log
DocumentRoot {dir}
StartServers 1
ServerLimit 1
ThreadsPerChild 8
MaxRequestWorkers 8
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 60
`
	haproxyHead = `
global
	nbthread 1
	expose-experimental-directives
	log stdout format raw local0 info
defaults
	mode http
	log global
	option dontlognull
	timeout client 60s
	timeout http-keep-alive 60s
`
	lighttpdHead = `
server.document-root = "{dir}"
server.bind = "127.0.0.1"
server.port = {port}
server.max-keep-alive-requests = 100000
server.max-keep-alive-idle = 60
server.modules = ("mod_accesslog")
accesslog.filename = "|exec cat >> {dir}/seen.log"
`
)
