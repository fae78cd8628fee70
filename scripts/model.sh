#!/usr/bin/env bash
# The whole layer against its model for long: scripts/model.sh [REQUESTS] [SEED]. Without arguments, ten
# million requests with seeds that have not been tried yet. A difference is printed as the smallest case
# that has it, with the seed that leads to it again: scripts/model.sh 1 SEED.
set -euo pipefail
cd "$(dirname "$0")/.."

export MODEL_REQUESTS=${1:-10000000}
# Each case has a seed of its own, and they are counted from here.
export MODEL_SEED=${2:-$(date +%s)000000}
echo "$MODEL_REQUESTS requests, seeds from $MODEL_SEED"
exec cargo test --quiet --release --all-features --test whole_layer generated -- --nocapture
