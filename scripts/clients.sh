#!/usr/bin/env bash
# Bundles the clients of tests/clients for the pages of tests/browsers: scripts/clients.sh, without
# arguments. Installs the packages of the lock file, when that has changed.
set -euo pipefail
cd "$(dirname "$0")/../tests/clients"

command -v npm >/dev/null || {
    echo "npm is missing: run scripts/setup.sh" >&2
    exit 1
}
if ! cmp --silent package-lock.json node_modules/.installed-lock; then
    npm ci --silent --no-audit --no-fund
    cp package-lock.json node_modules/.installed-lock
fi
npm run --silent build
