#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# One of two servers is killed and started again under load: redispatch hides it but for requests that were already sent.
. "$(dirname "$0")/../lib.sh"
port=$(free_ports 5)
printf 'defaults\n mode http\n timeout client 30s\n timeout server 30s\n timeout connect 1s\nfrontend s\n bind 127.0.0.1:%s\n http-request return status 200\n' "$port" >"$dir/s1.cfg"
sed "s/:$port/:$((port + 1))/" "$dir/s1.cfg" >"$dir/s2.cfg"
background s1 "$PHALANX" -f "$dir/s1.cfg" -db
s1=$last
background s2 "$PHALANX" -f "$dir/s2.cfg" -db
cat >"$dir/edge.cfg" <<EOF
global
    stats socket $dir/admin.sock level admin
defaults
    mode http
    timeout connect 1s
    timeout client 30s
    timeout server 30s
    retries 3
    option redispatch 1
frontend web
    bind 127.0.0.1:$((port + 2))
    default_backend app
backend app
    option httpchk GET /
    server s1 127.0.0.1:$port check inter 200ms
    server s2 127.0.0.1:$((port + 1)) check inter 200ms
EOF
start_phalanx "$dir/edge.cfg"
wait_for 20 answers "http://127.0.0.1:$((port + 2))/" || fail "the proxy did not start"
requests() { # how many of 200 fail
	bad=0
	for _ in $(seq 200); do
		[ "$(curl -s -m 10 -o /dev/null -w '%{http_code}' "http://127.0.0.1:$((port + 2))/")" = 200 ] || bad=$((bad + 1))
	done
	echo $bad
}
state() { cli "$dir/admin.sock" "show stat app 4 -1" | grep -q "^app,$1,.*,$2"; }
[ "$(requests)" = 0 ] || fail "requests failed with both servers up"
kill -9 $s1
wait $s1 2>/dev/null
[ "$(requests)" = 0 ] || fail "requests failed though the other server was there"
wait_for 20 state s1 DOWN || fail "the dead server was not noticed"
background s1 "$PHALANX" -f "$dir/s1.cfg" -db
wait_for 20 state s1 UP || fail "the server that came back was not noticed"
[ "$(requests)" = 0 ] || fail "requests failed after it came back"
