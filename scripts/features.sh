#!/usr/bin/env bash
# Each feature alone, and none: they must build without a warning, and each example with what it needs.
# The tests of none must compile. With the argument `tests`, they must pass, and those of each feature compile.
set -euo pipefail
cd "$(dirname "$0")/.."

# Not `-D warnings`: with a flag for all crates they would all be checked anew. And not clippy, which
# has seen all of it with all features.
check() {
    echo "   $*"
    local said
    said=$(cargo check --quiet "$@" 2>&1 </dev/null) || { echo "$said" >&2; exit 1; }
    [ -z "$said" ] || { echo "$said" >&2; exit 1; }
}
check
check --tests
features=$(sed -n '/^\[features\]/,/^\[/p' Cargo.toml | grep -oE '^[a-z][a-z0-9-]* =' | tr -d ' =' | grep -v '^default$')
for feature in $features; do
    check --features "$feature"
done
# Each example with the features that it says it needs, and no others.
awk -F'"' '
    /^\[/ { kind = $0 }
    /^name =/ { name = $2 }
    /^required-features =/ && kind == "[[example]]" {
        list = $0; sub(/^[^[]*\[/, "", list); gsub(/[]" ]/, "", list); print name, list
    }
' Cargo.toml | while read -r name needed; do
    check --example "$name" --features "$needed"
done
# Without a signature backend: an error when keys are made, and no panic in a request.
cargo test --quiet --features jwt --test jwt_backend
if [ "${1:-}" = tests ]; then
    for feature in $features; do
        check --tests --features "$feature"
    done
    cargo test --quiet
fi
