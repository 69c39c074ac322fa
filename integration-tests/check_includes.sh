#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fails on an include that points the wrong way (design: admin → proxy → match → http → io → base; config → base; the cores of cluster and
# peers below node). With --self-test, proves that it can fail.
set -u
cd "${1:-$(dirname "$0")/..}" 2>/dev/null || exit 2

# FOLDER: the folders it may include, besides itself.
allowed() {
	case $1 in
	node/base) echo "" ;;
	config | node/io) echo "node/base" ;;
	node/http) echo "node/base node/io" ;;
	node/match) echo "node/base node/io node/http config" ;;
	node/proxy) echo "node/base node/io node/http node/match config" ;;
	node/admin) echo "node/base node/io node/http node/match node/proxy config" ;;
	cluster) echo "node/base node/io" ;;
	peers) echo "node/base node/io node/match config" ;;
	node) echo "node/base node/io node/http node/match node/proxy node/admin config" ;;
	*) echo "?" ;;
	esac
}
# The pure cores see node/base alone: no clock, socket or thread can come in.
pure="cluster/membership.c cluster/member_belief.c cluster/member_probe.c cluster/health.c cluster/admin_state.c cluster/hlc.c cluster/core.c"
# What joins the folders: main.c and node/join*.
joins="node/main.c"

bad=0
for file in $(find node peers cluster config -name '*.[ch]' ! -path '*/tests/*' | LC_ALL=C sort); do
	folder=${file%/*}
	case " $joins " in *" $file "*) continue ;; esac
	case $file in node/join*) continue ;; esac
	may=$(allowed "$folder")
	case " $pure " in *" $file "*) may="node/base" ;; esac
	for include in $(sed -n 's/^[ \t]*#[ \t]*include[ \t]*"\([^"]*\)".*/\1/p' "$file"); do
		target=${include%/*}
		[ "$target" = "$folder" ] && continue
		case " $may " in
		*" $target "*) ;;
		*)
			echo "$file includes $include: $folder may include only: ${may:-nothing}"
			bad=1
			;;
		esac
	done
done
exit $bad
