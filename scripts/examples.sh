#!/usr/bin/env bash
# Every example that checks itself does so, over real sockets.
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --quiet --examples --all-features
for example in static_list custom_policy observed_server rpc_server trusted_application trusted_origins keycloak_resource_server introspection_server; do
    options=(--check)
    [ "$example" != trusted_origins ] || options+=(--replicas 3)
    echo "   $example ${options[*]}"
    timeout 120 cargo run --quiet --all-features --example "$example" -- "${options[@]}"
done
