#!/usr/bin/env bash
# Each feature alone, none, and all: they must build without a warning, and the plain tests must
# pass without any feature.
set -euo pipefail
cd "$(dirname "$0")/.."

export RUSTFLAGS="${RUSTFLAGS:-} -D warnings"
cargo check --quiet
features=$(sed -n '/^\[features\]/,/^\[/p' Cargo.toml | grep -oE '^[a-z][a-z0-9-]* =' | tr -d ' =' | grep -v '^default$')
for feature in $features; do
    echo "   --features $feature"
    cargo check --quiet --features "$feature"
done
# Each example, test and bench with the features that it says it needs, and no others.
cargo check --quiet --all-targets
awk -F'"' '
    /^\[/ { kind = $0; gsub(/[][]/, "", kind) }
    /^name =/ { name = $2 }
    /^required-features =/ {
        list = $0; sub(/^[^[]*\[/, "", list); gsub(/[]" ]/, "", list); print kind, name, list
    }
' Cargo.toml | while read -r kind name needed; do
    echo "   --$kind $name --features $needed"
    cargo check --quiet "--$kind" "$name" --features "$needed" </dev/null
done
unset RUSTFLAGS
# Without a signature backend: an error when keys are made, and no panic in a request.
cargo test --quiet --features jwt --test jwt_backend
cargo test --quiet --lib
cargo test --quiet --doc
