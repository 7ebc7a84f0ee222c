# SPDX-License-Identifier: MIT
"""The programs with other allocators, whose own words must not lead to a block. Lost and indirect blocks are added up: mimalloc
and tcmalloc leave addresses in what they give, which lead from one lost block to another.
"""
import unittest

from allocators import KNOWN, needed_library
from programs import BUILT
from tracing import LIBRARY, mtracer, run, scratch
from verdicts import PROGRAMS, SITUATIONS, add, expected, verdict_of

# What the constructors before main have left on the stack, where the frames of main's callers have gaps, is an address that is given anew.
NOT_TOLD = ("registers",)

# realloc(p, 0) is a block to it.
MIMALLOC = {"resized_to_nothing": {"gone": [0, 1]}}

# The pointer is to the start of the block behind it, too. And a block may be so large that two numbers side by side are an address in it.
ALL = {"lost_huge": {"possible": [209715200, 1]},
       "reachable_empty_array": {"possible": [8, 1]},
       "reachable_behind_no_count": {"possible": [8, 1]}}


def gone(verdicts):
    """With lost and indirect blocks in one."""
    summed = {}
    for case, verdict in verdicts.items():
        for kind, (size, blocks) in verdict.items():
            add(summed, case, "gone" if kind in ("lost", "indirect") else kind, size, blocks)
    return summed


class Allocators(unittest.TestCase):
    maxDiff = None

    def run_with(self, library, built, directory):
        trace = directory / "t.mtrace"
        ended = run([built], traced=False, LD_PRELOAD=f"{LIBRARY}:{library}", MTRACE_OUT=str(trace))
        self.assertEqual(ended.status, 0, ended)
        return trace

    def check(self, allocator, program):
        library = needed_library(allocator)
        wanted = gone(expected(program))
        if allocator == "mimalloc":
            wanted.update({case: verdict for case, verdict in MIMALLOC.items() if case in expected(program)})
        with scratch() as directory:
            got = gone(verdict_of(program, self.run_with(library, BUILT / program, directory))[0])
        for case in {*wanted, *got}:
            with self.subTest(allocator=allocator, program=program, case=case):
                self.assertIn(got.get(case), (wanted.get(case), ALL.get(case, wanted.get(case))))

    def test_own_blocks(self):
        """What tcmalloc makes of itself is no leak of the program's."""
        library = needed_library("tcmalloc")
        with scratch() as directory:
            trace = self.run_with(library, "/bin/true", directory)
            result = mtracer("leaks", trace)
            self.assertEqual(result.status, 0, result)


for name in ("jemalloc", "mimalloc", "tcmalloc"):
    assert name in KNOWN
    for source in {**PROGRAMS, **SITUATIONS}:
        if source not in NOT_TOLD:
            setattr(Allocators, f"test_{name}_{source}", lambda self, a=name, p=source: self.check(a, p))

unittest.main(verbosity=2)
