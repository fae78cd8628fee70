#!/usr/bin/env bash
# The published package holds what it should, readable by everybody and executable by nobody.
set -euo pipefail
cd "$(dirname "$0")/.."

files=$(cargo package --list --allow-dirty --quiet)
for wanted in Cargo.toml LICENSE README.md CHANGELOG.md SECURITY.md src/lib.rs src/origin/public_suffix/{nodes.bin,labels.txt,README.md}; do
    grep -qx "$wanted" <<<"$files" || { echo "not in the package: $wanted" >&2; exit 1; }
done
if grep -nE '^(\.ci|scripts|tests|fuzz|target)/|\.(pem|key|log)$' <<<"$files"; then
    echo "these do not belong in the package" >&2
    exit 1
fi
git ls-files -s -- $files 2>/dev/null | awk '$1 != "100644" { print "wrong mode:", $0; bad = 1 } END { exit bad }'

# The documentation as docs.rs builds it, which is with badges on what needs a feature. Only rustdoc may
# use what is not stable: everything else would be compiled anew.
rustdoc=$PWD/target/rustdoc-unstable
printf '#!/bin/sh\nRUSTC_BOOTSTRAP=1 exec rustdoc "$@"\n' >"$rustdoc"
chmod +x "$rustdoc"
RUSTDOC=$rustdoc RUSTDOCFLAGS="--cfg docsrs -D warnings" cargo doc --all-features --no-deps --lib --quiet
pages=target/doc/tower_cors
# The root has what nearly everybody needs; everything else is in a module.
names=$(grep -oE 'id="reexport\.[A-Za-z_]+"' "$pages/index.html" | sort -u | wc -l)
[ "$names" -gt 0 ] && [ "$names" -le 18 ] || { echo "there are $names names at the crate root: at most 18" >&2; exit 1; }
while read -r feature page; do
    grep -qE "Available on <strong>.*crate features? .*<code>$feature</code>" "$pages/$page" ||
        { echo "$page does not say that it needs the feature $feature" >&2; exit 1; }
done <<'END'
axum routes/struct.MethodCorsRouter.html
dpop token/verify/dpop/index.html
js time/struct.SystemClock.html
jwt token/verify/jwt/index.html
reload layer/struct.CorsHandle.html
reqwest token/verify/reqwest/index.html
serde config/struct.CorsConfig.html
test-util test_util/index.html
token token/index.html
trusted trusted/index.html
END
