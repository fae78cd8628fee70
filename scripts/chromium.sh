#!/usr/bin/env bash
# Opens the pages of the examples in a real Chromium (tests/chromium).
set -euo pipefail
cd "$(dirname "$0")/.."

for tool in chromium chromedriver; do
    command -v "$tool" >/dev/null || {
        echo "$tool is missing: run scripts/setup.sh" >&2
        exit 1
    }
done
cargo build --quiet --all-features --example trusted_application --example trusted_origins
cargo test --quiet --all-features --test chromium -- --ignored --test-threads=2
