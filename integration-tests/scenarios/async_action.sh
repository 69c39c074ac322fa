#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Rules around an action whose answer comes by message from elsewhere: the stream waits, others go on, and the list goes on
# behind the action. The action exists only where tests ask for it.
. "$(dirname "$0")/../lib.sh"
port=$(free_ports 1)
cat >"$dir/edge.cfg" <<EOF
global
    nbthread 1
    stats socket $dir/admin.sock level admin
defaults
    mode http
    timeout connect 1s
    timeout client 10s
    timeout server 10s
frontend web
    bind 127.0.0.1:$port
    http-request set-var(txn.steps) str(before)
    http-request test-wait 700ms if { path /wait }
    http-request set-var(txn.steps) var(txn.steps),concat(-after)
    http-request test-wait 50ms if { path /wait }
    http-request return status 200 content-type text/plain lf-string %[var(txn.steps)]-end
EOF
"$PHALANX" -c -q -f "$dir/edge.cfg" 2>/dev/null && fail "the test action is there without being asked for"
PHALANX_TEST_ACTIONS=1
export PHALANX_TEST_ACTIONS
start_phalanx "$dir/edge.cfg"
url=http://127.0.0.1:$port
wait_for 20 answers "$url/" || fail "the proxy did not start"
curl -s -m 20 -o "$dir/waited" -w '%{time_total}' "$url/wait" >"$dir/time" &
waiting=$!
i=0
while [ $i -lt 20 ]; do
	[ "$(curl -s -m 5 "$url/")" = before-after-end ] || fail "the one worker is held up by the stream that waits"
	i=$((i + 1))
done
wait $waiting || fail "the request that waited got no answer"
[ "$(cat "$dir/waited")" = before-after-end ] || fail "the rules went on wrongly: $(cat "$dir/waited")"
awk '{exit !($1 >= 0.75)}' "$dir/time" || fail "it did not wait: $(cat "$dir/time") s"
# Clients that leave while their stream waits: the late answers find nobody and do no harm.
i=0
while [ $i -lt 20 ]; do
	curl -s -m 0.2 -o /dev/null "$url/wait"
	i=$((i + 1))
done
calm() { cli "$dir/admin.sock" "show info" | grep -q '^CurrConns: 0'; }
wait_for 20 calm || fail "connections are left behind"
[ "$(curl -s -m 5 "$url/wait")" = before-after-end ] || fail "it does not work any more"
kill -INT $phalanx_pid
wait $phalanx_pid
status=$?
[ $status = 0 ] || [ $status = 130 ] || fail "it ended with $status"
