#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The manual pages: phalanx.cfg(5) is what the program's tables say today; phalanx(1) has every option; none has an error.
. "$(dirname "$0")/../lib.sh"
page=deploy/man/phalanx.cfg.5
sh deploy/man/generate.sh "$PHALANX" >"$dir/page" || fail "the page cannot be generated"
[ "$(wc -l <"$dir/page")" -gt 1000 ] || fail "the generated page is too short: $(wc -l <"$dir/page") lines"
cmp -s "$page" "$dir/page" || {
	diff -u "$page" "$dir/page" | head -n 40
	fail "$page is not what the tables say: sh deploy/man/generate.sh build/phalanx >$page"
}
"$PHALANX" -Z 2>&1 | sed -n 's/^  \(-[A-Za-z]*\).*/\1/p' >"$dir/options"
[ "$(wc -l <"$dir/options")" -gt 10 ] || fail "no options in the usage text"
while read -r option; do
	grep -q -- "\\\\$option\b" deploy/man/phalanx.1 || fail "phalanx.1 does not have $option"
done <"$dir/options"
if command -v groff >/dev/null; then
	for file in deploy/man/*.[15]; do
		groff -K utf8 -man -Tutf8 -ww "$file" 2>&1 >/dev/null | head -n 5 >"$dir/warnings"
		[ -s "$dir/warnings" ] && { cat "$dir/warnings"; fail "groff complains of $file"; }
	done
fi
echo "the manual pages are up to date"
