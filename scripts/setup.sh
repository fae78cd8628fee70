#!/usr/bin/env bash
# Installs what the checks need beyond Rust and a C linker, from Debian's packages.
set -euo pipefail

needed=()
want() { command -v "$1" >/dev/null 2>&1 || [ -x "$1" ] || needed+=("$2"); }
want cc gcc
want c++ g++
want python3 python3
want chromium chromium
want chromedriver chromium-driver
want valgrind valgrind
want nats-server nats-server
# Debian keeps the server's programs out of PATH.
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || needed+=(postgresql)

if [ "${#needed[@]}" -gt 0 ]; then
    echo "installing: ${needed[*]}"
    run() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
    run apt-get update -qq
    DEBIAN_FRONTEND=noninteractive run apt-get install -y -qq --no-install-recommends "${needed[@]}"
fi
for component in rustfmt clippy; do
    cargo "${component/rustfmt/fmt}" --version >/dev/null || {
        echo "the Rust component $component is missing: rustup component add $component" >&2
        exit 1
    }
done
