#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Three nodes under load: counters are exact sums on every node, also over the death and return of a node and a reload; entries
# set or removed on one node are set or removed on all.
. "$(dirname "$0")/../lib.sh"
. integration-tests/cluster_lib.sh
command -v h2load >/dev/null || skip "h2load is not installed"
write_cluster "stick-table type string len 32 size 10k expire 30m store http_req_cnt,gpc0 peers edge
		    http-request track-sc0 path"
start_cluster
sum() { cli "$dir/$1.sock" "show table app key $2" | sed -n 's/.*http_req_cnt=\([0-9]*\).*/\1/p'; }
sums_are() { # COUNT KEY NODE…
	want=$1 key=$2
	shift 2
	for asked in "$@"; do [ "$(sum "$asked" "$key")" = "$want" ] || return 1; done
}
all_sums() { echo "n1 $(sum n1 "$1"), n2 $(sum n2 "$1"), n3 $(sum n3 "$1")"; }
load() { # NODE-NUMBER REQUESTS PATH
	timeout 60 h2load --h1 -t 1 -c 8 -n "$2" "http://127.0.0.1:$((port + $1))$3" >"$dir/h2load$1.log" 2>&1
	grep -q "$2 succeeded" "$dir/h2load$1.log" || fail "not all requests through n$1 succeeded: $(cat "$dir/h2load$1.log")"
}
load 1 4000 /a &
one=$!
load 2 3000 /a &
two=$!
load 3 2000 /a
wait $one && wait $two || fail "load"
wait_for 20 sums_are 9000 /a n1 n2 n3 || fail "sums differ from 9000: $(all_sums /a)"

kill -9 $node_n2
wait $node_n2 2>/dev/null
wait_for 20 nodes_are dead n1 n2 || fail "n2's death is not known"
load 1 500 /a
load 3 500 /b
wait_for 20 sums_are 9500 /a n1 n3 || fail "after a death sums differ from 9500: $(all_sums /a)"
start_node n2
wait_for 30 whole || fail "n2 did not come back"
wait_for 20 sums_are 9500 /a n1 n2 n3 || fail "n2 did not learn /a: $(all_sums /a)"
wait_for 20 sums_are 500 /b n1 n2 n3 || fail "n2 did not learn /b: $(all_sums /b)"
load 2 100 /a
wait_for 20 sums_are 9600 /a n1 n2 n3 || fail "n2's new life does not add to its old one: $(all_sums /a)"

kill -HUP $node_n1
load 1 100 /a
wait_for 20 sums_are 9700 /a n1 n2 n3 || fail "after a reload sums differ from 9700: $(all_sums /a)"

cli "$dir/n1.sock" "set table app key /set data.gpc0 7" >/dev/null
gpc() { cli "$dir/$1.sock" "show table app key $2" | sed -n 's/.*gpc0=\([0-9]*\).*/\1/p'; }
gpc_is() { [ "$(gpc n2 /set)" = 7 ] && [ "$(gpc n3 /set)" = 7 ]; }
wait_for 20 gpc_is || fail "what n1 set is '$(gpc n2 /set)' on n2 and '$(gpc n3 /set)' on n3"
cli "$dir/n3.sock" "clear table app key /set" >/dev/null
is_gone() { [ -z "$(gpc n1 /set)$(gpc n2 /set)$(gpc n3 /set)" ]; }
wait_for 20 is_gone || fail "what n3 removed is still there: '$(gpc n1 /set)' '$(gpc n2 /set)'"
