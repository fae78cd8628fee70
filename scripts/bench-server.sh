#!/usr/bin/env bash
# A whole server under load: axum over loopback without CORS, with this crate, and with tower-http;
# medians of alternating runs, as ratios to the server without. Requests per second suffer from
# whatever else the machine does; requests per second of the server's own processor time do not.
# Takes about three minutes: `ROUNDS=3 SECONDS_EACH=2 scripts/bench-server.sh` for less.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v wrk > /dev/null; then
    echo "this needs wrk, a load generator: on Debian, apt-get install wrk" >&2
    exit 1
fi
rounds=${ROUNDS:-7}
each=${SECONDS_EACH:-3}

program=$(cargo bench --bench server --no-run 2>&1 | sed -n 's/^ *Executable .*(\(.*\))$/\1/p')
: "${program:?the server did not build: run cargo bench --bench server}"
work=$(mktemp -d)
pids=()
cleanup() {
    if [ "${#pids[@]}" -gt 0 ]; then kill "${pids[@]}" 2> /dev/null || true; fi
    rm -rf "$work"
}
trap cleanup EXIT

declare -A address pid
servers=("none 1" "tower-cors 1" "tower-cors 10000" "tower-http 1" "tower-http 10000")
for server in "${servers[@]}"; do
    # shellcheck disable=SC2086
    "$program" $server > "$work/${server// /-}.out" &
    pids+=($!)
    pid[$server]=$!
    for _ in $(seq 50); do
        grep -qs '^listening' "$work/${server// /-}.out" && break
        sleep 0.1
    done
    address[$server]=$(sed -n 's/^listening on //p' "$work/${server// /-}.out")
    : "${address[$server]:?$server did not start}"
done

# Clock ticks that a process has used, in user and system mode.
ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }

# run SERVER: requests per second, and per second of the server's processor time. The origin is the
# last one of the list, which every implementation has to find.
run() {
    local last=$(( ${1##* } - 1 )) before used requests
    before=$(ticks "${pid[$1]}")
    wrk --threads 1 --connections 16 --duration "${each}s" \
        --header "Origin: https://app-$(printf '%06d' "$last").example.com" \
        --header 'Accept: application/json' --header 'User-Agent: wrk' \
        "http://${address[$1]}/orders" > "$work/wrk"
    used=$(( $(ticks "${pid[$1]}") - before ))
    if grep -q 'Non-2xx' "$work/wrk"; then
        echo "$1: $(grep 'Non-2xx' "$work/wrk")" >&2
        return 1
    fi
    requests=$(sed -n 's/^ *\([0-9]*\) requests in .*/\1/p' "$work/wrk")
    sed -n 's/^Requests\/sec: *//p' "$work/wrk" >> "$work/${1// /-}.rate"
    echo $(( requests * $(getconf CLK_TCK) / used )) >> "$work/${1// /-}.processor"
}

for server in "${servers[@]}"; do run "$server"; done
rm "$work"/*.rate "$work"/*.processor
for _ in $(seq "$rounds"); do
    for server in "${servers[@]}"; do
        run "$server"
    done
done

median() { sort -n "$work/${1// /-}.$2" | sed -n "$(( (rounds + 1) / 2 ))p"; }
of_none() { awk "BEGIN { printf \"%.3f\", $(median "$1" "$2") / $(median 'none 1' "$2") }"; }
scripts/machine.sh
echo
echo "| server, origins | requests/s | of none | requests per processor second | of none |"
echo "|---|---:|---:|---:|---:|"
for server in "${servers[@]}"; do
    echo "| $server | $(median "$server" rate) | $(of_none "$server" rate) |" \
        "$(median "$server" processor) | $(of_none "$server" processor) |"
done
