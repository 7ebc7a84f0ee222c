# SPDX-License-Identifier: MIT
"""Code that comes where other code was: what it allocates is its own, also where no dlclose by name told that the other went."""
import unittest

from programs import Program
from tracing import only_trace, run, same_behaviour, scratch

PROGRAM = Program("gone_code")
ROUNDS = 10


class GoneCode(unittest.TestCase):
    def setUp(self):
        context = scratch()
        self.directory = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)

    def trace(self, which, **variables):
        command = [PROGRAM.path, which]
        native = run(command, traced=False, cwd=self.directory)
        same_behaviour(native, run(command, cwd=self.directory, **variables))
        self.assertEqual(native.status, 0, native)
        return only_trace(self.directory)

    def callers(self, trace):
        """{function or None: allocations} of what called `allocate`."""
        counts = {}
        for row in trace.report("site")["rows"]:
            if row["function"] == "allocate":
                frame = row["stack"][1]
                caller = frame["function"] if frame["module"] else None
                counts[caller] = counts.get(caller, 0) + row["allocations"]
        return counts

    def test_a_library_after_another(self):
        self.assertEqual(self.callers(self.trace("library_after_library")), {"first_call": ROUNDS, "second_call": ROUNDS})

    def test_a_library_after_another_when_sampling(self):
        """Estimates: only who is there."""
        callers = self.callers(self.trace("library_after_library", MTRACE_SAMPLE="110"))
        self.assertEqual(set(callers), {"first_call", "second_call"})

    def test_generated_code_after_a_library(self):
        self.assertEqual(self.callers(self.trace("code_after_library")), {"first_call": ROUNDS, None: ROUNDS})

    def test_a_library_after_generated_code(self):
        self.assertEqual(self.callers(self.trace("library_after_code")),
                         {"first_call": 1, None: ROUNDS, "second_call": ROUNDS})

    def test_a_null_call_after_a_library(self):
        [row] = [row for row in self.trace("null_call").report("site")["rows"] if row["function"] == "on_fault"]
        functions = [frame["function"] for frame in row["stack"]]
        self.assertEqual(functions[-6:-3], ["calls_no_code", "null_call", "main"], functions)
        self.assertFalse([name for name in functions if name[1:].isdigit()], functions)


if __name__ == "__main__":
    unittest.main()
