"""The objects for functions that only one allocator has: they are there when they are needed, and else do no harm."""
import os
import unittest

from programs import Program
from tracing import LIBRARY, Trace, only_trace, run, scratch

COMPANION = os.path.join(os.path.dirname(LIBRARY), "libmtrace_jemalloc.so")
JEMALLOC = "libjemalloc.so.2"
PROGRAM = Program("asks_for_jemalloc")


def has_jemalloc():
    return run(["/bin/true"], traced=False, LD_PRELOAD=JEMALLOC).stderr == b""


class Companions(unittest.TestCase):
    def setUp(self):
        context = scratch()
        self.directory = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)

    def start(self, *preload, **variables):
        result = run([PROGRAM.path], cwd=self.directory, LD_PRELOAD=":".join(preload), **variables)
        self.assertEqual((result.status, result.stderr), (0, b""), result)
        return result.stdout.decode()

    def test_library_alone_defines_none(self):
        self.assertEqual(self.start(LIBRARY), "no jemalloc\n")

    def test_without_the_allocator(self):
        """Added by hand to a program that then believes in it: the malloc family serves."""
        self.assertEqual(self.start(LIBRARY, COMPANION), "jemalloc\n")
        main = only_trace(self.directory).functions("--cumulative")["main"]
        self.assertGreaterEqual(main["allocated_bytes"], 1100)

    def test_without_the_library(self):
        self.assertEqual(self.start(COMPANION), "jemalloc\n")

    @unittest.skipUnless(has_jemalloc(), "jemalloc isn't installed")
    def test_any_order(self):
        for order in ([LIBRARY, COMPANION, JEMALLOC], [COMPANION, LIBRARY, JEMALLOC]):
            with self.subTest(order=order):
                self.assertEqual(self.start(*order, MTRACE_OUT="t.mtrace"), "jemalloc\n")
                trace = Trace(self.directory / "t.mtrace")
                self.assertEqual(PROGRAM.row(trace, "mallocx")["allocated_bytes"], 100)
                self.assertEqual(PROGRAM.row(trace, "rallocx")["allocated_bytes"], 1000)
                self.assertEqual(PROGRAM.row(trace, "rallocx")["current_bytes"], 0)

    def test_not_followed(self):
        """MTRACE_FOLLOW=0 takes it out of the environment with the library."""
        result = run(["/bin/sh", "-c", "env"], cwd=self.directory, MTRACE_FOLLOW="0",
                     LD_PRELOAD=f"{LIBRARY}:{COMPANION}")
        self.assertNotIn(b"libmtrace", result.stdout)


if __name__ == "__main__":
    unittest.main()
