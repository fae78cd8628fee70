#!/usr/bin/env bash
# Every check but the README's test command. Runs the same at home and in CI.
set -euo pipefail
cd "$(dirname "$0")/.."

# shellcheck source=scripts/step.sh
. scripts/step.sh

step cargo fmt --all --check
step scripts/rooms.sh
step scripts/public-suffixes.sh --check
step cargo clippy --all-targets --all-features --quiet -- -D warnings
RUSTDOCFLAGS="-D warnings" step cargo doc --all-features --no-deps --quiet
step scripts/supply.sh types
step scripts/features.sh
step scripts/wasm.sh
step scripts/examples.sh
step scripts/browsers.sh
step scripts/stores.sh
step scripts/fuzz.sh "${FUZZ_SECONDS:-4}"
# The faults of scripts/sabotage.sh still fit the code.
step git apply --check fuzz/sabotage.patch
# Whether the tests notice when what changed last is changed again.
step scripts/mutants.sh --in-diff
# Whether the benches run, not what they measure: unoptimised, since that is built already.
step cargo bench --quiet --profile dev --all-features --bench table -- --only d10h
step scripts/package.sh
