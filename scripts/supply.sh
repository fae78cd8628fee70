#!/usr/bin/env bash
# What the crate depends on, and what it promises to those who depend on it: scripts/supply.sh, or
# scripts/supply.sh CHECK... with one or some of
#   deny        licences, bans and sources of all dependencies (deny.toml)
#   advisories  no dependency has a published hole: 77 if the database of advisories is out of reach
#   types       which types of other crates are in the public interface
#   publish     a rehearsal of the publication
# cargo-deny is installed by scripts/setup.sh --prove.
set -euo pipefail
cd "$(dirname "$0")/.."

export PATH="$PWD/target/tools/bin:$PATH"

need_deny() {
    command -v cargo-deny >/dev/null || {
        echo "cargo-deny is missing: run scripts/setup.sh --prove" >&2
        exit 1
    }
}

deny() {
    need_deny
    cargo deny --log-level error check licenses bans sources
}

# The database is fetched, and where nothing can be fetched there is nothing to check against. That is
# told, and is no success: 77 is for what was not checked.
advisories() {
    need_deny
    local told
    told=$(cargo deny --log-level error check advisories 2>&1) && return
    echo "$told" >&2
    if grep -q "failed to fetch advisory database" <<<"$told"; then
        echo "not checked: the database of advisories is out of reach" >&2
        exit 77
    fi
    exit 1
}

types() {
    scripts/external-types.sh
}

publish() {
    scripts/package.sh
    cargo publish --dry-run --quiet --all-features --allow-dirty
}

[ $# -gt 0 ] || set -- deny types publish advisories
for check in "$@"; do
    case $check in
    deny | advisories | types | publish) ;;
    *) echo "no check is called $check" >&2 && exit 2 ;;
    esac
    echo "   $check"
    "$check"
done
