#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Options, exit statuses and messages that scripts and units rely on.
. "$(dirname "$0")/../lib.sh"
port=$(free_ports 1)
printf 'defaults\n  mode http\n  timeout client 1s\n  timeout server 1s\n  timeout connect 1s\nfrontend f\n  bind 127.0.0.1:%s\n  http-request return status 200\n' "$port" >"$dir/good.cfg"
printf 'frontend f\n  bind 127.0.0.1:%s\n  defaul_backend b\n  modee http\n' "$port" >"$dir/bad.cfg"
"$PHALANX" -c -q -f "$dir/good.cfg" || fail "-c refuses a good file"
"$PHALANX" -c -V -f "$dir/good.cfg" 2>&1 | grep -qi 'valid' || fail "-c -V does not say that it is valid"
"$PHALANX" -c -f "$dir/bad.cfg" 2>"$dir/messages" && fail "-c accepts a bad file"
"$PHALANX" -c -f "$dir/bad.cfg" >/dev/null 2>&1
[ $? = 1 ] || fail "-c of a bad file must exit with 1"
grep -q 'bad.cfg:3' "$dir/messages" && grep -q 'bad.cfg:4' "$dir/messages" || fail "not all errors come in one pass: $(cat "$dir/messages")"
grep -q '\^\^' "$dir/messages" || fail "the word is not underlined"
grep -q "did you mean 'mode'" "$dir/messages" || fail "no suggestion"
"$PHALANX" -v | grep -qi phalanx || fail "-v"
"$PHALANX" -vv | grep -qi pcre || fail "-vv"
"$PHALANX" help balance | grep -q roundrobin || fail "help balance"
"$PHALANX" -cc 'version_atleast(1.0)' >/dev/null || fail "-cc true"
"$PHALANX" -cc 'streq(a,b)' >/dev/null && fail "-cc false"
"$PHALANX" -f "$dir/good.cfg" -D -p "$dir/pid" || fail "-D"
wait_for 20 answers "http://127.0.0.1:$port/" || fail "no answer from the daemon"
pid=$(cat "$dir/pid")
kill -USR1 "$pid" # soft stop: nothing is running, so it ends
gone() { ! kill -0 "$pid" 2>/dev/null; }
wait_for 20 gone || { kill -9 "$pid"; fail "it did not end on SIGUSR1"; }
