# SPDX-License-Identifier: MIT
"""Questions about blocks that others ask: a fork child, and gdb, wherever it stopped the program."""
import os
import re
import shutil
import unittest

from programs import Program
from tracing import LIBRARY, environment, run, scratch, traces

PROGRAM = Program("queries")
SCRIPT = os.environ.get("TEST_GDB_SCRIPT", "")


class Queries(unittest.TestCase):
    def test_child(self):
        with scratch() as directory:
            for follow, count in (("1", 2), ("0", 1)):
                result = run([PROGRAM.path, "fork"], cwd=directory, MTRACE_FOLLOW=follow)
                self.assertEqual(result.status, 0 if follow == "1" else 1, result)
                self.assertEqual(len(traces(directory)), count)
                for trace in traces(directory):
                    trace.path.unlink()


@unittest.skipUnless(shutil.which("gdb"), "needs gdb")
class Gdb(unittest.TestCase):
    def gdb(self, *commands, traced=True):
        """What gdb prints after the program was started."""
        script = ["set pagination off", "set confirm off", "set debuginfod enabled off", "set startup-with-shell off",
                  f"source {SCRIPT}", *commands]
        if traced:
            script.insert(0, f"set environment LD_PRELOAD {LIBRARY}")
        words = ["gdb", "-nx", "-batch", *(word for command in script for word in ("-ex", command)),
                 "--args", PROGRAM.path, "gdb"]
        with scratch() as directory:
            env = environment(False, MTRACE_FOLLOW="0", PATH=os.environ["PATH"])
            done = run(["env", "-i", *(f"{k}={v}" for k, v in env.items()), *words], traced=False, cwd=directory)
        return done.stdout.decode() + done.stderr.decode()

    def check_where(self, text, offset):
        self.assertRegex(text, rf"0x[0-9a-f]+ is {offset} bytes into a block of 777 bytes at 0x[0-9a-f]+, allocated by")
        frames = re.findall(r"^#(\d+) +0x[0-9a-f]+ in (\w+)(?: at (?:.*/)?(.*):\d+)?$", text, re.MULTILINE)
        names = [name for _, name, _ in frames[:6]]
        self.assertEqual(names, ["allocate", *["allocate_deeper"] * 3, "wait_for_gdb", "main"], text)
        self.assertEqual({file for _, _, file in frames[:6]}, {"queries.c"})
        self.assertEqual([int(number) for number, _, _ in frames], list(range(len(frames))))

    def test_in_the_program(self):
        self.check_where(self.gdb("break stop_here", "run", "mtrace-where p", "kill"), 100)
        self.check_where(self.gdb("break stop_here", "run", "mtrace-where (char *) p - 100", "kill"), 0)

    def test_inside_malloc_and_the_tracer(self):
        """The thread holds the allocator's lock, or one of the tracer's."""
        for function in ("_int_malloc", "capture_new_site", "call_for"):
            text = self.gdb("break stop_here", "run", "set $block = p", f"break {function}", "continue",
                            "mtrace-where $block", "call (unsigned long) mtrace_get_overhead()", "kill")
            if function == "_int_malloc" and "not defined" in text:
                continue # no debug information of the C library's
            with self.subTest(function):
                self.assertIn(f", {function} (", text)
                self.check_where(text, 100)
                self.assertRegex(text, r"\$1 = [1-9][0-9]*")

    def test_nothing_there(self):
        text = self.gdb("break stop_here", "run", "mtrace-where $sp", "kill")
        self.assertRegex(text, "0x[0-9a-f]+ is in no recorded block")
        text = self.gdb("break stop_here", "run", "mtrace-where p", "kill", traced=False)
        self.assertIn("the program does not run under libmtrace.so", text)
        self.assertIn("usage: mtrace-where ADDRESS", self.gdb("mtrace-where"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
