#!/usr/bin/env bash
# Runs tests/browsers in Chromium, Firefox and WebKit: scripts/browsers.sh, or scripts/browsers.sh webkit
# for one engine or some. Writes the table to target/browsers.md.
set -euo pipefail
cd "$(dirname "$0")/.."

export PATH="$PWD/target/tools/bin:$PATH"
engines=("$@")
[ $# -gt 0 ] || engines=(chromium firefox webkit)
tools=()
for engine in "${engines[@]}"; do
    case $engine in
    chromium) tools+=(chromium chromedriver) ;;
    firefox) tools+=(firefox-esr geckodriver) ;;
    webkit) tools+=(WebKitWebDriver xvfb-run xauth) ;;
    *) echo "no engine is called $engine: chromium, firefox or webkit" >&2 && exit 2 ;;
    esac
done
for tool in "${tools[@]}"; do
    command -v "$tool" >/dev/null || {
        echo "$tool is missing: run scripts/setup.sh" >&2
        exit 1
    }
done

scripts/clients.sh
cargo build --quiet --all-features --example trusted_application --example trusted_origins
rm -rf target/browsers
# WebKit has no headless mode; the others do not look at the display.
display=()
[[ " ${engines[*]} " != *" webkit "* ]] || display=(xvfb-run --auto-servernum)
# Several filters select the tests that match one of them.
"${display[@]}" cargo test --quiet --all-features --test browsers -- --ignored --test-threads=2 "${engines[@]/%/::}"
