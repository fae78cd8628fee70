#!/usr/bin/env bash
# The whole layer against its model for long: scripts/model.sh [REQUESTS] [SEED]. Without arguments, ten
# million requests with seeds that have not been tried yet, and all those of a small world with every
# combination of settings. A difference is printed as the smallest case
# that has it, with the seed that leads to it again: scripts/model.sh 1 SEED.
set -euo pipefail
cd "$(dirname "$0")/.."

export MODEL_REQUESTS=${1:-10000000}
# Each case has a seed of its own, and they are counted from here.
export MODEL_SEED=${2:-$(date +%s)000000}
echo "$MODEL_REQUESTS requests, seeds from $MODEL_SEED"
export MODEL_WHOLE_WORLD=1
exec cargo test --quiet --release --all-features --test whole_layer -- --nocapture generated small_world
