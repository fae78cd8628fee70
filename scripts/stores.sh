#!/usr/bin/env bash
# Runs the stores of examples/apps/trusted_origins against real servers (tests/stores), which the tests
# start on free ports of the loopback interface with temporary directories, and stop again. Some servers
# get a small disk of their own, which is filled: that needs root, or a system that lets users make user
# namespaces. With FIGURES=1 also the tests that measure, which take minutes: many keys, many edits, and a
# million entries loaded at start.
set -euo pipefail
cd "$(dirname "$0")/.."

missing() {
    echo "$1 is missing: run scripts/setup.sh" >&2
    exit 1
}
command -v nats-server >/dev/null || missing nats-server
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing PostgreSQL
for program in unshare nsenter mount; do
    command -v "$program" >/dev/null || missing "$program"
done
if [ "$(id -u)" = 0 ]; then
    command -v setpriv >/dev/null || missing setpriv
    id postgres >/dev/null 2>&1 || missing "the user postgres"
fi
cargo build --quiet --all-features --example trusted_origins
if [ -n "${FIGURES:-}" ]; then
    skipped=()
else
    skipped=(--skip figures::)
fi
cargo test --quiet --all-features --test stores -- --ignored --test-threads=2 "${skipped[@]}" "$@"
if [ -n "${FIGURES:-}" ] && [ $# -eq 0 ]; then
    cargo test --quiet --all-features --test registry_scale -- --ignored
fi
