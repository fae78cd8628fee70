#!/usr/bin/env bash
# The library and cors-doctor compile with the lowest versions that Cargo.toml permits. Those of
# development dependencies are nobody's concern but ours, so they are left out.
set -euo pipefail
cd "$(dirname "$0")/.."

# A copy, since the versions go into a lock file.
copy=$PWD/target/minimal-versions
rm -rf "$copy/src" && mkdir -p "$copy"
cp -r src README.md LICENSE "$copy"
awk '/^\[/ { skip = /^\[dev-dependencies\]|^\[\[(bench|example|test)\]\]/ } !skip' Cargo.toml >"$copy/Cargo.toml"
cd "$copy"
# An option of the resolver that is not stable; the code is compiled as ever.
RUSTC_BOOTSTRAP=1 cargo -Z direct-minimal-versions generate-lockfile --quiet
cargo check --quiet --locked --all-features --lib --bins --target-dir "$copy/target"
