#!/bin/sh
# Installs what the tests need and the machine lacks: a Redis server and a browser. It asks for nothing that is there already.
set -eu

missing=
command -v redis-server >/dev/null || missing="$missing redis-server"
command -v chromium >/dev/null || command -v google-chrome >/dev/null || missing="$missing chromium"
command -v cc >/dev/null || missing="$missing gcc libc6-dev" # the race detector needs cgo
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null; then
	echo "the tests need:$missing; install them and run this again" >&2
	exit 1
fi
as=
[ "$(id -u)" = 0 ] || as=sudo
echo "installing:$missing"
$as apt-get update -qq
# RUNLEVEL keeps the packaged Redis from starting as a service, which nobody asked for.
$as env RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
