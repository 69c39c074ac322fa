#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fifty reloads under load, the server list changing each time: no failed request; a wrong file changes nothing; counters, tables and
# established connections survive; no second process.
. "$(dirname "$0")/../lib.sh"
command -v wrk >/dev/null || skip "wrk is not installed"
port=$(free_ports 4)
start_nginx "$port"
write() { # N SERVERS
	{
		cat <<-EOF
			global
			    stats socket $dir/admin.sock level admin
			defaults
			    mode http
			    timeout connect 5s
			    timeout client 60s
			    timeout server 60s
			frontend web
			    bind 127.0.0.1:$((port + 1))
			    stick-table type ip size 1k expire 10m store http_req_cnt
			    http-request track-sc0 src
			    http-response set-header X-Generation $1
			    default_backend app
			backend app
		EOF
		[ $(($1 % 2)) = 0 ] && echo "    server extra 127.0.0.1:$port"
		echo "    server s1 127.0.0.1:$port"
		[ $(($1 % 3)) = 0 ] && printf 'frontend third\n    bind 127.0.0.1:%s\n    http-request return status 200\n' $((port + 2))
	} >"$dir/new.cfg"
	mv "$dir/new.cfg" "$dir/edge.cfg"
}
generation() { [ "$(curl -s -D - -o /dev/null "http://127.0.0.1:$((port + 1))/ok" | tr -d '\r' | sed -n 's/^x-generation: //Ip')" = "$1" ]; }
write 1
start_phalanx "$dir/edge.cfg"
wait_for 20 generation 1 || fail "the proxy did not start"
background wrk wrk -t1 -c32 -d60s "http://127.0.0.1:$((port + 1))/ok"
wrk_pid=$last
i=2
while [ $i -le 50 ]; do
	write $i
	kill -HUP $phalanx_pid
	wait_for 20 generation $i || fail "reload $i did not take effect"
	i=$((i + 1))
done
echo "nonsense here" >>"$dir/edge.cfg"
kill -USR2 $phalanx_pid
said() { cli "$dir/admin.sock" "show startup-logs" | grep -q nonsense; }
wait_for 20 said || fail "the wrong file was not complained about"
generation 50 || fail "a wrong file changed something"
kill -INT $wrk_pid
wait $wrk_pid
grep -E 'Non-2xx|Socket errors' "$dir/wrk.log" && fail "requests failed during the reloads"
grep -q 'requests in' "$dir/wrk.log" || fail "wrk made no requests"
total=$(sed -n 's/ *\([0-9]*\) requests in.*/\1/p' "$dir/wrk.log")
counted=$(cli "$dir/admin.sock" "show table web" | sed -n 's/.*http_req_cnt=\([0-9]*\).*/\1/p')
[ "${counted:-0}" -ge "$total" ] || fail "the table lost counts: $counted of at least $total"
[ "$(pgrep -c -P $$ -f "$PHALANX -f $dir")" -le 2 ] || fail "a second process lingers"
kill -0 $phalanx_pid || fail "the proxy is gone"
