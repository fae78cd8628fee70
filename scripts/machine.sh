#!/usr/bin/env bash
# When and where something is measured: date, crates, compiler, machine. One line, for the scripts
# that measure.
set -euo pipefail
cd "$(dirname "$0")/.."

version() { grep -A1 "^name = \"$1\"$" Cargo.lock | sed -n 's/^version = "\(.*\)"$/\1/p' | tail -1; }
model=$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo 2> /dev/null | head -1)
echo "$(date -u +%Y-%m-%d); tower-cors $(version tower-cors), tower-http $(version tower-http)," \
    "axum $(version axum); $(rustc --version | cut -d' ' -f1,2); $(nproc) × ${model:-$(uname -m)}"
