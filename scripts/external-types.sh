#!/usr/bin/env bash
# The types of other crates in the public interface are those that Cargo.toml lists, in the form of
# cargo-check-external-types: a new one is a promise to follow that crate's versions. That tool needs a
# nightly compiler; this reads the same description of the interface, which rustdoc writes.
set -euo pipefail
cd "$(dirname "$0")/.."

# rustdoc's JSON is unstable, and a stable rustdoc writes it with this variable only. The compiler must
# not see the variable: it would build everything anew.
wrapper=$(mktemp)
trap 'rm -f "$wrapper"' EXIT
printf '#!/bin/sh\nRUSTC_BOOTSTRAP=1 exec rustdoc "$@"\n' >"$wrapper"
chmod +x "$wrapper"
RUSTDOC=$wrapper cargo rustdoc --quiet --all-features --lib -- \
    -Z unstable-options --output-format json --cap-lints allow
python3 - target/doc/tower_cors.json <<'PYTHON'
import fnmatch, json, sys, tomllib

with open("Cargo.toml", "rb") as file:
    package = tomllib.load(file)["package"]
allowed = package["metadata"]["cargo_check_external_types"]["allowed_external_types"]
with open(sys.argv[1]) as file:
    described = json.load(file)
paths, index = described["paths"], described["index"]


def mentions(node):
    """Ids of all types and traits in a part of the description."""
    if isinstance(node, dict):
        if isinstance(node.get("path"), str) and "id" in node:
            yield str(node["id"])
        for part in node.values():
            yield from mentions(part)
    elif isinstance(node, list):
        for part in node:
            yield from mentions(part)


# Blanket and automatic implementations, and their methods, belong to the crates of their traits.
of_others = set()
for number, item in index.items():
    implementation = item["inner"].get("impl")
    if implementation and (implementation["blanket_impl"] or implementation["is_synthetic"]):
        of_others |= {str(number)} | {str(member) for member in implementation["items"]}
found = {}
for number, item in index.items():
    if str(number) in of_others:
        continue
    for mentioned in mentions(item["inner"]):
        summary = paths.get(mentioned)
        if summary and summary["crate_id"] != 0:
            path = "::".join(summary["path"])
            if path.split("::")[0] not in ("std", "core", "alloc"):
                found.setdefault(path, item["name"] or "an implementation")
if len(found) < 5:
    sys.exit("hardly any foreign type is found: has rustdoc's format changed?")
bad = False
for path, where in sorted(found.items()):
    if not any(fnmatch.fnmatchcase(path, entry) for entry in allowed):
        print(f"{path} (in {where}) is in the public interface: list it in Cargo.toml, or hide it", file=sys.stderr)
        bad = True
for entry in allowed:
    if not any(fnmatch.fnmatchcase(path, entry) for path in found):
        print(f"{entry} is listed in Cargo.toml, and not in the public interface", file=sys.stderr)
        bad = True
print(f"   {len(found)} types of other crates in the public interface")
sys.exit(bad)
PYTHON
