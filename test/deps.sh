#!/bin/sh
# Installs what the tests need and the machine lacks: a Redis server, a browser, and the servers before which Gatehouse is tried. It asks for nothing that is there already.
# "deps.sh peers" is for make bench: the servers it compares with, where they can be had. It never fails: the table says who was there.
set -eu

if [ "${1:-}" = peers ]; then
	missing=
	command -v redis-server >/dev/null || missing="$missing redis-server"
	[ -x /usr/sbin/nginx ] || command -v nginx >/dev/null || missing="$missing nginx-light"
	[ -x /usr/sbin/haproxy ] || command -v haproxy >/dev/null || missing="$missing haproxy"
	[ -n "$missing" ] && command -v apt-get >/dev/null || exit 0
	as=
	[ "$(id -u)" = 0 ] || as="sudo -n" # without asking: they are not needed
	echo "installing:$missing"
	$as apt-get update -qq || true
	for p in $missing; do
		$as env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$p" >/dev/null ||
			echo "no $p: make bench goes on without" >&2
	done
	exit 0
fi

missing=
command -v redis-server >/dev/null || missing="$missing redis-server"
command -v chromium >/dev/null || command -v google-chrome >/dev/null || missing="$missing chromium"
command -v cc >/dev/null || missing="$missing gcc libc6-dev" # the race detector needs cgo
# Each server by its program and its package. Debian keeps most of them where an ordinary PATH does not look.
for pair in nginx:nginx-light apache2:apache2-bin haproxy:haproxy lighttpd:lighttpd varnishd:varnish gunicorn:gunicorn slowhttptest:slowhttptest; do
	PATH=$PATH:/usr/sbin command -v "${pair%:*}" >/dev/null || missing="$missing ${pair#*:}"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
	echo "the tests need:$missing; install them and run this again" >&2
	exit 1
fi
as=
[ "$(id -u)" = 0 ] || as=sudo
echo "installing:$missing"
$as apt-get update -qq
# RUNLEVEL keeps the packaged servers from starting as services, which nobody asked for.
$as env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
