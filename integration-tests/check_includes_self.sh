#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The include check must fail when it should: a copy of the tree with one wrong include each.
here=$(cd "$(dirname "$0")/.." && pwd)
copy=$(mktemp -d) || exit 2
trap 'rm -rf "$copy"' EXIT
for folder in node config cluster peers; do
	(cd "$here" && find $folder -name '*.[ch]' ! -path '*/tests/*' | tar cf - -T -) | tar xf - -C "$copy"
done
sh "$here/integration-tests/check_includes.sh" "$copy" >/dev/null || { echo "the untouched copy fails"; exit 1; }
for wrong in 'node/base/str.h node/io/loop.h' 'node/http/msg.h node/proxy/stream.h' 'node/proxy/stream.h peers/link.h' \
	'cluster/membership.c node/io/loop.h' 'config/model.h node/match/expr.h'; do
	file=${wrong% *}
	cp "$copy/$file" "$copy/saved"
	echo "#include \"${wrong#* }\"" >>"$copy/$file"
	sh "$here/integration-tests/check_includes.sh" "$copy" >/dev/null && { echo "not noticed: $wrong"; exit 1; }
	cp "$copy/saved" "$copy/$file"
done
