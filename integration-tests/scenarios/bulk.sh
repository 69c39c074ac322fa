#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# 2 GB down and 2 GB up through HTTP, and down through TCP, intact by checksum; a slow reader and a slow writer beside them.
. "$(dirname "$0")/../lib.sh"
port=$(free_ports 3)
[ "$(df -Pk "$dir" | awk 'NR == 2 {print $4}')" -gt 6000000 ] || skip "not enough disk for 2 GB files"
start_nginx "$port"
head -c 2147483648 /dev/zero | openssl enc -aes-128-ctr -K 000102030405060708090a0b0c0d0e0f -iv 00000000000000000000000000000000 >"$dir/www/big"
want=$(md5sum <"$dir/www/big" | cut -d' ' -f1)
cat >"$dir/edge.cfg" <<EOF
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
frontend web
    bind 127.0.0.1:$((port + 1))
    default_backend nginx
backend nginx
    server s1 127.0.0.1:$port
listen raw
    mode tcp
    bind 127.0.0.1:$((port + 2))
    server s1 127.0.0.1:$port
EOF
start_phalanx "$dir/edge.cfg"
wait_for 20 answers "http://127.0.0.1:$((port + 1))/ok" || fail "the proxy did not start"
sum() { md5sum | cut -d' ' -f1; }
curl -s --limit-rate 1m -r 0-3000000 -o "$dir/slow" "http://127.0.0.1:$((port + 1))/big" &
slow=$!
[ "$(curl -s "http://127.0.0.1:$((port + 1))/big" | sum)" = "$want" ] || fail "the download by HTTP is not intact"
[ "$(curl -s "http://127.0.0.1:$((port + 2))/big" | sum)" = "$want" ] || fail "the download by TCP is not intact"
curl -sf -T "$dir/www/big" -o /dev/null "http://127.0.0.1:$((port + 1))/put/big" || fail "the upload failed"
[ "$(sum <"$dir/www/put/big")" = "$want" ] || fail "the upload is not intact"
rm "$dir/www/put/big"
head -c 3000000 "$dir/www/big" | curl -sf --limit-rate 1m -H 'Transfer-Encoding: chunked' -T - -o /dev/null "http://127.0.0.1:$((port + 1))/put/slow" ||
	fail "the slow chunked upload failed"
[ "$(sum <"$dir/www/put/slow")" = "$(head -c 3000000 "$dir/www/big" | sum)" ] || fail "the slow chunked upload is not intact"
wait $slow || fail "the slow download failed"
[ "$(sum <"$dir/slow")" = "$(head -c 3000001 "$dir/www/big" | sum)" ] || fail "the slow download is not intact"
kill -0 $phalanx_pid || fail "the proxy is gone"
