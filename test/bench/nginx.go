//go:build linux

package main

import (
	"fmt"
	"os"
)

func nginx(program, dir string, at places) (plan, error) {
	user := ""
	if os.Getuid() == 0 {
		user = "user root;" // whose memory we may look at, in a folder that is closed to others
	}
	file, err := write(dir, "nginx.conf", fmt.Sprintf(`%[4]s
daemon off;
worker_processes %[5]d;
pid %[1]s/nginx.pid;
error_log %[1]s/error.log warn;
events { worker_connections 8192; }
http {
	access_log %[1]s/access.log combined buffer=64k flush=1s;
	client_body_temp_path %[1]s/t1; proxy_temp_path %[1]s/t2; fastcgi_temp_path %[1]s/t3; uwsgi_temp_path %[1]s/t4; scgi_temp_path %[1]s/t5;
	keepalive_requests 100000000;
	keepalive_timeout 300s;
	client_body_buffer_size 16k;
	proxy_max_temp_file_size 0;
	ssl_certificate %[6]s;
	ssl_certificate_key %[7]s;
	ssl_protocols TLSv1.3;
	ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;
	proxy_http_version 1.1;
	upstream app { server %[3]s; keepalive 128; keepalive_requests 100000000; }
	upstream calls { server %[9]s; keepalive 128; keepalive_requests 100000000; }
	server {
		listen %[2]s reuseport backlog=4096;
		listen %[8]s ssl http2 reuseport backlog=4096;
		location / { proxy_pass http://app; proxy_set_header Connection ""; proxy_set_header Host $host;
			proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme; }
		location /socket { proxy_pass http://app; proxy_set_header Connection upgrade; proxy_set_header Upgrade $http_upgrade;
			proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Proto $scheme;
			proxy_read_timeout 300s; }
		location /bench.Echo/ { grpc_pass grpc://calls; }
		location = /page { return 503; }
	}
}
`, dir, at.open, at.app, user, workers, at.cert, at.key, at.secret, at.calls))
	return plan{argv: []string{program, "-e", dir + "/error.log", "-c", file}, log: dir + "/access.log"}, err
}
