#!/usr/bin/env bash
# Load and faults in full, which `cargo test --test load` plays in small: 10,000 connections whose
# verdicts are waited for at once, clients that vanish, policies and services that panic, reloads,
# and the memory of ten million requests. Prints a table. Takes some minutes, nearly all for the
# requests over sockets. With arguments, only the cases whose names contain one of them.
#
# Each of the two processes of the largest case has 10,000 connections open: where the limit is too
# low for that and may not be raised, this says so instead of playing less.
set -euo pipefail
cd "$(dirname "$0")/.."

needed=11000
if [ "$(ulimit -n)" != unlimited ] && [ "$(ulimit -n)" -lt "$needed" ] && ! ulimit -n "$needed"; then
    echo "this needs $needed open files: raise the limit (ulimit -n)" >&2
    exit 1
fi
cargo test --quiet --all-features --release --test load --no-run
scripts/machine.sh
cargo test --quiet --all-features --release --test load -- --full "$@"
