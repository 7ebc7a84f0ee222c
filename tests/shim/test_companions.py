# SPDX-License-Identifier: MIT
"""The objects for functions that only one allocator has: they are there when they are needed, and else do no harm."""
import os
import unittest

from allocators import KNOWN, library_of, needed_library
from programs import Program
from tracing import LIBRARY, Trace, mtracer, only_trace, run, scratch

COMPANION = os.path.join(os.path.dirname(LIBRARY), "libmtrace_jemalloc.so")
PROGRAM = Program("asks_for_jemalloc")


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

    def test_any_order(self):
        jemalloc = needed_library("jemalloc")
        for order in ([LIBRARY, COMPANION, jemalloc], [COMPANION, LIBRARY, jemalloc]):
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

    def under_run(self, *arguments, **variables):
        """(output, trace)"""
        result = mtracer("run", "--quiet", "--out", self.directory / "t.mtrace", *arguments, "--", PROGRAM.path, **variables)
        self.assertEqual((result.status, result.stderr), (0, b""), result)
        return result.stdout.decode(), Trace(self.directory / "t.mtrace")

    def test_run_adds_it_only_where_something_has_it(self):
        self.assertEqual(self.under_run()[0], "no jemalloc\n")

    def test_run_adds_it(self):
        jemalloc = needed_library("jemalloc")
        for options, variables in ((["--allocator", "jemalloc"], {}), ([], {"LD_PRELOAD": jemalloc})):
            with self.subTest(options=options):
                output, trace = self.under_run(*options, **variables)
                self.assertEqual(output, "jemalloc\n")
                self.assertEqual(PROGRAM.row(trace, "mallocx")["allocated_bytes"], 100)
                self.assertTrue(trace.report()["trace"]["complete"])


class OtherAllocators(unittest.TestCase):
    """mtracer run --allocator."""

    NAMES = [name for name in KNOWN if " " not in name]

    def setUp(self):
        context = scratch()
        self.directory = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)

    def start(self, allocator, *options, program=(Program("growing").path, "6")):
        return mtracer("run", "--allocator", allocator, "--out", self.directory / "t.%p", *options, "--", *program)

    def test_each(self):
        for name in self.NAMES:
            library = library_of(name)
            with self.subTest(name=name):
                result = self.start(name)
                if not library:
                    self.assertEqual((result.status, result.stdout), (2, b""))
                    self.assertRegex(result.stderr.decode(), rf"\Amtracer: run: --allocator: {name} is not installed[^\n]*\n\Z")
                    continue
                self.assertEqual(result.status, 0, result)
                self.assertRegex(result.stderr.decode(), r"\npeak RSS [0-9.]+ MiB \(tracer ≤ [0-9.]+ .iB\); CPU ")
                listing = self.start(name, "--quiet", program=["env"]).stdout.decode()
                self.assertRegex(listing, rf"(?m)^LD_PRELOAD=\S*/libmtrace.so:\S*/{library}$")

    def test_comparison(self):
        names = ["glibc", *filter(library_of, self.NAMES)]
        result = self.start(",".join(names), "--quiet")
        self.assertEqual(result.status, 0, result)
        lines = result.stderr.decode().splitlines()
        self.assertEqual(lines[0].split(), "allocator heap peak peak RSS tracer CPU time".split())
        self.assertEqual([line.split()[0] for line in lines[1:1 + len(names)]], names)
        self.assertEqual(result.stdout, b"".join([b"allocations 64, next descriptor 3\n"] * len(names)))


if __name__ == "__main__":
    unittest.main(verbosity=2)
