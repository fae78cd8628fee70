#!/usr/bin/env bash
# Each feature alone, and none: they must build without a warning, and each example with what it needs.
# With the argument `tests`, the plain tests must pass without any feature, too.
set -euo pipefail
cd "$(dirname "$0")/.."

# Clippy shares the checked dependencies with the check of the whole; with a flag for all crates they
# would all be checked anew.
cargo clippy --quiet -- -D warnings
features=$(sed -n '/^\[features\]/,/^\[/p' Cargo.toml | grep -oE '^[a-z][a-z0-9-]* =' | tr -d ' =' | grep -v '^default$')
for feature in $features; do
    echo "   --features $feature"
    cargo clippy --quiet --features "$feature" -- -D warnings
done
# Each example with the features that it says it needs, and no others.
awk -F'"' '
    /^\[/ { kind = $0 }
    /^name =/ { name = $2 }
    /^required-features =/ && kind == "[[example]]" {
        list = $0; sub(/^[^[]*\[/, "", list); gsub(/[]" ]/, "", list); print name, list
    }
' Cargo.toml | while read -r name needed; do
    echo "   --example $name --features $needed"
    cargo check --quiet --example "$name" --features "$needed" </dev/null
done
# Without a signature backend: an error when keys are made, and no panic in a request.
cargo test --quiet --features jwt --test jwt_backend
if [ "${1:-}" = tests ]; then
    cargo test --quiet
fi
