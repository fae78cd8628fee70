#!/usr/bin/env bash
# Runs fuzz targets for a while: scripts/fuzz.sh [SECONDS_EACH [TARGET...]], or all of them. Needs a C++
# compiler; the instrumentation is the stable compiler's, without sanitizers, since there is no unsafe
# code.
set -euo pipefail
cd "$(dirname "$0")/../fuzz"

seconds=${1:-20}
command -v c++ >/dev/null || { echo "fuzzing needs a C++ compiler (c++)" >&2; exit 1; }

host=$(rustc -vV | sed -n 's/^host: //p')
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
export RUSTFLAGS="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
-Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
-Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 -Cdebug-assertions"
if [ $# -gt 1 ]; then
    targets=("${@:2}")
else
    mapfile -t targets < <(sed -n 's/^name = "\([a-z_]*\)"$/\1/p' Cargo.toml)
fi
# A short run is mostly building.
if [ "$seconds" -lt 60 ]; then
    export CARGO_PROFILE_RELEASE_OPT_LEVEL=1
fi
cargo build --quiet --release "${targets[@]/#/--bin=}" --target "$host"

# One for each processor at a time.
fuzz() {
    local target=$1 binary=$2
    mkdir -p "corpus/$target" artifacts
    if ! "$binary/$target" "corpus/$target" "seeds/$target" \
        -max_total_time="$seconds" -timeout=5 -rss_limit_mb=1024 -max_len=16384 \
        -artifact_prefix=artifacts/ -print_final_stats=1 >"artifacts/$target.log" 2>&1; then
        # What is wrong stands before a backtrace, and the input that shows it at the end.
        grep -m 1 -A 3 "panicked at" "artifacts/$target.log" >&2 || true
        tail -n 12 "artifacts/$target.log" >&2
        echo "fuzzing $target failed" >&2
        exit 1
    fi
    echo "   $target, $seconds s: $(grep number_of_executed_units "artifacts/$target.log")"
}
export -f fuzz
export seconds
printf '%s\n' "${targets[@]}" |
    xargs -P "$(nproc)" -I TARGET bash -c 'fuzz "$@"' _ TARGET "$CARGO_TARGET_DIR/$host/release"
