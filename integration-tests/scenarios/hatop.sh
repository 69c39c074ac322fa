#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# hatop, the monitor that Debian ships for HAProxy, shows Phalanx on its screen and runs commands.
. "$(dirname "$0")/../lib.sh"
command -v hatop >/dev/null || skip "hatop is not installed"
command -v tmux >/dev/null || skip "tmux is not installed"
port=$(free_ports 2)
cat >"$dir/phalanx.cfg" <<EOF
global
    stats socket $dir/stats.sock level admin
    node the-edge
defaults
    mode http
    timeout client 5s
    timeout server 5s
    timeout connect 1s
frontend www
    bind 127.0.0.1:$port
    http-request return status 200
backend app
    server one 127.0.0.1:$((port + 1)) check inter 200
    server two 127.0.0.1:$((port + 1)) disabled
EOF
start_phalanx "$dir/phalanx.cfg"
wait_for 20 answers "http://127.0.0.1:$port/" || fail "did not start"

screen() { tmux -S "$dir/tmux" capture-pane -p; }
shows() { screen | grep -q "$1"; }
tmux -S "$dir/tmux" -f /dev/null new-session -d -x 120 -y 40 "TERM=screen hatop -s $dir/stats.sock 2>&1; sleep 60" || skip "tmux does not start"
end_tmux() { tmux -S "$dir/tmux" kill-server 2>/dev/null; clean_up; }
trap end_tmux EXIT
for text in "Phalanx Version" "Node: the-edge" ">>> www" "^FRONTEND .* OPEN" "^one .* DOWN .* L4CON" "^two .* MAINT" "^BACKEND .* DOWN"; do
	wait_for 15 shows "$text" || { screen; fail "hatop does not show '$text'"; }
done
tmux -S "$dir/tmux" send-keys 5
wait_for 10 shows "embedded interactive" || { screen; fail "hatop's command line does not open"; }
sleep 0.5
tmux -S "$dir/tmux" send-keys "get weight app/one" Enter
wait_for 10 shows "1 (initial 1)" || { screen; fail "hatop's command has no answer"; }
echo "hatop shows frontends, backends and servers, and runs commands"
