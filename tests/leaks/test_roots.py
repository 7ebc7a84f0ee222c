# SPDX-License-Identifier: MIT
"""What is a root and what isn't, a process for each case, as its source says; built by each compiler, optimized and not."""
import json
import os
import re
import shutil
import unittest

from programs import SOURCES
from tracing import mtracer, run, scratch

ROOTS, PLACES = SOURCES / "roots.c", SOURCES / "places.c"
SIZES = range(1, 64)
SEEDS = range(1, 9)


def expected(source):
    """{case: kind}, of comments behind a case's head, or `case NAME KIND`."""
    kinds = {}
    for line in source.read_text().splitlines():
        found = re.search(r"^CASE (\w+)\(void\) // (\w+)$", line) or re.search(r"// case (\w+) (\w+)$", line)
        if found:
            kinds[found.group(1)] = found.group(2)
    return kinds


def build(compiler, optimization, directory, source=ROOTS):
    program = directory / f"{source.stem}-{compiler}{optimization}"
    done = run([compiler, optimization, "-g", "-fno-builtin", "-fno-optimize-sibling-calls", "-pthread", "-w", source,
                "-o", program], traced=False)
    if done.status != 0:
        raise AssertionError(done)
    return program


def kinds_of(program, directory, *arguments, **environment):
    """The kinds of the blocks that block() made."""
    trace = directory / "roots.mtrace"
    ended = mtracer("run", "-q", "-o", trace, "--", program, *arguments, **environment)
    if ended.status != 0:
        raise AssertionError(ended)
    report = json.loads(mtracer("leaks", "--all", "--json", "--no-builtin", trace).stdout)
    if not report["leaks"]["classified"]:
        raise AssertionError(report["leaks"]["why_unclassified"])
    return {row["kind"] for row in report["rows"] if "block" in [frame["function"] for frame in row["stack"]]}


class Roots(unittest.TestCase):
    maxDiff = None

    def check(self, compiler, optimization, source):
        wanted = expected(source)
        with scratch() as directory:
            program = build(compiler, optimization, directory, source)
            got = {case: kinds_of(program, directory, case, "100") for case in wanted}
        self.assertEqual(got, {case: {kind} for case, kind in wanted.items()})
        self.assertGreater(len(got), 25)

    def test_places(self):
        """Which words of the allocator's lead to a block depends on its size and on where the heap begins."""
        with scratch() as directory:
            program = build("gcc", "-O1", directory)
            for number in SIZES:
                with self.subTest(size=number):
                    kinds = kinds_of(program, directory, "before_top", str(number), PADDING="x" * number)
                    self.assertEqual(kinds, {"lost"})
            for number in SEEDS:
                with self.subTest(seed=number):
                    kinds = kinds_of(program, directory, "between_free", str(number), PADDING="x" * 16 * number)
                    self.assertEqual(kinds, {"lost"})


for name in ("gcc", "clang"):
    for level in ("-O0", "-O2"):
        if shutil.which(name):
            for cases in ROOTS, PLACES:
                setattr(Roots, f"test_{cases.stem}_{name}{level.replace('-', '_')}",
                        lambda self, name=name, level=level, cases=cases: self.check(name, level, cases))

unittest.main()
