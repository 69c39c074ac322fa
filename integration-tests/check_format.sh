#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fails on a source that clang-format would change, that lacks its SPDX line, or that has grown over 1,000 lines.
cd "$(dirname "$0")/.." || exit 2
bad=0
for file in $(find node peers cluster config integration-tests -name '*.[ch]' | LC_ALL=C sort); do
	clang-format --dry-run -Werror "$file" >/dev/null 2>&1 || { echo "$file: not as clang-format writes it"; bad=1; }
	head -n 1 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0' || { echo "$file: the first line must be the SPDX line"; bad=1; }
	[ "$(wc -l <"$file")" -le 1000 ] || { echo "$file: over 1,000 lines"; bad=1; }
done
exit $bad
