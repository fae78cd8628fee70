#!/usr/bin/env bash
# Builds the crate for wasm32-unknown-unknown with every feature that works there, and runs it on Node:
# see tests/wasm. With the argument `refusals` also tries the features that do not work there, or not
# without `js`: the compiler must say what to do.
#
# Takes the target's standard library from the toolchain, if it is there:
#     rustup target add wasm32-unknown-unknown
# Otherwise it is compiled from Debian's sources by Debian's compiler. Those packages cannot be installed
# beside rustup, so they are unpacked below target.
set -euo pipefail
cd "$(dirname "$0")/.."

target=wasm32-unknown-unknown
export CARGO_TARGET_DIR=$PWD/target/wasm
out=$CARGO_TARGET_DIR/$target/debug
build=(cargo build --quiet --locked --target "$target")

# The names of the packages that one depends on, and that match.
needs() { apt-cache depends "$1" | sed -n "s/^ *Depends: \($2\)$/\1/p" | head -1; }

run() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

unpack() {
    local tools=$1 std llvm
    if [ ! -x "$tools/usr/bin/rustc" ]; then
        run apt-get update -qq
        std=$(needs libstd-rust-web-dev 'libstd-rust-web-[0-9.]*')
        llvm=$(needs "$std" 'libllvm[0-9]*')
        run apt-get install -y -qq --no-install-recommends "$llvm" "lld-${llvm#libllvm}"
        rm -rf "$tools" && mkdir -p "$tools/packages"
        (cd "$tools/packages" && apt-get download -qq rustc-web rust-web-src libstd-rust-web-dev "$std")
        for package in "$tools"/packages/*.deb; do dpkg -x "$package" "$tools"; done
        # Two thirds are the sources of the compiler.
        rm -r "$tools/packages" "$tools"/usr/src/rustc-*/{compiler,src}
    fi
    linkers=(/usr/bin/wasm-ld-*)
}

command -v node >/dev/null || { echo "node is missing: run scripts/setup.sh" >&2; exit 1; }
if [ ! -d "$(rustc --print target-libdir --target "$target")" ]; then
    command -v apt-get >/dev/null || { echo "the target is missing: rustup target add $target" >&2; exit 1; }
    tools=$PWD/target/tools/rust-web
    unpack "$tools"
    # Only for this target: the glue below is built by the toolchain.
    libraries=$(echo "$tools"/usr/lib/*-linux-gnu)
    build=(env "RUSTC=$tools/usr/bin/rustc" "LD_LIBRARY_PATH=$libraries" RUSTC_BOOTSTRAP=1
        "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=${linkers[-1]}"
        # Without backtraces, which that target does not have.
        "${build[@]}" -Zbuild-std=std,panic_abort -Zbuild-std-features=)
fi

cd tests/wasm
# One at a time: together they would share their features.
"${build[@]}" -p plain
"${build[@]}" -p javascript
cargo run --quiet --locked -p glue -- "$out/javascript.wasm" "$CARGO_TARGET_DIR/glue"
node run.mjs "$out/plain.wasm" "$CARGO_TARGET_DIR/glue"
if [ "${1:-}" != refusals ]; then
    exit
fi

# What is not there says what to do. refused PACKAGE FEATURE WORDS
refused() {
    local errors=$CARGO_TARGET_DIR/errors.txt
    if "${build[@]}" -p "$1" --features "$2" 2>"$errors"; then
        echo "$1 builds with $2" >&2
        exit 1
    fi
    grep -q -- "$3" "$errors" || { cat "$errors" >&2; exit 1; }
}
refused plain token 'enable the feature `js`'
refused plain trusted 'enable the feature `js`'
refused javascript reqwest 'implement `KeySetFetcher`'
