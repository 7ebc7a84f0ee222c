# SPDX-License-Identifier: MIT
"""Random scripts of starts, stops, allocations and questions: what tracemalloc answers Python, libmtrace.h answers C."""
import random
import tracemalloc
import unittest
from pathlib import Path

from annotations import mark
from programs import Program
from tracing import LONG, Trace, run, scratch

PROGRAM = Program("twins")
TWIN = Path(__file__).with_name("twins.py")
PYTHON = "/usr/bin/python3"
BLOCKS, STEPS, MIB = 40, 250, 1 << 20
LINES = {mark(PROGRAM.source, site): site for site in "abcd"}


class Script:
    """Steps that both can do: of a block that is there it is known what it is."""

    def __init__(self, seed):
        self.draw = random.Random(seed)
        self.limit = self.draw.choice((1, 2, 3, 5))
        self.kinds, self.tracing, self.lines, self.snapshots = [None] * BLOCKS, False, [], 0
        for _ in range(STEPS):
            self.lines.append(self.draw.choices(
                (self.change, self.ask, self.reset, self.snapshot, self.clear, self.switch), (60, 20, 6, 4, 3, 7))[0]())

    def change(self):
        i = self.draw.randrange(BLOCKS)
        if self.kinds[i] in ("a", "b") or (self.kinds[i] and self.draw.random() < 0.5):
            self.kinds[i] = None
            return f"free {i}"
        self.kinds[i] = "d" if self.kinds[i] else self.draw.choice("aabbccd")
        return f"{self.kinds[i]} {i} {self.draw.randint(1, 9)} {self.draw.randrange(8)}"

    def ask(self):
        objects = [i for i, kind in enumerate(self.kinds) if kind in ("a", "b")]
        return f"traceback {self.draw.choice(objects)}" if objects else self.change()

    def snapshot(self):
        if not self.tracing:
            return self.change()
        self.snapshots += 1
        return f"snapshot s{self.snapshots}"

    def switch(self):
        self.tracing = self.draw.random() < 0.7
        return f"start {self.limit}" if self.tracing else "stop"

    def reset(self):
        return "reset"

    def clear(self):
        return "clear"


def rows_at(trace, label):
    """A snapshot as twins.py prints it."""
    rows = {LINES[line]: row for line, row in Trace(f"{trace}@{label}").lines(PROGRAM.source).items()}
    return " ".join(f"{site} {row['current_blocks']} {row['current_bytes']}" for site, row in sorted(rows.items())
                    if row["current_blocks"])


class Twins(unittest.TestCase):
    def check_output(self, program, script, **options):
        result = run(program, stdin="".join(f"{line}\n" for line in script.lines).encode(), **options)
        self.assertEqual((result.status, result.stderr), (0, b""), result)
        said = result.stdout.decode().splitlines()
        self.assertEqual(len(said), STEPS)
        return said

    def check_script(self, seed):
        script = Script(seed)
        theirs = self.check_output([PYTHON, "-S", "-B", TWIN], script, traced=False)
        with scratch() as directory:
            ours = self.check_output([PROGRAM.path], script, cwd=directory, MTRACE_OUT="t.mtrace", MTRACE_START="0",
                                     MTRACE_DEPTH=str(script.limit), MTRACE_SNAPSHOTS=str(STEPS))
            for i, line in enumerate(script.lines):
                if line.startswith("snapshot"):
                    ours[i] += rows_at(directory / "t.mtrace", line.split()[1])
        for i, (a, b) in enumerate(zip(theirs, ours)):
            self.assertEqual(a, b, f"seed {seed}, step {i}")

    @unittest.skipUnless(hasattr(tracemalloc, "reset_peak"), "tracemalloc.reset_peak came with Python 3.9")
    def test_random_scripts(self):
        for seed in range(300 if LONG else 6):
            self.check_script(seed)


if __name__ == "__main__":
    unittest.main()
