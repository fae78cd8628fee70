#!/usr/bin/env bash
# Makes the table of public suffixes that src/origin/public_suffix reads.
#
#   scripts/public-suffixes.sh [LIST]   takes LIST, a newer public_suffix_list.dat, and makes the
#                                       table from it. Without an argument: that of Debian's package
#                                       `publicsuffix`. A list that is older than the kept one is
#                                       refused, since it lacks suffixes.
#   scripts/public-suffixes.sh --check  fails if the table is not what the kept list comes to, and
#                                       says how old that list is.
#
# The list comes from https://publicsuffix.org/list/public_suffix_list.dat. It is kept as it came, in
# tests/data, where tests read it, too; the table's format is described in table.rs. With a newer list,
# let Cargo.toml name the release of `psl` that was made from the same one: tests compare the two.
set -euo pipefail
cd "$(dirname "$0")/.."

kept=tests/data/public_suffix_list.dat
table=src/origin/public_suffix
debian=/usr/share/publicsuffix/public_suffix_list.dat

# The date that the list gives itself, as in 2026-10-22_08-36-41_UTC. Lists from before 2025 give none.
version() { sed -n 's|^// VERSION: *\([0-9][^ ]*\).*$|\1|p;/===BEGIN/q' "$1"; }

# make LIST DIRECTORY
make() {
    python3 - "$1" "$2" <<'PYTHON'
import re, struct, sys

source, directory = sys.argv[1:]
BETWEEN, ICANN, PRIVATE, EXCEPTION = range(4)

def a_label(label):
    """What a browser sends for the label. The list writes its names normalised already."""
    return label if label.isascii() else "xn--" + label.encode("punycode").decode()


def read(path):
    """From the reversed labels of each rule to its kind, and what the list says of itself."""
    rules, about, section = {}, {}, None
    for line in open(path, encoding="utf-8"):
        line = line.strip()
        if match := re.fullmatch(r"// (VERSION|COMMIT): (\S+)", line):
            about[match[1]] = match[2]
        if line.startswith("// ===BEGIN "):
            section = PRIVATE if "PRIVATE" in line else ICANN
        if not line or line.startswith("//"):
            continue
        name = line.split()[0].lower()
        kind = EXCEPTION if name.startswith("!") else section
        labels = tuple(map(a_label, reversed(name.lstrip("!").split("."))))
        if labels in rules or not all(re.fullmatch(r"[a-z0-9-]{1,63}|\*", label) for label in labels):
            sys.exit(f"{path}: {line!r}: a rule that stands there twice, or no name")
        # The reader relies on this.
        if "*" in labels[:-1] or kind == EXCEPTION and section == PRIVATE:
            sys.exit(f"{path}: {line!r}: rules of this kind are not foreseen")
        rules[labels] = kind
    return rules, about


def key_of(label):
    """As in table.rs. The reader asks for `*` by its place, which is the first."""
    key = 0
    for byte in b"" if label == "*" else label.encode():
        key = key * 31 % 256 ^ byte
    return key


def breadth_first(rules):
    """The nodes, with the children of each side by side: (label, kind, first child)."""
    children = {}
    names = {rule[:n] for rule in rules for n in range(1, len(rule) + 1)}
    for name in sorted(names, key=lambda name: (key_of(name[-1]), name[-1], name)):
        children.setdefault(name[:-1], []).append(name)
    nodes, queued = [], [()]
    for name in queued:
        nodes.append((name[-1] if name else "", rules.get(name, BETWEEN), len(queued)))
        queued += children.get(name, [])
    # So that the last node's children have an end like all others.
    nodes.append(("", BETWEEN, len(queued)))
    return nodes


def pack(labels):
    """A short text that contains each label: greedily, by the longest overlaps first."""
    texts, seen = [], ""
    for label in sorted(labels, key=lambda label: (-len(label), label)):
        if label not in seen:
            texts.append(label)
            seen += label + "\n"
    for size in range(63, 0, -1):
        heads = {}
        for i, text in enumerate(texts):
            if text and len(text) >= size:
                heads.setdefault(text[:size], []).append(i)
        for i in range(len(texts)):
            while texts[i]:
                fitting = (j for j in heads.get(texts[i][-size:], []) if j != i and texts[j])
                if (j := next(fitting, None)) is None:
                    break
                texts[i] += texts[j][size:]
                texts[j] = None
    return "".join(filter(None, texts))


rules, about = read(source)
nodes = breadth_first(rules)
text = pack({label for label, _, _ in nodes})
with open(f"{directory}/nodes.bin", "wb") as out:
    for label, kind, first_child in nodes:
        size_and_kind = len(label) | kind << 6
        out.write(struct.pack("<HBBH", text.index(label), size_and_kind, key_of(label), first_child))
with open(f"{directory}/labels.txt", "w") as out:
    out.write(text)
private = sum(kind == PRIVATE for kind in rules.values())
with open(f"{directory}/README.md", "w") as out:
    out.write(f"""\
`nodes.bin` and `labels.txt` hold the rules of the [Public Suffix List](https://publicsuffix.org/list/),
made by `scripts/public-suffixes.sh`:

- version {about.get("VERSION", "unknown")}, commit {about.get("COMMIT", "unknown")}
- {len(rules) - private} rules of the ICANN section, {private} of the private section

The two files are subject to the terms of the Mozilla Public License, v. 2.0. A copy of the licence is
`LICENSE-MPL-2.0`, and the source form, of the same version, is
https://github.com/publicsuffix/list/blob/{about.get("COMMIT", "main")}/public_suffix_list.dat.
The code beside them is under the crate's own licence.
""")
PYTHON
}

if [ "${1:-}" = --check ]; then
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    make "$kept" "$work"
    for file in nodes.bin labels.txt README.md; do
        cmp "$work/$file" "$table/$file" || { echo "make it anew: $0 $kept" >&2; exit 1; }
    done
    age=$((($(date +%s) - $(date -d "$(version "$kept" | cut -d_ -f1)" +%s)) / 86400))
    echo "the list of public suffixes is $age days old"
    if [ -e "$debian" ] && [[ "$(version "$debian")" > "$(version "$kept")" ]]; then
        echo "Debian has a newer one: $0"
    fi
    exit
fi

list=${1:-$debian}
if [[ "$(version "$list")" < "$(version "$kept")" ]]; then
    echo "$list: version $(version "$list"), and the kept list is of $(version "$kept")" >&2
    exit 1
fi
make "$list" "$table"
[ "$list" -ef "$kept" ] || cp "$list" "$kept"
cat "$table/README.md"
