#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Everything a contributor must pass, set-up included. Prints a line a test and at the end "N passed, N failed, N skipped".
#
#   sh integration-tests/run.sh [WORD…]     only tests whose name contains a WORD
#   BUILD=folder                            where to build (default build-test); its logs are in BUILD/logs
set -u
cd "$(dirname "$0")/.." || exit 1
. deploy/packages.sh
# shellcheck disable=SC2086
packages_install $BUILD_PACKAGES clang clang-format libclang-rt-14-dev varnish curl nginx wrk nghttp2-client python3 iproute2 openssl procps hatop tmux ||
	exit 1
build=${BUILD:-build-test}
case $build in /*) ;; *) build=$PWD/$build ;; esac
mkdir -p "$build/logs" || exit 1
passed=0 failed=0 skipped=0
words=$*

wanted() {
	[ -z "$words" ] && return 0
	for word in $words; do case $1 in *"$word"*) return 0 ;; esac done
	return 1
}

# test_case NAME SECONDS COMMAND…: exit 0 passes, 77 skips (the last line of its output says why).
test_case() {
	name=$1 limit=$2
	shift 2
	wanted "$name" || return 0
	log=$build/logs/$(printf %s "$name" | tr '/ ' '__').log
	timeout -k 10 "$limit" "$@" >"$log" 2>&1 </dev/null
	status=$?
	case $status in
	0) passed=$((passed + 1)) && echo "ok      $name" ;;
	77) skipped=$((skipped + 1)) && echo "skipped $name: $(tail -n 1 "$log")" ;;
	*)
		failed=$((failed + 1))
		[ $status = 124 ] && echo "FAILED  $name: took over $limit s" || echo "FAILED  $name (exit $status)"
		tail -n 40 "$log" | sed 's/^/    /'
		;;
	esac
}

# compile NAME PRESET [TARGET…]: a build folder of that preset.
compile() {
	name=$1 preset=$2
	shift 2
	log=$build/logs/build-$name.log
	# The configure step may change compilers only in a fresh folder.
	[ -f "$build/$name/build.ninja" ] || cmake -G Ninja -B "$build/$name" -DPRESET="$preset" >"$log" 2>&1 &&
		cmake --build "$build/$name" ${*:+--target "$@"} >>"$log" 2>&1
	status=$?
	if [ $status != 0 ]; then
		failed=$((failed + 1))
		echo "FAILED  build $name"
		grep -E 'error|warning|FAILED' "$log" | head -n 20
		tail -n 5 "$log"
	fi
	return $status
}

# Every unit test of a build is a test of its own.
unit_tests() { # NAME [ctest options]
	label=$1
	shift
	for test in $(cd "$build/$label" && ctest -N "$@" | sed -n 's/.*Test *#[0-9]*: \([^ ]*\).*/\1/p'); do
		test_case "$label/$test" 240 sh -c "cd '$build/$label' && ctest --output-on-failure -R '^$test\$'"
	done
}

start=$(date +%s)
export PHALANX="$build/release/phalanx" PHALANXCTL="$build/release/phalanxctl"
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1 TSAN_OPTIONS=halt_on_error=1

test_case includes 60 sh integration-tests/check_includes.sh
test_case includes-can-fail 60 sh integration-tests/check_includes_self.sh
test_case format 300 sh integration-tests/check_format.sh
if compile release release; then
	unit_tests release
	for scenario in integration-tests/vtc/*.vtc; do
		test_case "vtc/$(basename "$scenario" .vtc)" 90 env HAPROXY_PROGRAM="$PHALANX" varnishtest "$scenario"
	done
	for script in integration-tests/scenarios/*.sh; do
		test_case "scenario/$(basename "$script" .sh)" 240 sh "$script"
	done
	test_case demo 120 env BUILD="$build/release" sh deploy/demo.sh --check
fi
if compile asan asan; then
	unit_tests asan -E '^sim\.'
	for scenario in integration-tests/vtc/*.vtc; do
		test_case "asan-vtc/$(basename "$scenario" .vtc)" 120 env HAPROXY_PROGRAM="$build/asan/phalanx" varnishtest "$scenario"
	done
fi
if compile tsan tsan; then
	unit_tests tsan -R '(io|match|peers|proxy|admin)\.test_(inbox|worker|loop|table|table_threads|link|replicate|backend|cli)'
fi
if CC=clang compile fuzz fuzz; then
	for fuzzer in "$build"/fuzz/fuzz_*; do
		[ -x "$fuzzer" ] && [ -f "$fuzzer" ] && test_case "fuzz/$(basename "$fuzzer")" 60 "$fuzzer" -max_total_time=8 -rss_limit_mb=2048 -verbosity=0
	done
fi
echo "took $(($(date +%s) - start)) s"
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
