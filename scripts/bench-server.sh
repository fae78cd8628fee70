#!/usr/bin/env bash
# Whole servers under load, over HTTP/1.1 and HTTP/2: without CORS, with two constant headers (the
# floor of what CORS can cost), with this crate's list, registry and known token, and with
# tower-http; medians of alternating rounds. Then the same in instructions, which repeat
# (`cargo bench --bench server --all-features -- --instructions` prints only these), and one layer under 1,
# 2 and 4 threads. What counts is the processor time, since requests by the clock suffer from whatever
# else the machine does. Needs valgrind. Takes some minutes: `ROUNDS=3 REQUESTS=4000 scripts/bench-server.sh` for less.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/machine.sh
echo
cargo bench --quiet --bench server --all-features
