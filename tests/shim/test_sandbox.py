# SPDX-License-Identifier: MIT
"""Programs that forbid themselves system calls (seccomp) aren't killed for what the library would like to do."""
import itertools
import shutil
import unittest

from programs import Program
from tracing import only_trace, run, same_behaviour, scratch, traces

PROGRAM = Program("sandbox")
LEAVES = 2 ** 8


class Sandbox(unittest.TestCase):
    def setUp(self):
        context = scratch()
        self.directory = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)

    def start(self, *arguments, **variables):
        command = [PROGRAM.path, *arguments]
        native = run(command, traced=False, cwd=self.directory)
        if native.status != 0:
            self.skipTest(f"not possible here: {native}")
        same_behaviour(native, run(command, cwd=self.directory, **variables))

    def check(self, trace, count, masks):
        """All blocks are known, and the innermost lines of the stacks."""
        self.assertEqual(PROGRAM.row(trace, "before")["current_bytes"], 0)
        self.assertEqual(PROGRAM.row(trace, "after")["current_bytes"], 60)
        moved = PROGRAM.row(trace, "moved")
        self.assertEqual((moved["allocations"], moved["current_bytes"]), (7 * count, 0))
        self.assertEqual(PROGRAM.row(trace, "leaf")["allocations"], LEAVES * count)
        report = trace.report()
        self.assertIs(report["trace"]["complete"], True)
        self.assertEqual(trace.state(), "exited")
        if masks:
            self.assertEqual(trace.functions("--cumulative")["main"]["allocations"],
                             report["totals"]["allocations"])

    def test_filters(self):
        for how, what, also in itertools.product(("prctl", "seccomp", "twice", "errno"), ("heap", "masks", "all"),
                                                 ("", "threads", "fork")):
            with self.subTest(how=how, what=what, also=also):
                self.start(how, what, also)
                found = traces(self.directory, "sandbox")
                threads = also == "threads"
                # Where it is the whole trace that may be written, the child has its own.
                self.assertEqual(len(found), 1 + (what == "all" and also == "fork"))
                self.check(found[-1], 3 if threads else 1, what != "heap" and not threads)
                for trace in found:
                    trace.path.unlink()

    def test_strict(self):
        """Nothing but read, write and exit: neither new stacks nor the end can be noted, but nobody is killed."""
        self.start("strict", "heap")
        trace = only_trace(self.directory)
        self.assertEqual(PROGRAM.row(trace, "before")["current_bytes"], 0)
        self.assertEqual(PROGRAM.row(trace, "leaf")["allocations"], 800)

    def test_refused(self):
        """What the kernel did not take is forgotten again."""
        self.start("refused", "heap")
        self.check(only_trace(self.directory), 1, True)

    def test_man(self):
        """man locks its children in, some of which execute other programs then: those may not make files."""
        page = self.directory / "page.1"
        page.write_text(".TH PAGE 1\n.SH NAME\npage \\- a page\n")
        command = ["man", "-P", "cat", "-l", page]
        if not shutil.which("man") or run(command, traced=False).status != 0:
            self.skipTest("man is missing, or shows nothing here: package man-db")
        native, traced = run(command, traced=False), run(command, cwd=self.directory)
        self.assertEqual((traced.status, traced.stdout), (native.status, native.stdout))
        for line in traced.stderr.decode().splitlines():
            self.assertRegex(line, "^libmtrace: cannot create .*; running untraced$")
        self.assertGreater(len(traces(self.directory, "man")), 0)

    def test_exec(self):
        """An exec that kills is none; what a child forbids itself in the memory that it shares isn't known, so nothing is asked."""
        for how in "denied", "child":
            with self.subTest(how=how), scratch() as directory:
                command = [PROGRAM.path, "exec", how]
                same_behaviour(run(command, traced=False, cwd=directory), run(command, cwd=directory))
                trace = only_trace(directory, "sandbox")
                self.assertEqual((trace.state(), "went_on_as" in trace.info()["trace"]), ("died", False))

    def test_verbose(self):
        """Not a word where a word would kill."""
        command = [PROGRAM.path, "prctl", "heap"]
        traced = run(command, cwd=self.directory, MTRACE_VERBOSE="1")
        same_behaviour(run(command, traced=False), traced)
        traced = run([PROGRAM.path, "prctl", "all"], cwd=self.directory, MTRACE_VERBOSE="1")
        self.assertIn(b"trace in ", traced.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
