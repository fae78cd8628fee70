#!/usr/bin/env bash
# Installs what the checks need beyond Rust and a C linker: Debian's packages, and geckodriver. With
# --prove also cargo-deny, which only scripts/prove.sh needs, and which takes some minutes to build.
set -euo pipefail
cd "$(dirname "$0")/.."

# Debian has no package of it. Built once below target, unoptimised: that takes half the time, and is fast
# enough to pass commands on. Meanwhile, packages are installed.
build_geckodriver() {
    command -v geckodriver >/dev/null 2>&1 || [ -x target/tools/bin/geckodriver ] ||
        CARGO_PROFILE_DEV_DEBUG=false cargo install --quiet --debug --locked --root target/tools geckodriver@0.37.1
}
build_geckodriver &
building=$!

needed=()
want() { command -v "$1" >/dev/null 2>&1 || [ -e "$1" ] || needed+=("$2"); }
want cc gcc
want c++ g++
want python3 python3
want chromium chromium
want chromedriver chromium-driver
want firefox-esr firefox-esr
want WebKitWebDriver webkit2gtk-driver
# tests/browsers/webkit_window.py is the window that WebKit's driver opens, on a display of Xvfb.
want xvfb-run xvfb
want xauth xauth
want /usr/lib/python3/dist-packages/gi python3-gi
ls /usr/lib/*/girepository-1.0/WebKit2-4.1.typelib >/dev/null 2>&1 || needed+=(gir1.2-webkit2-4.1)
want node nodejs
want npm npm
want valgrind valgrind
want nats-server nats-server
# For a disk that is full, in a mount namespace.
want unshare util-linux
want nsenter util-linux
want mount mount
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
wait "$building"

if [ "${1:-}" = --prove ]; then
    # An exact version, so that everybody has the same check.
    [ -x target/tools/bin/cargo-deny ] ||
        cargo install --quiet --locked --root target/tools cargo-deny@0.20.2
fi
