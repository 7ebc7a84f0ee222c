# SPDX-License-Identifier: MIT
"""Suppressions as valgrind generates them: unchanged, they leave out of a trace what they leave out in memcheck, and what mtracer writes
does so in both.

One half of a program's suppressions at a time, so that what isn't to be suppressed is seen, too.
"""
import re
import shutil
import unittest

from packages import missing
from programs import BUILT
from tracing import mtracer, run, scratch
from verdicts import VALGRIND, by_mtracer, by_memcheck, verdict_of

VARIANTS = [(compiler, level) for compiler in ("gcc", "clang") for level in ("-O0", "-O2")]
PROGRAMS = {"kinds": VARIANTS[:1], "kinds_cxx": VARIANTS[1:2], "situations": VARIANTS[1:3], "situations_cxx": VARIANTS,
            "situations_threads": VARIANTS[::3], "allocating": VARIANTS}

# Both judge in these by what is left in memory by chance, or memcheck judges otherwise (test_others.py).
UNEQUAL = {"in_environment", "in_stream", "reachable_behind_no_count", "reachable_empty_array"}

# Memcheck has other names, or no inlined functions, where mtracer has some, and does without what mtracer writes for these.
UNWRITTEN = {"by_constructor_and_destructor", "compare", "in_thread", "make", "by_inlined", "by_inlined_template"}


def blocks(text):
    """Without what valgrind says before and between."""
    return re.findall(r"^\{\n.*?^\}\n", text, re.M | re.S)


def generated(built):
    """By valgrind, for all kinds of leaks."""
    ended = run([*VALGRIND, "-q", "--show-leak-kinds=all", "--gen-suppressions=all", built], traced=False, timeout=280)
    return blocks(ended.stderr.decode())


def without_indirect(verdicts):
    """An indirect block goes with the one that holds it."""
    left = {case: {kind: sizes for kind, sizes in verdict.items() if kind != "indirect"}
            for case, verdict in verdicts.items() if case not in UNEQUAL}
    return {case: verdict for case, verdict in left.items() if verdict}


@unittest.skipUnless(shutil.which("valgrind"), missing("valgrind"))
class Suppressions(unittest.TestCase):
    maxDiff = None

    def left_by_us(self, program, directory, suppressions):
        file = directory / "file.supp"
        file.write_text("".join(suppressions))
        verdicts, _ = verdict_of(program, directory / f"{program}.mtrace", "--suppressions", file)
        return without_indirect(verdicts)

    def left(self, program, built, directory, suppressions):
        """By us and by memcheck."""
        ours = self.left_by_us(program, directory, suppressions)
        memcheck = by_memcheck(program, directory, built, f"--suppressions={directory / 'file.supp'}")
        return ours, without_indirect(memcheck)

    def check(self, program, built):
        with scratch() as directory:
            by_mtracer(program, directory, built)
            found = generated(built)
            self.assertGreater(len(found), 5)
            halves = [found[half::2] for half in (0, 1)]
            for half in halves:
                with self.subTest(half=halves.index(half)):
                    ours, memcheck = self.left(program, built, directory, half)
                    self.assertEqual(ours, memcheck)
                    self.assertNotEqual(ours, {})
            self.assertEqual(self.left_by_us(program, directory, found), {})

    def check_written(self, program, built):
        """What mtracer writes suppresses the same in both."""
        with scratch() as directory:
            by_mtracer(program, directory, built)
            trace = directory / f"{program}.mtrace"
            written = blocks(mtracer("leaks", "--all", "--no-builtin", "--by", "site", "--gen-suppressions", trace).stdout.decode())
            self.assertGreater(len(written), 5)
            self.assertEqual(self.left_by_us(program, directory, written), {})
            for half in (0, 1):
                with self.subTest(half=half):
                    ours, memcheck = self.left(program, built, directory, written[half::2])
                    self.assertEqual({case: verdict for case, verdict in memcheck.items() if case not in UNWRITTEN},
                                     {case: verdict for case, verdict in ours.items() if case not in UNWRITTEN})


for name, variants in PROGRAMS.items():
    for pair in variants:
        def test(self, way="check", name=name, pair=pair):
            built = BUILT / f"{name}-{pair[0]}{pair[1]}"
            if not built.exists():
                self.skipTest(missing(pair[0]))
            getattr(self, way)(name, built)
        suffix = f"{name}_{pair[0]}_{pair[1][1:]}"
        setattr(Suppressions, f"test_{suffix}", test)
        if name == "allocating" and pair in (VARIANTS[0], VARIANTS[3]):
            setattr(Suppressions, f"test_written_{suffix}", lambda self, test=test: test(self, "check_written"))

unittest.main(verbosity=2)
