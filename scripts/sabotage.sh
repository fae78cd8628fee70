#!/usr/bin/env bash
# Breaks a copy of the crate on purpose, one fault at a time, and prints a table of what finds each:
# scripts/sabotage.sh [NAME...]. Fails if a fault is missed by the test or the fuzz target that should see
# it. The faults stand in fuzz/sabotage.patch, each behind a switch, so that two builds do for all. The
# table stands in fuzz/README.md.
#
# SABOTAGE_SECONDS is how long a fuzz target may search. Default: 30.
set -euo pipefail
cd "$(dirname "$0")/.."

# name | what is broken | what should see it: the model test, and fuzz targets
faults='
pattern-boundary | a pattern matches without the dot before its base | patterns
set-boundary | a set of patterns matches without the dot before a base | whole_layer patterns request
ports | a wildcard for one port matches every port | whole_layer patterns
ipv6 | the last of several runs of zeros is shortened | origin
vary-merge | names are lost where `Vary` is merged | whole_layer request
header-scan | any number of empty elements passes in a list of headers | whole_layer request
list-split | a list in a token is split at commas, too | whole_layer list
config-split | semicolons do not separate the entries of a configuration | config
star-credentials | `*` is sent with credentials | whole_layer request config
foreign-grants | headers of the inner service grant something | whole_layer request
method-table | a preflight for `GET` without a rule gets the answer of another rule | whole_layer request
own-pages | any host counts as the own one | whole_layer request
inactive-entries | inactive entries of a registry admit origins | whole_layer registry
insecure-entries | entries without transport security may have credentials | whole_layer registry rows
query-layers | one layer of encoding too many is taken off a token | layers
'

root=$PWD
seconds=${SABOTAGE_SECONDS:-30}
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git ls-files -coz --exclude-standard | xargs -0 cp --parents -t "$copy"
git -C "$copy" apply "$root/fuzz/sabotage.patch"

# Runs what should see a fault. The target folders are not those of the checkout: cargo would take what is
# built here, with the faults, for the checkout's.
run() {
    if [ "$1" = whole_layer ]; then
        (cd "$copy" && CARGO_TARGET_DIR=$root/target/sabotage \
            cargo test --quiet --all-features --test whole_layer)
    else
        CARGO_TARGET_DIR=$root/fuzz/target/sabotage "$copy/scripts/fuzz.sh" "$seconds" "$1"
    fi
}

# Whether something is said to be wrong, and not that it could not be built.
sees() {
    ! SABOTAGE=$1 run "$2" >"$copy/log" 2>&1 && grep -qE "panicked at|ERROR: libFuzzer" "$copy/log"
}

# Without a fault, nobody sees one.
for finder in whole_layer request patterns origin list config registry rows layers; do
    if ! run "$finder" >"$copy/log" 2>&1; then
        cat "$copy/log" >&2
        echo "$finder fails without a fault" >&2
        exit 1
    fi
done

missed=0
echo "| fault | found by | missed by |"
echo "|---|---|---|"
while IFS='|' read -r name what finders; do
    name=${name// /}
    if [ -z "$name" ] || { [ $# -gt 0 ] && [[ " $* " != *" $name "* ]]; }; then
        continue
    fi
    found="" not_found=""
    for finder in $finders; do
        if sees "$name" "$finder"; then
            found+="${found:+, }\`$finder\`"
        else
            not_found+="${not_found:+, }\`$finder\`"
            missed=1
        fi
    done
    echo "|$what| ${found:-–} | ${not_found:-–} |"
done <<<"$faults"
exit $missed
