# SPDX-License-Identifier: Apache-2.0
# Sourced behind lib.sh: a cluster of three nodes on loopback with two sample servers.
command -v "$PHALANXCTL" >/dev/null || fail "no phalanxctl at $PHALANXCTL"
port=$(free_ports 12) # +1..3 frontends, +4..6 links, +7 +8 servers

write_cluster() { # LINES for the backend
	cat >"$dir/edge.cfg" <<-EOF
		global
		    nbthread 2
		    stats socket $dir/\${HAPROXY_LOCALPEER}.sock level admin
		cluster edge
		    node n1 127.0.0.1:$((port + 4)) addr 127.0.0.1:$((port + 1))
		    node n2 127.0.0.1:$((port + 5)) addr 127.0.0.1:$((port + 2))
		    node n3 127.0.0.1:$((port + 6)) addr 127.0.0.1:$((port + 3))
		    health ${health:-quorum}
		    tables replicated
		defaults
		    mode http
		    timeout connect 2s
		    timeout client 30s
		    timeout server 30s
		frontend web
		    .if streq("\$HAPROXY_LOCALPEER",n1)
		    bind 127.0.0.1:$((port + 1))
		    .elif streq("\$HAPROXY_LOCALPEER",n2)
		    bind 127.0.0.1:$((port + 2))
		    .else
		    bind 127.0.0.1:$((port + 3))
		    .endif
		    default_backend app
		backend app
		    option httpchk GET /
		    $1
		    server red 127.0.0.1:$((port + 7)) check inter 300ms
		    server green 127.0.0.1:$((port + 8)) check inter 300ms
	EOF
}
start_server() { # NAME PORT
	printf 'global\n nbthread 1\ndefaults\n mode http\n timeout connect 1s\n timeout client 30s\n timeout server 30s\nfrontend %s\n bind 127.0.0.1:%s\n http-request return status 200 hdr X-Server %s\n' "$1" "$2" "$1" >"$dir/$1.cfg"
	background "$1" "$PHALANX" -f "$dir/$1.cfg" -db
	eval "server_$1=$last"
}
start_node() {
	background "$1" "$PHALANX" -f "$dir/edge.cfg" -L "$1" -db
	eval "node_$1=$last"
}
field() { # NODE WHAT FILTER: prints a JSON value by a python expression over d
	"$PHALANXCTL" -s "$dir/$1.sock" status --json 2>/dev/null | python3 -c "import json, sys
d = json.load(sys.stdin)
print($2)" 2>/dev/null
}
node_state() { field "$1" "[n['state'] for n in d['nodes'] if n['name'] == '$2'][0]"; }
server_state() { field "$1" "[s['state'] for s in d['servers'] if s['server'] == '$2'][0]"; }
entries() { field "$1" "[t['entries'] for t in d['tables'] if t['name'] == 'app'][0]"; }
nodes_are() { # STATE ASKED OTHER…
	want=$1 asked=$2
	shift 2
	for other in "$@"; do [ "$(node_state "$asked" "$other")" = "$want" ] || return 1; done
}
servers_are() { # STATE SERVER NODE…
	want=$1 name=$2
	shift 2
	for asked in "$@"; do [ "$(server_state "$asked" "$name")" = "$want" ] || return 1; done
}
whole() { nodes_are up n1 n1 n2 n3 && nodes_are up n2 n1 n2 n3 && nodes_are up n3 n1 n2 n3; }
start_cluster() {
	start_server red $((port + 7))
	start_server green $((port + 8))
	start_node n1
	start_node n2
	start_node n3
	wait_for 30 whole || fail "the nodes did not become a cluster: $("$PHALANXCTL" -s "$dir/n1.sock" status 2>&1)"
	wait_for 30 servers_are up red n1 n2 n3 && wait_for 30 servers_are up green n1 n2 n3 || fail "the servers are not up everywhere"
}
