#!/usr/bin/env bash
# Changes the code of the pure path in small ways, one at a time, and runs the tests that should notice:
#   scripts/mutants.sh                        everything that is listed below
#   scripts/mutants.sh src/protocol src/host  these folders only
#   scripts/mutants.sh --in-diff [BASE]       what has changed since BASE (by default: the last commit
#                                             that is also on main)
# Fails if a mutant survives that tests/mutants.md has no reason for. Options of cargo-mutants, such as
# `--baseline skip --shard 1/8`, come from MUTANTS_OPTIONS. Needs cargo-mutants:
# scripts/setup.sh --prove.
set -euo pipefail
cd "$(dirname "$0")/.."

export PATH="$PWD/target/tools/bin:$PATH"
command -v cargo-mutants >/dev/null || {
    echo "cargo-mutants is missing: run scripts/setup.sh --prove" >&2
    exit 1
}

# The pure path and the layers beside it, by the test binaries that are about them.
folders=(src/protocol src/origin src/fetch src/request src/lists src/policy src/host src/fetch_metadata)
tests=(--lib --test layer --test events --test policies --test servers)
selection=()
out=target/mutants
mkdir -p "$out"
if [ "${1:-}" = --in-diff ]; then
    base=${2:-$(git merge-base HEAD main)}
    # Without untracked files: add them to the index first.
    git diff "$base" -- src >"$out/changes.diff"
    selection+=(--in-diff "$out/changes.diff")
elif [ $# -gt 0 ]; then
    folders=("$@")
fi
for folder in "${folders[@]}"; do
    selection+=(--file "$folder/**/*.rs")
done

# shellcheck disable=SC2206
options=(${MUTANTS_OPTIONS:-})
status=0
cargo mutants --features serde,idna,tracing --output "$out" --minimum-test-timeout 20 --no-shuffle \
    "${selection[@]}" "${options[@]}" -- "${tests[@]}" || status=$?
# 0: none survived; 2: some did; 3: some ran into the time limit, which counts as noticed.
case $status in 0 | 2 | 3) ;; *) exit "$status" ;; esac
[ -e "$out/mutants.out/missed.txt" ] || exit 0

# Lines move, so a mutant is known by its file and what it does.
unexplained=0
while read -r mutant; do
    known=$(sed -E 's/^([^:]+):[0-9]+:[0-9]+: /\1: /' <<<"$mutant")
    if ! grep -qF -- "\`$known\`" tests/mutants.md; then
        echo "survives without a reason in tests/mutants.md: $mutant" >&2
        unexplained=1
    fi
done <"$out/mutants.out/missed.txt"
exit "$unexplained"
