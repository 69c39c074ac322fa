# SPDX-License-Identifier: Apache-2.0
# Sourced by scenarios: a folder of their own, processes that end with them, waiting for conditions, free ports.
set -u
cd "$(dirname "$0")/../.." || exit 1
: "${PHALANX:=$PWD/build/phalanx}" "${PHALANXCTL:=$PWD/build/phalanxctl}"
dir=$(mktemp -d "${TMPDIR:-/tmp}/phalanx-test.XXXXXX") || exit 1
pids=

clean_up() {
	status=$?
	trap - EXIT INT TERM
	for pid in $pids; do kill "$pid" 2>/dev/null; done
	sleep 0.2
	for pid in $pids; do kill -9 "$pid" 2>/dev/null; done
	for pid in $pids; do wait "$pid" 2>/dev/null; done
	rm -rf "$dir"
	exit $status
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

fail() {
	echo "FAILED: $*"
	for log in "$dir"/*.log; do [ -s "$log" ] && { echo "--- $log"; tail -n 20 "$log"; }; done
	exit 1
}
skip() {
	echo "$*"
	trap - EXIT
	for pid in $pids; do kill "$pid" 2>/dev/null; done
	rm -rf "$dir"
	exit 77
}
# background LOG COMMAND…: sets $last to its pid
background() {
	log=$dir/$1.log
	shift
	"$@" >>"$log" 2>&1 &
	last=$!
	pids="$pids $last"
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
answers() { curl -s -m 5 -o /dev/null "$1"; }
# free_ports N: a base such that 127.0.0.1:base … base+N-1 are free now
free_ports() {
	python3 - "$1" <<-'EOF'
		import random, socket, sys
		n = int(sys.argv[1])
		while True:
		    base = random.randrange(20000, 60000 - n)
		    socks = []
		    try:
		        for i in range(n):
		            s = socket.socket()
		            socks.append(s)
		            s.bind(("127.0.0.1", base + i))
		        print(base)
		        break
		    except OSError:
		        pass
		    finally:
		        for s in socks:
		            s.close()
	EOF
}
# start_phalanx CONFIG [OPTION…]: in the background, log phalanx.log
start_phalanx() {
	config=$1
	shift
	background phalanx "$PHALANX" -f "$config" -db "$@"
	phalanx_pid=$last
}
cli() { # SOCKET COMMAND
	python3 - "$1" "$2" <<-'EOF'
		import socket, sys
		s = socket.socket(socket.AF_UNIX)
		s.settimeout(20)
		s.connect(sys.argv[1])
		s.sendall(sys.argv[2].encode() + b"\n")
		s.shutdown(socket.SHUT_WR)
		while True:
		    d = s.recv(65536)
		    if not d:
		        break
		    sys.stdout.write(d.decode(errors="replace"))
	EOF
}
# start_nginx PORT: serves $dir/www, and takes uploads by PUT
start_nginx() {
	command -v nginx >/dev/null || skip "nginx is not installed"
	mkdir -p "$dir/www" "$dir/body"
	cat >"$dir/nginx.conf" <<-EOF
		worker_processes 1;
		daemon off;
		master_process off;
		pid $dir/nginx.pid;
		error_log $dir/nginx.log warn;
		user root;
		events { worker_connections 12000; }
		worker_rlimit_nofile 16384;
		http {
		    access_log off;
		    client_max_body_size 0;
		    client_body_temp_path $dir/body;
		    proxy_temp_path $dir/proxy; fastcgi_temp_path $dir/f; uwsgi_temp_path $dir/u; scgi_temp_path $dir/s;
		    keepalive_requests 1000000;
		    keepalive_timeout 300s;
		    server {
		        listen 127.0.0.1:$1 backlog=4096;
		        root $dir/www;
		        location /put/ { dav_methods PUT; create_full_put_path on; }
		        location = /ok { return 200 "ok\n"; }
		    }
		}
	EOF
	[ "$(id -u)" = 0 ] || sed -i '/^user root/d' "$dir/nginx.conf"
	background nginx nginx -c "$dir/nginx.conf" -p "$dir"
	nginx_pid=$last
	wait_for 20 answers "http://127.0.0.1:$1/ok" || fail "nginx did not start"
}
