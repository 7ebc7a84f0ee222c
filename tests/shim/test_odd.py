# SPDX-License-Identifier: MIT
"""Odd ends and odd manners: the program's behaviour is as without the library, and the trace holds what there was."""
import json
import os
import re
import unittest

from packages import missing
from programs import Program
from tracing import LIBRARY, LONG, first_trace, mtracer, run, same_behaviour, scratch, traces

PROGRAM = Program("odd")


class Odd(unittest.TestCase):
    def setUp(self):
        context = scratch()
        self.directory = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)

    def both(self, *arguments, **variables):
        """Runs the program both ways and returns the traces, the parent's first."""
        command = [PROGRAM.path, *arguments]
        native = run(command, traced=False, cwd=self.directory)
        same_behaviour(native, run(command, cwd=self.directory, **variables))
        self.assertNotIn(native.status, (1, 98, 99))
        found = traces(self.directory, "odd")
        first = first_trace(found)
        return [first, *(trace for trace in found if trace is not first)]

    def assert_row(self, trace, line, allocations):
        self.assertEqual(PROGRAM.row(trace, line)["allocations"], allocations, line)

    def test_exit_while_others_allocate(self):
        for _ in range(20 if LONG else 3):
            for how in ("exit", "quick_exit"):
                with self.subTest(how=how):
                    [trace] = self.both(how)
                    self.assert_row(trace, "at exit", 100)
                    self.assertGreater(PROGRAM.row(trace, "churn")["allocations"], 0)
                    self.assertEqual(trace.state(), "exited")
                    trace.path.unlink()

    def test_loader_lock_held(self):
        """Another thread has the loader's lock for ever: new stacks, forks, threads and _exit do without."""
        parent, child = self.both("loader")
        self.assert_row(parent, "without the loader", 1)
        self.assert_row(child, "child without the loader", 1)
        self.assertEqual(parent.state(), "exited")

    def test_loader_lock_held_and_a_new_thread(self):
        [trace] = self.both("loader_thread")
        self.assert_row(trace, "thread without the loader", 1)

    def test_protected_heap(self):
        """Neither the scan for leaks nor the program's handlers run into pages that are closed or gone."""
        [trace] = self.both("protected")
        self.assert_row(trace, "pages", 4)
        leaks = json.loads(mtracer("leaks", "--json", "--all", trace.path).stdout)
        self.assertTrue(leaks["leaks"]["classified"], leaks["leaks"])
        self.assertEqual({row["kind"]: row["current_blocks"] for row in leaks["rows"]
                          if row["function"] == "pages"}, {"reachable": 3, "possible": 1})

    def test_heap_not_for_children(self):
        """The scan may run in a copy of the process that lacks them."""
        [trace] = self.both("dontfork")
        self.assert_row(trace, "lost", 1)
        leaks = mtracer("leaks", trace.path)
        self.assertIn(leaks.status, (0, 1), leaks)

    def test_overwritten_title(self):
        """The traces are named as the program was, whatever it calls itself."""
        parent, child = self.both("title")
        self.assert_row(parent, "titled", 1)
        self.assert_row(child, "titled child", 1)
        self.assertEqual(child.state(), "exited")
        self.assertIn("title", child.report()["trace"]["command"])

    def test_started_by_the_dynamic_linker(self):
        """ld.so PROGRAM: the lines, the module and the trace's name are the program's."""
        linker = re.search(rb"/lib[\w./-]*/ld[\w.-]*\.so\.\d", PROGRAM.path.read_bytes()).group().decode()
        for options in ([], ["--library-path", "/nowhere"], ["--preload", LIBRARY]):
            with self.subTest(options=options):
                command = [linker, *options, PROGRAM.path, "dontfork"]
                native = run([PROGRAM.path, "dontfork"], traced=False, cwd=self.directory)
                same_behaviour(native, run(command, traced="--preload" not in options, cwd=self.directory))
                [trace] = traces(self.directory, "odd")
                self.assert_row(trace, "lost", 1)
                report = trace.report()
                self.assertEqual(report["trace"]["program"], str(PROGRAM.path.resolve()))
                self.assertEqual(report["trace"]["command"][0], linker)
                self.assertEqual(report["warnings"], [])
                trace.path.unlink()

    @unittest.skipIf(os.getuid() == 0 and not os.path.exists("/usr/bin/setpriv"), missing("setpriv"))
    def test_full_stderr(self):
        """A message that nobody reads is dropped: a thread that would wait for the reader may be cancelled."""
        place, other = self.directory / "place", self.directory / "other"
        other.mkdir(mode=0o777)
        os.chmod(other, 0o777)
        for traced in (False, True):
            place.mkdir()
            os.chmod(self.directory, 0o755)
            command = [PROGRAM.path, "stderr", place]
            if os.getuid() == 0:
                os.chown(place, 65534, 65534)
                command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *command]
            result = run(command, traced=traced, cwd=self.directory,
                         MTRACE_OUT=str(place / "%n.%p.mtrace"), XDG_STATE_HOME="/nowhere",
                         TMPDIR=str(other))
            self.assertEqual((result.status, result.stdout), (0, b"done\n"), traced)
            os.chmod(place, 0o700)
            if not traced:
                place.rmdir()
        self.assertEqual(len(traces(place, "odd")), 2)  # before exec and after it
        self.assertEqual(len(traces(other, "odd")), 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
