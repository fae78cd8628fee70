#!/usr/bin/env bash
# Every check but the README's test command: scripts/checks.sh, or scripts/checks.sh compile for those that
# only read and compile, and scripts/checks.sh run for those that run what is compiled. The two may go on
# side by side. Runs the same at home and in CI.
set -euo pipefail
cd "$(dirname "$0")/.."

# shellcheck source=scripts/step.sh
. scripts/step.sh

compile() {
    step cargo fmt --all --check
    step scripts/rooms.sh
    step scripts/public-suffixes.sh --check
    step cargo clippy --all-targets --all-features --quiet -- -D warnings
    RUSTDOCFLAGS="-D warnings" step cargo doc --all-features --no-deps --quiet
    step scripts/supply.sh types
    step scripts/package.sh
    step scripts/features.sh
    step scripts/wasm.sh
    # The faults of scripts/sabotage.sh still fit the code.
    step git apply --check fuzz/sabotage.patch
}

run() {
    step scripts/examples.sh
    step scripts/browsers.sh
    step scripts/stores.sh
    step scripts/fuzz.sh "${FUZZ_SECONDS:-4}"
    # Whether the tests notice when what changed last is changed again.
    step scripts/mutants.sh --in-diff
    # Whether the benches run, not what they measure: unoptimised, since that is built already.
    step cargo bench --quiet --profile dev --all-features --bench table -- --only d10h
}

case ${1:-} in
"")
    compile
    run
    ;;
compile | run) "$1" ;;
*) echo "usage: scripts/checks.sh [compile | run]" >&2 && exit 2 ;;
esac
