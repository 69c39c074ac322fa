#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# 10,000 client connections at once, each kept and used.
. "$(dirname "$0")/../lib.sh"
command -v h2load >/dev/null || skip "h2load is not installed"
ulimit -n 24000 2>/dev/null || ulimit -n "$(ulimit -Hn)"
[ "$(ulimit -n)" = unlimited ] || [ "$(ulimit -n)" -ge 20000 ] || skip "only $(ulimit -n) descriptors allowed"
port=$(free_ports 2)
cat >"$dir/edge.cfg" <<EOF
global
    maxconn 10100
    stats socket $dir/admin.sock level admin
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
frontend web
    bind 127.0.0.1:$port backlog 8192
    http-request return status 200 content-type text/plain string ok
EOF
start_phalanx "$dir/edge.cfg"
wait_for 20 answers "http://127.0.0.1:$port/" || fail "the proxy did not start"
timeout 120 h2load --h1 -t 1 -c 10000 -n 40000 -T 100 -N 100 "http://127.0.0.1:$port/" >"$dir/h2load.log" 2>&1 || fail "h2load failed"
grep -q '40000 succeeded, 0 failed, 0 errored, 0 timeout' "$dir/h2load.log" || fail "not every request was answered"
calm() { cli "$dir/admin.sock" "show info" | grep -q '^CurrConns: 0'; }
wait_for 20 calm || fail "connections are left behind: $(cli "$dir/admin.sock" "show info" | grep CurrConns)"
