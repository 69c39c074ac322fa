# SPDX-License-Identifier: Apache-2.0
# Sourced: packages_install NAME… installs those Debian packages that are missing, and nothing when all are there.

BUILD_PACKAGES="gcc libc6-dev make cmake ninja-build pkg-config libnanomsg-dev libmsgpack-dev libpcre2-dev zlib1g-dev libssl-dev
	libxxhash-dev libjansson-dev libncurses-dev libcmocka-dev"

packages_install() {
	missing=
	for package in "$@"; do
		dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
	done
	[ -n "$missing" ] || return 0
	echo "Installing:$missing"
	as_root=
	if [ "$(id -u)" != 0 ]; then
		command -v sudo >/dev/null || { echo "Not root and no sudo: install these packages first:$missing" >&2; return 1; }
		as_root=sudo
	fi
	$as_root apt-get update -qq || true
	# shellcheck disable=SC2086
	DEBIAN_FRONTEND=noninteractive $as_root apt-get install -y -qq --no-install-recommends $missing >/dev/null
}
