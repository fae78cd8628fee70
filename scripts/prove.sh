#!/usr/bin/env bash
# Every proof of this repository, on a fresh machine, and one table at the end: scripts/prove.sh, which
# takes hours, or scripts/prove.sh EXPRESSION for the checks whose command it matches, as in
#   scripts/prove.sh 'browsers|stores'
# Goes on after a failure, and fails at the end. A tool that is missing is a failure with a message. The
# output of all checks is in target/prove.log, the table in target/prove.md.
set -euo pipefail
cd "$(dirname "$0")/.."

mkdir -p target
report=$(mktemp)
trap 'rm -f "$report"' EXIT
export ONLY=${1:-} REPORT=$report
# Everything is compiled once, and nobody debugs it here.
export CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_DEBUG=false
# The short form is a part of .ci/run.
export FUZZ_SECONDS=${FUZZ_SECONDS:-300} FIGURES=1 GARBAGE_TOKENS=1000000
# shellcheck source=scripts/step.sh
. scripts/step.sh

# Runs it beside others, and prints at its end what it has said. Its steps go into the same table.
beside() {
    local said
    said=$(mktemp)
    "$@" >"$said" 2>&1
    cat "$said"
    rm -f "$said"
}
prove() {
    step scripts/setup.sh --prove
    # Tests of servers and browsers mostly wait. Meanwhile, what only compiles goes on behind them.
    beside nice scripts/checks.sh compile &
    # shellcheck disable=SC2046
    step $(grep -m1 -oE '^cargo test .*$' README.md)
    scripts/checks.sh run
    wait
    for check in deny publish advisories; do
        step scripts/supply.sh "$check"
    done
    step scripts/features.sh tests
    step scripts/minimal-versions.sh
    step scripts/wasm.sh refusals
    # Load and faults at their full size, with all processors for them. Then the whole model, which needs
    # one, beside what shows that the proofs can fail.
    step scripts/load.sh
    beside step scripts/model.sh &
    step scripts/sabotage.sh
    wait
    step scripts/mutants.sh
    step cargo bench --quiet --bench table
}
prove 2>&1 | tee target/prove.log

table() {
    printf '| check | result | time |\n|---|---|---:|\n'
    while IFS=$'\t' read -r check result seconds; do
        printf '| `%s` | %s | %d:%02d:%02d |\n' \
            "$check" "$result" $((seconds / 3600)) $((seconds / 60 % 60)) $((seconds % 60))
    done <"$report"
}
table | tee target/prove.md
if ! [ -s "$report" ]; then
    echo "no check matches $ONLY" >&2
    exit 2
fi
if cut -f2 "$report" | grep -q FAILED; then
    exit 1
fi
if cut -f2 "$report" | grep -q 'NOT CHECKED'; then
    echo "nothing failed, and not everything could be checked here" >&2
fi
