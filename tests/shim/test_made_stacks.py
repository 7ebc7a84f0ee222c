# SPDX-License-Identifier: MIT
"""Stacks that begin where no call has led, and frames without unwind information: no frame is made up, and what may be
missing is said."""
import unittest

from programs import Program
from tracing import only_trace, run, same_behaviour, scratch

PROGRAM = Program("made_stacks")
GUESSED_MOST = 4096  # as in capture.c
ROUNDS = 100000


class MadeStacks(unittest.TestCase):
    def setUp(self):
        context = scratch()
        self.directory = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)

    def trace(self, which):
        command = [PROGRAM.path, which]
        native = run(command, traced=False, cwd=self.directory)
        same_behaviour(native, run(command, cwd=self.directory))
        self.assertEqual(native.status, 0, native)
        return only_trace(self.directory)

    def sites(self, trace, line="work"):
        """Of the allocations in this line, which are all there: (functions, end) of each site."""
        rows = [row for row in trace.report("site", "--sort", "allocations")["rows"]
                if row["function"] == line]
        return [([frame["function"] for frame in row["stack"]], row["stack_end"], row["allocations"]) for row in rows]

    def notes(self, trace):
        return {note["key"]: note for note in trace.report()["trace"]["notes"]}

    def test_a_context_ends_at_its_start(self):
        trace = self.trace("contexts")
        [(functions, end, count)] = self.sites(trace)
        self.assertEqual((functions, end, count), (["work", "inner", "__start_context"], "whole", 200))
        self.assertTrue(trace.report()["trace"]["complete"])

    def test_a_stack_by_hand_ends_at_its_start(self):
        trace = self.trace("jumped")
        [(functions, end, count)] = self.sites(trace)
        self.assertEqual(functions[:2] + [end, count], ["work", "by_hand", "whole", 200])
        self.assertLessEqual(len(functions), 3)
        self.assertTrue(trace.report()["trace"]["complete"])

    def test_a_start_that_never_returns(self):
        """Whose code calls the fiber's function, and has no way back: the creator's frame pointer leads nowhere."""
        [(functions, _, count)] = self.sites(self.trace("called"))
        self.assertEqual((functions, count), (["work", "by_hand", "by_hand_calling"], 200))

    def test_stale_numbers_are_no_frames(self):
        trace = self.trace("stale_numbers")
        [(functions, end, count)] = self.sites(trace)
        self.assertEqual((functions, end, count), (["work", "with_rbp"], "broken", ROUNDS))

    def test_stale_frames_have_a_bound(self):
        trace = self.trace("stale_frames")
        sites = self.sites(trace)
        self.assertEqual(sum(count for _, _, count in sites), ROUNDS)
        self.assertLessEqual(len(sites), GUESSED_MOST + 1)
        notes = self.notes(trace)
        self.assertIn("cut_stacks", notes)
        self.assertIn("made_stacks", notes["skipped_frames"]["text"])
        self.assertFalse(trace.report()["trace"]["complete"])

    def test_numbers_above_a_stack_have_a_bound(self):
        trace = self.trace("numbers_above")
        sites = self.sites(trace)
        self.assertEqual(sum(count for _, _, count in sites), ROUNDS)
        self.assertTrue(all(functions[:2] == ["work", "by_hand"] for functions, _, _ in sites), sites[:3])
        self.assertLessEqual(len(sites), 20)
        [frames] = [table["records"] for table in trace.info()["tables"] if table["name"] == "frames"]
        self.assertLess(frames, 1000)

    def test_calls_of_no_code(self):
        for functions, end, _ in self.sites(self.trace("faults"), "on_fault"):
            self.assertIn("calls_no_code", functions)
            self.assertIn("main", functions)
            self.assertEqual(end, "whole")

    def test_functions_without_unwind_information(self):
        """What their code tells is whole; where it doesn't, this is said."""
        trace = self.trace("no_tables")
        [(functions, end, count)] = self.sites(trace, "no_table_allocates")
        self.assertEqual(functions[:5] + [end, count],
                         ["no_table_allocates", "no_table_calls", "no_table_loops", "no_tables", "main", "whole", 10])
        self.assertTrue(trace.report()["trace"]["complete"])


if __name__ == "__main__":
    unittest.main()
