#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The cluster in one command: installs what is missing, builds, starts three nodes and three sample servers on loopback, and shows
# them. With --check nobody needs to watch: it kills a node under load and proves that nothing was lost. Exit 0 when all held.
#
#   sh deploy/demo.sh            until Ctrl-C
#   sh deploy/demo.sh --check    at most a minute after the build
#   BUILD=folder                 uses that build instead of making ./build
set -u
cd "$(dirname "$0")/.." || exit 1
. deploy/packages.sh
check=no
[ "${1:-}" = --check ] && check=yes

say() { printf '%s\n' "$*"; }
fail() {
	say "FAILED: $*"
	for log in "$dir"/*.log; do
		[ -s "$log" ] && { say "--- $(basename "$log")"; tail -n 15 "$log"; }
	done
	exit 1
}

# ---- set-up ---------------------------------------------------------------------------------------------------------
# shellcheck disable=SC2086
packages_install $BUILD_PACKAGES curl || exit 1
build=${BUILD:-build}
if [ -z "${BUILD:-}" ]; then
	say "Building in ./$build …"
	[ -f $build/build.ninja ] || [ -f $build/Makefile ] || cmake -G Ninja -B $build -DPHX_TESTS=OFF >/dev/null || exit 1
	cmake --build $build --target phalanx phalanxctl || exit 1
fi
phalanx=$PWD/$build/phalanx
phalanxctl=$PWD/$build/phalanxctl
case $build in /*) phalanx=$build/phalanx phalanxctl=$build/phalanxctl ;; esac
dir=$(mktemp -d "${TMPDIR:-/tmp}/phalanx-demo.XXXXXX") || exit 1
pids=

stop_all() {
	trap - EXIT INT TERM
	for pid in $pids; do kill "$pid" 2>/dev/null; done
	for pid in $pids; do wait "$pid" 2>/dev/null; done
	rm -rf "$dir"
}
trap stop_all EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# ---- configurations: one file for all nodes, -L says which one ----------------------------------------------------------
write_configs() { # BASE: ports are BASE+1 … BASE+30
	cat >"$dir/edge.cfg" <<EOF
global
    nbthread 1
    maxconn 1000
    stats socket $dir/\${HAPROXY_LOCALPEER}.sock mode 600 level admin

cluster edge
    node n1 127.0.0.1:$(($1 + 11)) addr 127.0.0.1:$(($1 + 1))
    node n2 127.0.0.2:$(($1 + 12)) addr 127.0.0.2:$(($1 + 2))
    node n3 127.0.0.3:$(($1 + 13)) addr 127.0.0.3:$(($1 + 3))
    health quorum
    tables replicated

defaults
    mode http
    timeout connect 2s
    timeout client  30s
    timeout server  30s

frontend web
    .if streq("\$HAPROXY_LOCALPEER",n1)
    bind 127.0.0.1:$(($1 + 1))
    .elif streq("\$HAPROXY_LOCALPEER",n2)
    bind 127.0.0.2:$(($1 + 2))
    .else
    bind 127.0.0.3:$(($1 + 3))
    .endif
    default_backend app

backend app
    balance roundrobin
    stick-table type ip size 100k expire 30m store http_req_cnt,http_req_rate(10s) peers edge
    stick on src
    http-request track-sc0 src
    http-response set-header X-Requests %[sc_http_req_cnt(0)]
    http-response set-header X-Node "\${HAPROXY_LOCALPEER}"
    option httpchk GET /
    server red   127.0.0.1:$(($1 + 21)) check inter 500ms
    server green 127.0.0.1:$(($1 + 22)) check inter 500ms
    server blue  127.0.0.1:$(($1 + 23)) check inter 500ms
EOF
	{
		printf 'global\n    nbthread 1\ndefaults\n    mode http\n    timeout connect 1s\n    timeout client 30s\n    timeout server 30s\n'
		for server in red:21 green:22 blue:23; do
			printf 'frontend %s\n    bind 127.0.0.1:%s\n' "${server%:*}" $(($1 + ${server#*:}))
			printf '    http-request return status 200 content-type text/plain hdr X-Server %s lf-string "This is %s.\\n"\n' \
				"${server%:*}" "${server%:*}"
		done
	} >"$dir/servers.cfg"
}

start_node() { # NAME
	"$phalanx" -f "$dir/edge.cfg" -L "$1" -db >>"$dir/$1.log" 2>&1 &
	eval "pid_$1=$!"
	pids="$pids $!"
}

port_base() { # a range in which all of our ports are free
	for base in 8080 18080 28080 38080 48080; do
		write_configs $base
		"$phalanx" -f "$dir/servers.cfg" -db >"$dir/servers.log" 2>&1 &
		pid_servers=$!
		pids="$pids $!"
		start_node n1
		start_node n2
		start_node n3
		if wait_for 20 all_up; then return 0; fi
		alive=yes
		for pid in $pids; do kill -0 "$pid" 2>/dev/null || alive=no; done
		[ $alive = yes ] && return 1 # started, but does not become a cluster
		for pid in $pids; do kill "$pid" 2>/dev/null; wait "$pid" 2>/dev/null; done
		pids=
		rm -f "$dir"/*.log
	done
	return 1
}

# ---- looking ----------------------------------------------------------------------------------------------------------
node_state() { # ASKED NODE: what one node says of another
	"$phalanxctl" -s "$dir/$1.sock" nodes --json 2>/dev/null | tr -d ' \n' | tr '{' '\n' | sed -n "s/.*\"name\":\"$2\",\"state\":\"\([a-z]*\)\".*/\1/p"
}
sees_up() { # ASKED NODE…
	asked=$1
	shift
	for other in "$@"; do [ "$(node_state "$asked" "$other")" = up ] || return 1; done
}
all_up() {
	for pid in $pids; do kill -0 "$pid" 2>/dev/null || return 0; done # one is gone: no use in waiting
	for asked in n1 n2 n3; do sees_up $asked n1 n2 n3 || return 1; done
	servers_up n1 && servers_up n2 && servers_up n3
}
servers_up() {
	[ "$("$phalanxctl" -s "$dir/$1.sock" servers --json 2>/dev/null | tr -d ' \n' | tr '{' '\n' | grep -c '"state":"up"')" = 3 ]
}
entries() { # NODE
	"$phalanxctl" -s "$dir/$1.sock" tables --json 2>/dev/null | tr -d ' \n' | sed -n 's/.*"entries":\([0-9]*\).*/\1/p'
}
now_ms() { echo $(($(date +%s%N) / 1000000)); }
wait_for() { # SECONDS COMMAND…
	limit=$(($(now_ms) + $1 * 1000))
	shift
	until "$@"; do
		[ "$(now_ms)" -lt $limit ] || return 1
		sleep 0.05
	done
}
url() { # NODE
	case $1 in n1) echo "http://127.0.0.1:$((base + 1))/" ;; n2) echo "http://127.0.0.2:$((base + 2))/" ;; *) echo "http://127.0.0.3:$((base + 3))/" ;; esac
}
ask() { # NODE CLIENT: "server count", the client being a loopback address of its own
	curl -s -m 5 -o /dev/null -D - --interface "127.0.1.$2" "$(url "$1")" | tr -d '\r' |
		sed -n -e 's/^[xX]-[sS]erver: //p' -e 's/^[xX]-[rR]equests: //p' | sort -r | tr '\n' ' '
}

port_base || fail "the nodes did not become a cluster"
# A port range that was taken leaves dead nodes behind; port_base went on to the next one.
for pid in $pids; do kill -0 "$pid" 2>/dev/null || fail "a process ended at its start"; done

say ""
say "Three nodes, one configuration:"
for node in n1 n2 n3; do say "  $node  $(url $node)   phalanxctl -s $dir/$node.sock status"; done
say ""
"$phalanxctl" -s "$dir/n1.sock" status
say ""

if [ $check = no ]; then
	say "Try:  curl -i $(url n1)           X-Server says which server; ask n2 and n3: the same one, and X-Requests counts on"
	say "      kill -9 $pid_n1                     then ask the others, and look at the status again"
	say "Ctrl-C stops all of it."
	while :; do sleep 1; done
fi

# ---- the proof ------------------------------------------------------------------------------------------------------------
clients=20
i=1
while [ $i -le $clients ]; do
	ask n1 $i >/dev/null
	ask n1 $i >"$dir/before.$i"
	[ "$(wc -w <"$dir/before.$i")" = 2 ] || fail "client $i got no answer through n1"
	i=$((i + 1))
done
for server in red green blue; do
	cat "$dir"/before.* | grep -q $server || fail "no client was sent to $server"
done
say "1. $clients clients have their server through n1, two requests each."

same_entries() { [ "$(entries n1)" -ge $clients ] && [ "$(entries n2)" = "$(entries n1)" ] && [ "$(entries n3)" = "$(entries n1)" ]; }
wait_for 10 same_entries || fail "the table did not reach all nodes: $(entries n1), $(entries n2), $(entries n3) entries"
sleep 0.3
(while :; do curl -s -m 2 -o /dev/null --interface 127.0.2.1 "$(url n1)" || sleep 0.01; done) &
load=$!
pids="$pids $load"
sleep 0.5
kill -9 "$pid_n1"
killed=$(now_ms)
survivors_know() { [ "$(node_state n2 n1)" = dead ] && [ "$(node_state n3 n1)" = dead ]; }
wait_for 10 survivors_know || fail "n1 was killed, but n2 says $(node_state n2 n1) and n3 says $(node_state n3 n1)"
took=$(($(now_ms) - killed))
kill $load 2>/dev/null
wait $load 2>/dev/null
wait "$pid_n1" 2>/dev/null
say "2. n1 was killed under load; both survivors knew after $took ms (goal 1500)."
[ $took -le 5000 ] || fail "that is over 5 seconds"

verify() { # NODE COUNT: every client has its server, and its COUNT-th request was counted
	i=1
	while [ $i -le $clients ]; do
		read -r server _ <"$dir/before.$i"
		got=$(ask "$1" $i)
		[ "$got" = "$server $2 " ] || fail "client $i through $1: expected '$server $2', got '$got'"
		i=$((i + 1))
	done
}
verify n2 3
sleep 0.5
verify n3 4
say "3. Through n2, then n3: all $clients clients at the same servers, the counters went on at 3 and 4."

start_node n1
back() { sees_up n1 n1 n2 n3 && sees_up n2 n1 && sees_up n3 n1 && servers_up n1 && same_entries; }
wait_for 15 back || fail "n1 did not come back: it is $(node_state n2 n1), and holds $(entries n1) of $(entries n2) entries"
sleep 0.5
verify n1 5
say "4. n1 came back and had learned all: same servers, the counters went on at 5."
say ""
"$phalanxctl" -s "$dir/n2.sock" status
say ""
say "All held."
