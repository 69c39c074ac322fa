#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# After user and chroot the process has no privileges, and a reload still reads root's files and binds a low port.
. "$(dirname "$0")/../lib.sh"
[ "$(id -u)" = 0 ] || skip "needs root"
id nobody >/dev/null 2>&1 || skip "no user nobody"
port=$(free_ports 2)
mkdir "$dir/jail"
printf 'HTTP/1.0 503 Service Unavailable\r\nContent-Length: 5\r\n\r\nfirst' >"$dir/503.http"
chmod 600 "$dir/503.http"
write() {
	cat >"$dir/edge.cfg" <<-EOF
		global
		    user nobody
		    chroot $dir/jail
		    stats socket $dir/admin.sock level admin
		defaults
		    mode http
		    timeout connect 1s
		    timeout client 5s
		    timeout server 5s
		    errorfile 503 $dir/503.http
		frontend web
		    bind 127.0.0.1:$port
		    $1
		    default_backend none
		backend none
	EOF
	chmod 600 "$dir/edge.cfg"
}
write ""
start_phalanx "$dir/edge.cfg"
body() { [ "$(curl -s "http://127.0.0.1:$1/")" = "$2" ]; }
wait_for 20 body "$port" first || fail "the first error page is not served"
uid=$(awk '/^Uid/ {print $2}' "/proc/$phalanx_pid/status")
[ "$uid" = "$(id -u nobody)" ] || fail "the process runs as uid $uid"
[ "$(readlink "/proc/$phalanx_pid/root")" = "$(readlink -f "$dir/jail")" ] || fail "not in its chroot"
low=
for try in 443 444 445 446; do
	python3 -c "import socket; s = socket.socket(); s.bind(('127.0.0.1', $try))" 2>/dev/null && low=$try && break
done
[ -n "$low" ] || skip "no low port is free"
printf 'HTTP/1.0 503 Service Unavailable\r\nContent-Length: 6\r\n\r\nsecond' >"$dir/503.http"
write "bind 127.0.0.1:$low"
kill -HUP $phalanx_pid
wait_for 20 body "$low" second || fail "the reload could not read root's file or bind port $low"
