#!/usr/bin/env python3
"""Builds every mutant of a list into one program, and runs the tests once for each.

scripts/mutants.sh calls this. The mutants are those of `cargo mutants --list --json`. A build for each would
take days. So a copy of the tree is made in which a function with mutants has them all as arms of a `match`:
an environment variable says which one runs, and only those tests run that reach the function. A mutant that
cannot stand in such an arm, as in a `const fn`, is built by itself.
"""

import collections
import concurrent.futures
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

SWITCH = """
#[doc(hidden)]
pub mod mutant {
    use std::{
        collections::HashSet,
        env,
        fs::File,
        io::Write,
        sync::{LazyLock, Mutex},
    };

    /// Which mutant runs, in a function that has some: 0 is none.
    pub fn active(function: usize) -> usize {
        static ACTIVE: LazyLock<usize> = LazyLock::new(|| {
            env::var("MUTANT").map_or(0, |number| number.parse().unwrap())
        });
        // A number for each function that a test reaches, in a file.
        type Reached = (HashSet<usize>, File);
        static REACHED: LazyLock<Option<Mutex<Reached>>> = LazyLock::new(|| {
            // A test program that shares files with the library has a switch of its own.
            let file = env::var_os("REACHED").map(|path| File::options().append(true).open(path).unwrap());
            file.map(|file| Mutex::new((HashSet::new(), file)))
        });
        if let Some(reached) = &*REACHED {
            let mut reached = reached.lock().unwrap();
            if reached.0.insert(function) {
                writeln!(reached.1, "{function}").unwrap();
            }
        }
        *ACTIVE
    }
}
"""
# The roots of crates in which the changed files are: two programs share some of the library's.
ROOTS = {"src/lib.rs", "src/bin/cors-doctor/main.rs", "tests/origin/main.rs"}
# The manifest of the tree. Under the checkout's name, cargo would take the library for the checkout's. What always
# overflows is to be found by a test.
MANIFEST = (
    ('name = "tower-cors"\n', 'name = "tower-cors-mutants"\n'),
    ("\n[features]\n", '\n[lib]\nname = "tower_cors"\n\n[features]\n'),
    ("\n[lints.rust]\n", '\n[lints.rust]\narithmetic_overflow = "allow"\nunconditional_panic = "allow"\n'),
)
# The compiler says so of code that is wrong wherever it stands: no such name, type, trait, method, argument or
# pattern.
WRONG_ANYWHERE = {
    *("E0004", "E0061", "E0277", "E0282", "E0283", "E0308", "E0369", "E0412", "E0425", "E0599", "E0600", "E0614"),
    "E0624",
}
# The same without a number: `||` where a `let` is.
NO_LET = ("found `let` statement", "let chain")
ITERATOR = re.compile(r"-> (impl Iterator<.*>)")
NOT_CONSTANT = re.compile(r"cannot call non-const (?:associated )?(?:function|method) `([^`]*)`")
MAX_MEMORY = 8 << 30
# What the programs say is kept in a file, and a mutant may say something for ever.
MAX_OUTPUT = 1 << 30
FAILED = re.compile(r"^test (\S+)(?: - should panic)? \.\.\. FAILED$", re.MULTILINE)
# How many tests are tried first that have noticed other mutants.
LIKELY = 5


def short(path):
    """The last two names of a path, as of a type and its method, without generics."""
    while "<" in path and ">" in path:
        path, before = re.sub(r"<[^<>]*>", "", path), path
        if path == before:
            break
    return tuple(name for name in path.split("::") if name)[-2:]


class Mutant:
    def __init__(self, number, entry):
        self.number = number
        self.name = entry["name"]
        self.file = entry["file"]
        self.replacement = entry["replacement"]
        self.span = entry["span"]
        self.function = entry["function"]
        # A number of the function, by which tests tell that they reach it.
        self.place = None

    def without_lines(self):
        """Lines move, so a mutant is known by its file and what it does."""
        return re.sub(r"^([^:]+):\d+:\d+: ", r"\1: ", self.name)

    def function_key(self):
        return short(self.function["function_name"])

    def returns_impl(self):
        return "impl " in (self.function or {}).get("return_type", "")

    def arm(self, body):
        """The body of its function as an arm: those of an `impl Iterator` have different types."""
        iterator = ITERATOR.fullmatch(self.function["return_type"])
        return f"Box::new({body}) as Box<dyn {iterator[1].removeprefix('impl ')} + '_>" if iterator else body


class Source:
    """A file, and where in it a line and a column are."""

    def __init__(self, root, file):
        with open(os.path.join(root, file), encoding="utf-8") as opened:
            self.text = opened.read()
        self.starts = [0]
        for line in self.text.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))

    def range(self, span):
        def at(place):
            return self.starts[place["line"] - 1] + place["column"] - 1

        return at(span["start"]), at(span["end"])

    def with_mutant(self, mutant, start=0, end=None):
        """The text from start to end, with one mutant in it."""
        end = len(self.text) if end is None else end
        first, last = self.range(mutant.span)
        return self.text[start:first] + mutant.replacement + self.text[last:end]

    def body(self, mutant):
        """The block of the function that the mutant is in."""
        start, end = self.range(mutant.function["span"])
        first, _ = self.range(mutant.span)
        # Not in a line of documentation, which may show another function.
        name = mutant.function_key()[-1]
        signature = re.compile(rf"^(?!\s*//)[^\n]*\bfn\s+{name}\b[^{{]*", re.MULTILINE)
        found = signature.search(self.text, self.text.rfind("\n", 0, start) + 1, end)
        if found is None or found.end() > first:
            return None
        return found.end(), end


def switched(source, mutants, constant):
    """The file's text with all mutants in it, and the lines of each arm and of each function.

    Their functions read a variable, so that they are not `const`, save for those whose names are in `constant`.
    """
    bodies = collections.defaultdict(list)
    for mutant in mutants:
        bodies[source.body(mutant)].append(mutant)
    # The mutants of a function within another belong to the outer one.
    outer = {}
    for body in sorted(bodies, key=lambda body: (body[0], -body[1])):
        around = [other for other in outer if other[0] <= body[0] and body[1] <= other[1]]
        outer.setdefault(around[0] if around else body, []).extend(bodies[body])
    text, at, arms, functions = "", 0, [], []
    for (start, end), those in sorted(outer.items()):
        first, _ = source.range(those[0].function["span"])
        signature = source.text[first:start]
        if those[0].function_key() not in constant:
            signature = signature.replace("const fn", "fn", 1)
        text += source.text[at:first] + signature
        begins = text.count("\n") + 1
        place = those[0].number
        text += f"{{ match crate::mutant::active({place}) {{\n"
        for mutant in those:
            mutant.place = place
            first = text.count("\n") + 1
            text += f"{mutant.number} => {those[0].arm(source.with_mutant(mutant, start, end))},\n"
            arms.append((first, text.count("\n"), mutant))
        text += f"_ => {those[0].arm(source.text[start:end])}\n}} }}"
        functions.append((begins, text.count("\n") + 1, those))
        at = end
    return text + source.text[at:], arms, functions


class Tree:
    """A copy of the repository, whose files are changed."""

    def __init__(self, into, tests):
        self.root = into
        # Files get the time of now, by which cargo knows that they are not those of an earlier tree.
        not_copied = shutil.ignore_patterns("target", ".git", "fuzz")
        shutil.copytree(".", into, ignore=not_copied, copy_function=shutil.copy)
        for file in ("Cargo.toml", "Cargo.lock"):
            with open(file, encoding="utf-8") as opened:
                text = opened.read()
            for ours, theirs in MANIFEST:
                text = text.replace(ours, theirs, 1)
            self.write(file, text)
        self.cargo = ["cargo", "test", "--no-run", "--quiet", "--message-format=json", "--all-features"]
        self.tests = tests
        # The names of test programs, and where they were built last.
        self.programs = {}
        self.environment = dict(os.environ, CARGO_TARGET_DIR=os.path.abspath("target"))
        self.environment.pop("MUTANT", None)

    def write(self, file, text):
        with open(os.path.join(self.root, file), "w", encoding="utf-8") as opened:
            opened.write(text)

    def build(self, tests=None, incremental="0"):
        """The names of the test programs, all or those that are asked for, and what the compiler says against them."""
        command = [*self.cargo, *(tests or self.tests)]
        environment = dict(self.environment, CARGO_INCREMENTAL=incremental)
        done = subprocess.run(
            command, cwd=self.root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        messages = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        errors = [message["message"] for message in messages if message["reason"] == "compiler-message"]
        errors = [message for message in errors if message["level"] == "error" and message["spans"]]
        if done.returncode != 0 and not errors:
            # Some compilers trip over what an earlier build has left for them.
            if incremental != "0":
                return self.build(tests)
            sys.exit(done.stderr)
        built = [
            (message["target"], message["executable"])
            for message in messages
            if message["reason"] == "compiler-artifact" and message["profile"]["test"] and message["executable"]
        ]
        self.programs.update((target["name"], executable) for target, executable in built)
        # The library's own tests come first.
        return [target["name"] for target, _ in sorted(built, key=lambda built: built[0]["kind"] != ["lib"])], errors


def switch(tree, sources, mutants):
    """Builds all mutants at once that can be. Returns the programs, those mutants, those that are wrong, and the rest."""
    here = [mutant for mutant in mutants if mutant.function and sources[mutant.file].body(mutant)]
    alone = [mutant for mutant in mutants if mutant not in here]
    unviable = []
    constant = set()
    while True:
        places = {}
        for file, source in sources.items():
            text, *places[file] = switched(source, [mutant for mutant in here if mutant.file == file], constant)
            tree.write(file, text + (SWITCH if file in ROOTS else ""))
        wrong = {}
        before = len(constant)
        programs, errors = tree.build()
        for error in errors:
            called = NOT_CONSTANT.search(error["message"])
            if called:
                constant.add(short(called[1]))
                continue
            # Without the detours of files that both crates have.
            spans = [(os.path.normpath(span["file_name"]), span["line_start"]) for span in error["spans"]]
            spans = [(*places[file], line) for file, line in spans if file in places]
            in_arms = [mutant for arms, _, line in spans for first, last, mutant in arms if first <= line <= last]
            in_functions = [
                mutant
                for _, functions, line in spans
                for first, last, those in functions
                if first <= line <= last
                for mutant in those
            ]
            code = (error["code"] or {}).get("code")
            for mutant in in_arms or in_functions:
                is_wrong = code in WRONG_ANYWHERE or any(text in error["message"] for text in NO_LET)
                is_wrong = is_wrong and bool(in_arms) and not (code == "E0308" and mutant.returns_impl())
                wrong[mutant] = wrong.get(mutant, False) or is_wrong
            if not in_arms and not in_functions:
                sys.exit(error["rendered"])
        # Those that are needed as constants cannot read a variable.
        wrong.update((mutant, False) for mutant in here if mutant.function_key() in constant)
        if not wrong and len(constant) == before:
            return programs, here, unviable, alone
        unviable += [mutant for mutant in wrong if wrong[mutant]]
        alone += [mutant for mutant in wrong if not wrong[mutant]]
        here = [mutant for mutant in here if mutant not in wrong]


def run(command, tree, limit, failed=None, **variables):
    """Whether the tests pass: True, False, or None if they take longer than the limit.

    The names of those that do not are added to `failed`.
    """

    def bound():
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
        resource.setrlimit(resource.RLIMIT_FSIZE, (MAX_OUTPUT, MAX_OUTPUT))

    # Tests know these from `cargo test`.
    given = {"CARGO_MANIFEST_DIR": os.path.abspath(tree.root), "CARGO_PKG_NAME": "tower-cors"}
    # That a property fails is enough: nobody needs the smallest example.
    given["PROPTEST_MAX_SHRINK_ITERS"] = "0"
    with tempfile.TemporaryFile("w+", errors="replace") as said:
        started = subprocess.Popen(
            command,
            cwd=tree.root,
            env={**tree.environment, **given, **variables},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=bound,
        )
        try:
            passed = started.wait(limit) == 0
        except subprocess.TimeoutExpired:
            os.killpg(started.pid, signal.SIGKILL)
            started.wait()
            return None
        if not passed and failed is not None:
            said.seek(0)
            failed += FAILED.findall(said.read(MAX_OUTPUT >> 10))
        return passed


class Test:
    """A test, which functions it reaches, and how long it takes."""

    def __init__(self, tree, program, name):
        self.program = program
        self.name = name
        with tempfile.NamedTemporaryFile("r") as reached:
            began = time.monotonic()
            if not run([tree.programs[program], "--exact", name], tree, None, REACHED=reached.name):
                sys.exit(f"{program} --exact {name} fails without any mutant")
            self.seconds = time.monotonic() - began
            self.reached = {int(line) for line in reached}


def tests_of(tree, programs, arguments):
    """All tests but those that are ignored or skipped."""

    def listed(program, *more):
        command = [tree.programs[program], "--list", "--format=terse", *arguments, *more]
        done = subprocess.run(command, cwd=tree.root, stdout=subprocess.PIPE, text=True, check=True)
        return [line.removesuffix(": test") for line in done.stdout.splitlines() if line.endswith(": test")]

    names = []
    for program in programs:
        ignored = set(listed(program, "--ignored"))
        names += [(program, name) for name in listed(program) if name not in ignored]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda named: Test(tree, *named), names))


class Noticed:
    """Which tests have noticed mutants, and where: they are likely to notice others of that function or file."""

    def __init__(self):
        self.places = collections.Counter()
        self.files = collections.Counter()

    def add(self, mutant, test):
        self.places[mutant.place, test] += 1
        self.files[mutant.file, test] += 1

    def likely(self, mutant, tests):
        counted = {test: (self.places[mutant.place, test], self.files[mutant.file, test]) for test in tests}
        known = [test for test in tests if counted[test][1] and test.seconds < 1]
        return sorted(known, key=lambda test: counted[test], reverse=True)[:LIKELY]


def notices(tree, tests, mutant, noticed):
    """False if all these tests pass with the mutant, True if one fails, None if they take too long."""

    def by_program(tests):
        programs = collections.defaultdict(list)
        for test in sorted(tests, key=lambda test: test.seconds):
            programs[test.program].append(test)
        return programs

    programs = by_program(tests)
    # The likely ones first, then the quick ones, and no more than those if they notice.
    steps = [(those, program) for program, those in by_program(noticed.likely(mutant, tests)).items()]
    quick = {program: sum(test.seconds < 1 for test in those) for program, those in programs.items()}
    steps += [(those[:10], program) for program, those in programs.items()]
    steps += [(those[10 : quick[program]], program) for program, those in programs.items()]
    steps += [(those[max(10, quick[program]) :], program) for program, those in programs.items()]
    for those, program in steps:
        # Most of a long test is waiting, and tests of a program wait side by side.
        limit = 20 + 5 * max((test.seconds for test in those), default=0) + sum(test.seconds for test in those)
        names = [test.name for test in those]
        failed = []
        passed = not names or run(
            [tree.programs[program], "--exact", *names], tree, limit, failed, MUTANT=str(mutant.number)
        )
        if not passed:
            for test in those:
                if test.name in failed:
                    noticed.add(mutant, test)
            return True if passed is False else None
    return False


def notices_alone(tree, tests, mutant, noticed):
    """The same for a mutant that is built by itself, and what the compiler says against it."""
    done = set()
    # Most are noticed by the library's own tests, and the other programs need not be built.
    for wanted in (["--lib"], None):
        programs, errors = tree.build(wanted, incremental="1")
        if errors:
            return None, errors
        here = [test for test in tests if test.program in programs and test.program not in done]
        if not here:
            sys.exit(f"none of the tests is in {programs}")
        done.update(programs)
        found = notices(tree, here, mutant, noticed)
        if found is not False:
            return found, []
    return False, []


def main():
    if len(sys.argv) < 5:
        sys.exit("usage: mutants.py LIST REASONS FOLDER ARGUMENT..., arguments as those of `cargo test --all-features`")
    listed, reasons, into, *tests = sys.argv[1:]
    at = tests.index("--") if "--" in tests else len(tests)
    tests, arguments = tests[:at], tests[at + 1 :]

    with open(listed, encoding="utf-8") as opened:
        # Without any, cargo-mutants writes nothing at all.
        entries = json.loads(opened.read() or "[]")
    mutants = [Mutant(number, entry) for number, entry in enumerate(entries, start=1)]
    # A mutant that may survive need not run: that would take longer than for any other, and change nothing.
    with open(reasons, encoding="utf-8") as opened:
        reasons = opened.read()
    explained = [mutant for mutant in mutants if f"`{mutant.without_lines()}`" in reasons]
    print(f"{len(explained)} of {len(mutants)} mutants have a reason to survive", flush=True)
    mutants = [mutant for mutant in mutants if mutant not in explained]
    if not mutants:
        return
    # Outside of the target folder: cargo notes what lies in there by its place, and of two trees would take the
    # programs of one for those of the other.
    folder = tempfile.TemporaryDirectory()
    tree = Tree(os.path.join(folder.name, "tree"), tests)
    sources = {file: Source(".", file) for file in {*ROOTS, *(mutant.file for mutant in mutants)}}

    began = time.monotonic()

    def minutes():
        return f"after {(time.monotonic() - began) / 60:.1f} minutes"

    programs, here, unviable, alone = switch(tree, sources, mutants)
    print(f"built {minutes()}", flush=True)
    tests = tests_of(tree, programs, arguments)
    if here and not any(test.reached for test in tests):
        sys.exit("no test reaches any of the functions")
    print(
        f"{len(mutants)} mutants: {len(here)} at once, {len(alone)} one by one; {len(tests)} tests {minutes()}",
        flush=True,
    )
    noticed_by = Noticed()

    def judge(mutant):
        return notices(tree, [test for test in tests if mutant.place in test.reached], mutant, noticed_by)

    results = {}
    # Each as soon as it is known, so that a run that ends early was not for nothing.
    with open(os.path.join(into, "missed.txt"), "w", encoding="utf-8", buffering=1) as missed:

        def record(mutant, noticed):
            results[mutant] = noticed
            if noticed is False:
                missed.write(mutant.name + "\n")

        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for mutant, noticed in zip(here, pool.map(judge, here)):
                record(mutant, noticed)
        print(f"those at once {minutes()}", flush=True)

        for file, source in sources.items():
            tree.write(file, source.text)
        for mutant in alone:
            tree.write(mutant.file, sources[mutant.file].with_mutant(mutant))
            noticed, errors = notices_alone(tree, tests, mutant, noticed_by)
            if errors:
                unviable.append(mutant)
            else:
                record(mutant, noticed)
            tree.write(mutant.file, sources[mutant.file].text)

    with open(os.path.join(into, "unviable.txt"), "w", encoding="utf-8") as opened:
        opened.writelines(mutant.name + "\n" for mutant in unviable)
    outcomes = collections.Counter(results.values())
    print(
        f"{outcomes[True] + outcomes[None]} noticed ({outcomes[None]} by taking too long), "
        f"{outcomes[False]} not, {len(unviable)} do not compile {minutes()}"
    )


if __name__ == "__main__":
    main()
