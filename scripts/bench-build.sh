#!/usr/bin/env bash
# What the default features cost a small application, beside tower-http's `cors` feature: crates,
# a clean build, and size of the binary. The table is Markdown. Of a build, the processor time says
# more than the time by the clock, which suffers from whatever else the machine does.
set -euo pipefail
cd "$(dirname "$0")/.."

root=$PWD
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# make NAME 'DEPENDENCIES' 'LAYER EXPRESSION': an application that answers one request.
make() {
    mkdir -p "$work/$1/src"
    cat > "$work/$1/Cargo.toml" <<EOF
[package]
name = "app"
version = "0.0.0"
edition = "2024"

[dependencies]
http = "1"
tower = { version = "0.5", features = ["util"] }
pollster = "0.4"
$2

[profile.release]
strip = true

[workspace]
EOF
    cat > "$work/$1/src/main.rs" <<EOF
use http::{Request, Response};
use tower::{Layer, ServiceExt, layer::layer_fn, service_fn};

fn main() {
    let _ = layer_fn(|inner: ()| inner);
    let inner = service_fn(|_: Request<String>| async {
        Ok::<_, std::convert::Infallible>(Response::new(String::from("hello")))
    });
    let origin = std::env::args().nth(1).unwrap_or("https://app.example.com".to_owned());
    let service = $3.layer(inner);
    let request = Request::builder().header("origin", &origin).body(String::new()).unwrap();
    let response = pollster::block_on(service.oneshot(request)).unwrap();
    println!("{:?}", response.headers());
}
EOF
    cp Cargo.lock "$work/$1/Cargo.lock"
}

make none '' 'layer_fn(|inner| inner)'
make tower-cors "tower-cors = { path = \"$root\" }" \
    'tower_cors::CorsLayer::builder().allow_origins([&origin]).build().unwrap()'
make tower-http 'tower-http = { version = "0.7", features = ["cors"] }' \
    'tower_http::cors::CorsLayer::new().allow_origin(origin.parse::<http::HeaderValue>().unwrap())'

scripts/machine.sh
echo
echo "| application with | crates | clean release build, s | of all processors, s | binary, bytes |"
echo "|---|---:|---:|---:|---:|"
# Seconds by the clock, and of user and system mode.
TIMEFORMAT='%R %U %S'
for app in none tower-cors tower-http; do
    (
        cd "$work/$app"
        export CARGO_TARGET_DIR=$work/$app/target
        cargo fetch --quiet
        for _ in $(seq "${ROUNDS:-3}"); do
            rm -rf target
            { time cargo build --quiet --release --offline 2>&3; } 3>&2 2>> times
        done
        clock=$(cut -d' ' -f1 times | sort -n | head -1)
        processor=$(awk '{ print $2 + $3 }' times | sort -n | head -1)
        ./target/release/app > /dev/null
        crates=$(cargo tree --offline --edges normal --prefix none | sort -u | wc -l)
        bytes=$(stat -c %s target/release/app)
        echo "| $app | $crates | $clock | $processor | $bytes |"
    )
done
