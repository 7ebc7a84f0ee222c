"""The same programs under memcheck and LeakSanitizer: the cases where their verdicts are others are listed with the reason."""
import shutil
import unittest

from tracing import scratch
from packages import missing
from verdicts import PROGRAMS, by_lsan, by_memcheck, by_mtracer, expected

# Where the others' verdicts differ from ours, and why.
# It knows no arrays of no elements.
MEMCHECK = {"reachable_behind_no_count": {"lost": [8, 1]}}

# LeakSanitizer counts an empty block as one byte. In a ring of lost blocks all are indirect to it. It takes any pointer to the inside
# for one to the start, so it knows no possible blocks, and it reports lost ones only. Mappings are no roots to it.
LSAN = {
    "lost_empty": {"lost": [1, 1]},
    "ring": {"indirect": [120, 3]},
    "lost_shared_cycle": {"indirect": [272, 2]},
    "reachable_from_mapping": {"lost": [14, 1]},
}


def reported_by_lsan(verdict):
    """What is left of a verdict where only lost blocks are told."""
    kept = {kind: sizes for kind, sizes in (verdict or {}).items() if kind in ("lost", "indirect")}
    return kept or None


class Others(unittest.TestCase):
    maxDiff = None

    def compare(self, program, verdicts, known, told=lambda verdict: verdict):
        with scratch() as directory:
            ours, _ = by_mtracer(program, directory)
        for case in expected(program):
            with self.subTest(program=program, case=case):
                self.assertEqual(verdicts.get(case), known.get(case, told(ours.get(case))))

    @unittest.skipUnless(shutil.which("valgrind"), missing("valgrind"))
    def test_memcheck(self):
        for program in PROGRAMS:
            with scratch() as directory:
                self.compare(program, by_memcheck(program, directory), MEMCHECK)

    def test_lsan(self):
        for program in PROGRAMS:
            with scratch() as directory:
                verdicts = by_lsan(program, directory)
            if verdicts is None:
                self.skipTest("no LeakSanitizer that works: package libclang-rt-dev, or the compiler's")
            self.compare(program, verdicts, LSAN, reported_by_lsan)


unittest.main(verbosity=2)
