# SPDX-License-Identifier: MIT
"""A handler that interrupts the program and the tracer anywhere, and allocates, forks or jumps away there.

What the threads allocate is recorded to the byte; a handler's own allocations are recorded or counted as lost.
"""
import struct
import unittest

from programs import Program
from tracing import LONG, first_trace, run, scratch, traces

FIELDS = ("thread", "thread bytes", "handler", "handler bytes", "after")
MILLISECONDS = 10000 if LONG else 400


class Async(unittest.TestCase):
    def interrupt(self, name, what):
        """The ledger, the oldest trace, its rows by line."""
        program = Program(name)
        program.source = Program("async").source
        context = scratch()
        directory = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        command = [program.path, what, MILLISECONDS, "ledger"]
        for traced in (False, True):
            result = run(command, traced=traced, cwd=directory, timeout=300)
            self.assertEqual((result.status, result.stdout, result.stderr), (0, b"done\n", b""))
        ledger = dict(zip(FIELDS, struct.unpack("5Q", (directory / "ledger").read_bytes())))
        found = traces(directory, name)
        parent = first_trace(found)
        for trace in found[:5]:
            trace.report()
        return ledger, parent, lambda line: program.row(parent, line)

    def check(self, name, what):
        ledger, trace, row = self.interrupt(name, what)
        thread, handler = row("thread"), row("handler")
        self.assertEqual((thread["allocations"], thread["allocated_bytes"]),
                         (ledger["thread"], ledger["thread bytes"]))
        self.assertEqual((thread["current_bytes"], thread["current_blocks"]), (0, 0))
        self.assertEqual(row("after")["allocations"], ledger["after"])
        lost = sum(trace.report()["trace"]["lost"].values())
        self.assertLessEqual(handler["allocations"], ledger["handler"])
        self.assertGreaterEqual(handler["allocations"] + lost, ledger["handler"])
        return ledger, handler

    def test_allocating(self):
        """Only in the tracer."""
        ledger, _ = self.check("async", "allocate")
        self.assertGreater(ledger["handler"], 0)

    def test_allocating_anywhere(self):
        """With an allocator that may be interrupted."""
        ledger, handler = self.check("async_safe", "allocate")
        self.assertGreater(handler["allocations"], ledger["handler"] // 2)

    def test_forking(self):
        self.check("async", "fork")

    def test_forking_anywhere(self):
        self.check("async_safe", "fork")

    def test_jumping(self):
        """Out of the tracer. What it was about to note is lost, what comes later isn't."""
        for _ in range(10 if LONG else 3):
            ledger, _, row = self.interrupt("async", "jump")
            self.assertEqual(row("after")["allocations"], ledger["after"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
