#!/usr/bin/env bash
# Changes the code in small ways, one at a time, and runs the tests that should notice:
#   scripts/mutants.sh                        everything that is listed below
#   scripts/mutants.sh src/protocol src/host  these folders or files only
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

# Folders | features | the test binaries that are about them, without tests that take seconds and are about
# something else.
groups='
src/protocol src/origin src/fetch src/request src/lists src/policy src/host src/fetch_metadata | --features serde,idna,tracing | --lib --test layer --test events --test policies --test servers
src/token src/revocation | --all-features | --lib --test token --test explain --test servers -- --skip origin::set --skip trusted::
src/trusted | --all-features | --lib --test trusted -- --skip origin::set --skip token:: --skip resync::a_hundred_thousand
'
out=target/mutants
mkdir -p "$out"
in_diff=()
wanted=()
if [ "${1:-}" = --in-diff ]; then
    base=${2:-$(git merge-base HEAD main)}
    # Without untracked files: add them to the index first.
    git diff "$base" -- src >"$out/changes.diff"
    in_diff=(--in-diff "$out/changes.diff")
else
    wanted=("$@")
fi

# What of a group's folders is to be changed, as options: all of it, or what was named on the command line.
selection() {
    local folder path
    for folder in "$@"; do
        if [ ${#wanted[@]} = 0 ]; then
            printf '%s\n' --file "$folder/**/*.rs"
        fi
        for path in "${wanted[@]}"; do
            case $path/ in
            "$folder"/*.rs/) printf '%s\n' --file "$path" ;;
            "$folder"/*) printf '%s\n' --file "${path%/}/**/*.rs" ;;
            esac
        done
    done
}

# shellcheck disable=SC2206
options=(${MUTANTS_OPTIONS:-})
unexplained=0
found=0
while IFS='|' read -r folders features tests; do
    # shellcheck disable=SC2086
    mapfile -t selected < <(selection $folders)
    [ ${#selected[@]} -gt 0 ] || continue
    found=1
    # The results stand in target/mutants/src/token, for example.
    into=$out/${folders%% *}
    rm -rf "$into"
    mkdir -p "$into"
    status=0
    # shellcheck disable=SC2086
    cargo mutants $features --output "$into" --minimum-test-timeout 20 --no-shuffle \
        "${selected[@]}" "${in_diff[@]}" "${options[@]}" -- $tests </dev/null || status=$?
    # 0: none survived; 2: some did; 3: some ran into the time limit, which counts as noticed.
    case $status in 0 | 2 | 3) ;; *) exit "$status" ;; esac
    [ -e "$into/mutants.out/missed.txt" ] || continue

    # Lines move, so a mutant is known by its file and what it does.
    while read -r mutant; do
        known=$(sed -E 's/^([^:]+):[0-9]+:[0-9]+: /\1: /' <<<"$mutant")
        if ! grep -qF -- "\`$known\`" tests/mutants.md; then
            echo "survives without a reason in tests/mutants.md: $mutant" >&2
            unexplained=1
        fi
    done <"$into/mutants.out/missed.txt"
done < <(grep . <<<"$groups")
if [ "$found" = 0 ]; then
    echo "not in any of the groups: ${wanted[*]}" >&2
    exit 1
fi
exit "$unexplained"
