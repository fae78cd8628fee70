#!/usr/bin/env bash
# The published package holds what it should, readable by everybody and executable by nobody.
set -euo pipefail
cd "$(dirname "$0")/.."

files=$(cargo package --list --allow-dirty --quiet)
for wanted in Cargo.toml LICENSE README.md CHANGELOG.md SECURITY.md src/lib.rs src/origin/public_suffix/{nodes.bin,labels.txt,README.md}; do
    grep -qx "$wanted" <<<"$files" || { echo "not in the package: $wanted" >&2; exit 1; }
done
if grep -nE '^(\.ci|scripts|tests|fuzz|target)/|\.(pem|key|log)$' <<<"$files"; then
    echo "these do not belong in the package" >&2
    exit 1
fi
git ls-files -s -- $files 2>/dev/null | awk '$1 != "100644" { print "wrong mode:", $0; bad = 1 } END { exit bad }'
