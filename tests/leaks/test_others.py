# SPDX-License-Identifier: MIT
"""The programs by one compiler, optimized and not, under mtracer, memcheck and LeakSanitizer, block by block.

mtracer must say what the source says. The cases where one of the others' verdicts differs are listed with the reason; where both differ,
and in the same way, the source must be wrong. What else one of them finds by chance (a word that was left in a register or on its stack)
counts only if the other one doesn't say what the source says either.
"""
import functools
import shutil
import sys
import unittest

from packages import missing
from programs import BUILT
from tracing import scratch
from verdicts import PROGRAMS, SITUATIONS, by_lsan, by_memcheck, by_mtracer, expected

COMPILER = sys.argv.pop(1)
CASES = 150  # at the least
NO_LSAN = "no LeakSanitizer that works: package libclang-rt-dev, or the compiler's"

# Where the others' verdicts differ, and why.
MEMCHECK = {
    # It knows no arrays of no elements.
    "reachable_behind_no_count": {"lost": [8, 1]},
    "reachable_empty_array": {"lost": [8, 1]},
    # It lets the C library free all of its own before it looks, and with it the environment and the buffers of streams.
    "in_environment": {"lost": [29, 1]},
    "in_stream": {"lost": [301, 1]},
    # It looks no further in a block behind a page that can't be read, and a pointer to such a page is none.
    "in_open_page": {"lost": [24, 1]},
    "possible_in_closed": {"lost": [1000000, 1]},
}

LSAN = {
    # An empty block counts as one byte.
    "lost_empty": {"lost": [1, 1]},
    # In a ring of lost blocks all are indirect. So are the head of a list or a tree that is in a circle with its nodes.
    "ring": {"indirect": [120, 3]},
    "joined_rings": {"indirect": [240, 6]},
    "double_ring": {"indirect": [160, 4]},
    "lost_shared_cycle": {"indirect": [272, 2]},
    "lost_list": {"indirect": [88, 4]},
    "lost_set": {"indirect": [168, 4]},
    # Mappings are no roots.
    "reachable_from_mapping": {"lost": [14, 1]},
    "reachable_from_shared_mapping": {"lost": [31, 1]},
    "reachable_from_file_mapping": {"lost": [32, 1]},
    # The program told it to be silent.
    "lost_but_ignored": None,
    "lost_but_disabled": None,
}

# It gives up at a page that can't be read.
NOT_BY_LSAN = ("unreadable",)


def told_by_lsan(verdict):
    """What is left where only lost blocks are told. It takes any pointer to the inside for one to the start, so it knows no
    possible blocks."""
    return {kind: sizes for kind, sizes in verdict.items() if kind in ("lost", "indirect")}


class Others(unittest.TestCase):
    maxDiff = None

    def compare(self, program, verdicts, known, told=lambda verdict: verdict, agrees=lambda case: False):
        for case, verdict in expected(program).items():
            with self.subTest(program=program, case=case):
                got, wanted = verdicts.get(case) or {}, known.get(case, told(verdict)) or {}
                if got != wanted and not agrees(case):
                    self.assertEqual(got, wanted)

    def agreeing(self, verdicts, program, told):
        """Whether another tool says of a case what the source says; it is only asked when that matters."""
        answers = functools.cache(verdicts)
        return lambda case: (answers() or {}).get(case, {}) == told(expected(program)[case])

    def built(self, program, level, more=""):
        built = BUILT / f"{program}-{COMPILER}{level}{more}"
        if not built.exists():
            self.skipTest(NO_LSAN if more else missing(COMPILER))
        return built

    def check(self, program, level):
        with scratch() as directory:
            verdicts, _ = by_mtracer(program, directory, self.built(program, level))
        self.compare(program, verdicts, {})

    def memcheck(self, program, level):
        with scratch() as directory:
            return by_memcheck(program, directory, self.built(program, level))

    def lsan(self, program, level):
        return by_lsan(program, self.built(program, level, "-lsan"))

    @unittest.skipUnless(shutil.which("valgrind"), missing("valgrind"))
    def check_memcheck(self, program, level):
        lsan = self.agreeing(lambda: self.lsan(program, level), program, told_by_lsan)
        self.compare(program, self.memcheck(program, level), MEMCHECK, agrees=lsan)

    def check_lsan(self, program, level):
        verdicts = self.lsan(program, level)
        if verdicts is None:
            self.skipTest("it gives up" if program in NOT_BY_LSAN else NO_LSAN)
        memcheck = self.agreeing(lambda: self.memcheck(program, level), program, lambda verdict: verdict)
        self.compare(program, verdicts, LSAN, told_by_lsan, memcheck)

    def test_lists(self):
        """Each entry is a case's, and none has both others against the source in the same way."""
        cases = {}
        for program in COMPARED:
            cases.update(expected(program))
        self.assertGreaterEqual(len(cases), CASES)
        self.assertLessEqual({*MEMCHECK, *LSAN}, {*cases})
        for case in {*MEMCHECK} & {*LSAN}:
            self.assertNotEqual(told_by_lsan(MEMCHECK[case]), LSAN[case])


COMPARED = {**PROGRAMS, **SITUATIONS}
for name in COMPARED:
    for optimization in ("-O0", "-O2"):
        for by, function in ("", "check"), ("_memcheck", "check_memcheck"), ("_lsan", "check_lsan"):
            setattr(Others, f"test_{name}{optimization.replace('-', '_')}{by}",
                    lambda self, f=function, p=name, o=optimization: getattr(self, f)(p, o))

unittest.main(verbosity=2)
