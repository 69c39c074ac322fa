#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Three nodes: a server's death and return are known everywhere; so are a node's; phalanxctl's exit status tells.
. "$(dirname "$0")/../lib.sh"
. integration-tests/cluster_lib.sh
write_cluster ""
start_cluster
status() { "$PHALANXCTL" -s "$dir/$1.sock" status >"$dir/status.log" 2>&1; }
status_is() { status "$1"; [ $? = "$2" ]; }
wait_for 20 status_is n1 0 || fail "a healthy cluster does not exit with 0"
"$PHALANXCTL" -s "$dir/nowhere.sock" status >/dev/null 2>&1
[ $? = 2 ] || fail "a node that cannot be asked must exit with 2"

kill -9 $server_red
wait $server_red 2>/dev/null
wait_for 20 servers_are down red n1 n2 n3 || fail "the dead server is not down on all nodes"
status n2
[ $? = 1 ] || fail "a server that is down must exit with 1"
[ "$(field n2 "sorted(v for s in d['servers'] if s['server'] == 'red' for v in s['votes'].values())")" = "['down', 'down', 'down']" ] ||
	fail "not all nodes voted: $(field n2 "d['servers']")"
start_server red $((port + 7))
wait_for 20 servers_are up red n1 n2 n3 || fail "the server that came back is not up on all nodes"

kill -9 $node_n3
wait $node_n3 2>/dev/null
wait_for 20 nodes_are dead n1 n3 && wait_for 20 nodes_are dead n2 n3 || fail "the dead node is not known"
[ "$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:$((port + 1))/")" = 200 ] || fail "a survivor does not serve"
status n1
[ $? = 1 ] || fail "a dead node must exit with 1"
start_node n3
wait_for 30 whole || fail "the node that came back is not up everywhere"

kill -STOP $node_n2
wait_for 20 nodes_are dead n1 n2 || fail "the frozen node is not dead for n1"
kill -CONT $node_n2
wait_for 30 whole || fail "the node that thawed is not up everywhere"
kill $node_n2
wait $node_n2 2>/dev/null
wait_for 20 nodes_are left n1 n2 || fail "a node that ended by itself has not left: $(node_state n1 n2)"
for pid in $node_n1 $node_n3; do kill -0 $pid || fail "a node is gone"; done
