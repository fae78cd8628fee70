#!/usr/bin/env bash
# Changes the code in small ways, one at a time, and runs the tests that should notice:
#   scripts/mutants.sh                        everything that is listed below
#   scripts/mutants.sh src/protocol src/host  these folders or files only
#   scripts/mutants.sh --in-diff [BASE]       what has changed since BASE (by default: the last commit
#                                             that is also on main; on main, what its last commit changed)
# Fails if a mutant survives that tests/mutants.md has no reason for; those with a reason are not run.
# cargo-mutants says what to change; mutants.py builds and runs. Options such as `--shard 1/8` come from MUTANTS_OPTIONS.
set -euo pipefail
cd "$(dirname "$0")/.."

# Folders and files | the test programs that are about them, without tests that take seconds and are about
# something else, and without one that counts allocations: to note what a test reaches makes some.
groups='
src/protocol src/origin src/fetch src/request src/lists src/policy src/host src/fetch_metadata src/pairs.rs src/lines.rs src/escaped.rs | --lib --test origin --test layer --test events --test explain --test policies --test servers -- --skip token:: --skip trusted:: --skip lookups_allocate_nothing
src/token src/revocation src/preflight | --lib --test token --test explain --test policies --test servers -- --skip origin::set --skip trusted:: --skip lookups_allocate_nothing --skip costs_no_allocation
src/trusted | --lib --test trusted --test explain --test layer -- --skip origin::set --skip token:: --skip resync::a_hundred_thousand
'
out=target/mutants
mkdir -p "$out"
in_diff=()
wanted=()
if [ "${1:-}" = --in-diff ]; then
    base=${2:-$(git merge-base HEAD main 2>/dev/null || git rev-parse HEAD)}
    if [ $# -lt 2 ] && [ "$base" = "$(git rev-parse HEAD)" ] && git diff --quiet HEAD -- src; then
        base=HEAD^
    fi
    if ! git rev-parse --quiet --verify "$base^{commit}" >/dev/null; then
        echo "this checkout has no history: nobody can tell what has changed" >&2
        exit 77
    fi
    # Without untracked files: add them to the index first.
    git diff "$base" -- src >"$out/changes.diff"
    if ! [ -s "$out/changes.diff" ]; then
        echo "nothing in src has changed since $base"
        exit 0
    fi
    in_diff=(--in-diff "$out/changes.diff")
else
    wanted=("$@")
fi

# Unoptimised, which takes half the time to build, and is fast enough to make lists.
[ -x target/tools/bin/cargo-mutants ] ||
    CARGO_PROFILE_DEV_DEBUG=false cargo install --quiet --debug --locked --root target/tools cargo-mutants@27.1.0
export PATH="$PWD/target/tools/bin:$PATH"

files_of() {
    case $1 in
    *.rs) printf '%s\n' --file "$1" ;;
    *) printf '%s\n' --file "$1/**/*.rs" ;;
    esac
}

# What of a group's folders is to be changed, as options: all of it, or what was named on the command line.
selection() {
    local folder path
    for folder in "$@"; do
        if [ ${#wanted[@]} = 0 ]; then
            files_of "$folder"
        fi
        for path in "${wanted[@]}"; do
            case ${path%/}/ in
            "$folder"/*) files_of "${path%/}" ;;
            esac
        done
    done
}

# A test starts it. It is that of the checkout, without any mutant.
cargo build --quiet --all-features --example config_server

# shellcheck disable=SC2206
options=(${MUTANTS_OPTIONS:-})
unexplained=0
found=0
while IFS='|' read -r folders tests; do
    # shellcheck disable=SC2086
    mapfile -t selected < <(selection $folders)
    [ ${#selected[@]} -gt 0 ] || continue
    found=1
    # The results stand in target/mutants/src/token, for example.
    into=$out/${folders%% *}
    rm -rf "$into"
    mkdir -p "$into"
    : >"$into/missed.txt"
    cargo mutants --list --json "${selected[@]}" "${in_diff[@]}" "${options[@]}" >"$into/list.json"
    # shellcheck disable=SC2086
    scripts/mutants.py "$into/list.json" tests/mutants.md "$into" $tests

    while read -r mutant; do
        echo "survives without a reason in tests/mutants.md: $mutant" >&2
        unexplained=1
    done <"$into/missed.txt"
done < <(grep . <<<"$groups")
if [ "$found" = 0 ]; then
    echo "not in any of the groups: ${wanted[*]}" >&2
    exit 1
fi
exit "$unexplained"
