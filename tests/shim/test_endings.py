"""Whatever ends a program, its trace holds all up to the last allocation: compared with the program's own ledger."""
import os
import random
import signal
import struct
import subprocess
import time
import unittest

from programs import Program
from tracing import LONG, environment, run, scratch, traces

PROGRAM = Program("endings")
FIELDS = ("allocations", "allocated_bytes", "frees", "current_bytes")
STATUS = {"kill": -signal.SIGKILL, "abort": -signal.SIGABRT, "segv": -signal.SIGSEGV,
          "term": -signal.SIGTERM, "_exit": 7, "quick_exit": 7, "exit": 7, "exec": 1}


def ledger(path):
    """The program's counts with and without the call of the allocator that may be under way."""
    numbers = struct.unpack("8Q", path.read_bytes()[:64])
    counts = dict(zip(FIELDS, numbers[:4])), dict(zip(FIELDS, numbers[4:]))
    for count in counts:
        count["current_blocks"] = count["allocations"] - count.pop("frees")
    return counts


class Endings(unittest.TestCase):
    def compare(self, directory, state):
        [trace] = traces(directory, "endings")
        row = PROGRAM.row(trace, "malloc")
        begun, ended = ledger(directory / "ledger")
        for key, value in begun.items():
            self.assertIn(row[key], (value, ended[key]), key)
        self.assertEqual(trace.state(), state)
        self.assertIs(trace.report()["trace"]["complete"], True)

    def end(self, how, state):
        for seed in range(10 if LONG else 2):
            with self.subTest(seed=seed), scratch() as directory:
                step = random.Random(seed).randrange(1, 20000)
                result = run([PROGRAM.path, how, step, seed, "ledger"], cwd=directory,
                             MTRACE_FOLLOW="0")
                self.assertEqual((result.status, result.stdout, result.stderr),
                                 (STATUS[how], b"", b""))
                self.compare(directory, state)

    def test_kill(self):
        self.end("kill", "died")

    def test_abort(self):
        self.end("abort", "died")

    def test_segv(self):
        self.end("segv", "died")

    def test_term(self):
        self.end("term", "died")

    def test_immediate_exit(self):
        self.end("_exit", "exited")

    def test_quick_exit(self):
        self.end("quick_exit", "exited")

    def test_exit(self):
        self.end("exit", "exited")

    def test_killed_from_outside(self):
        """SIGKILL at any moment, in the middle of the tracer too."""
        for seed in range(40 if LONG else 8):
            with self.subTest(seed=seed), scratch() as directory:
                command = [PROGRAM.path, "kill", "-1", str(seed), "ledger"]
                child = subprocess.Popen(command, cwd=directory, env=environment(True))
                path = directory / "ledger"
                while not path.exists() or path.stat().st_size == 0:
                    time.sleep(0.001)
                time.sleep(random.Random(seed).random() * 0.2)
                os.kill(child.pid, signal.SIGKILL)
                self.assertEqual(child.wait(), -signal.SIGKILL)
                self.compare(directory, "died")

    def test_exec(self):
        """The old program's trace stays as it was at exec."""
        for seed in range(3):
            with self.subTest(seed=seed), scratch() as directory:
                result = run([PROGRAM.path, "exec", "5000", seed, "ledger"], cwd=directory,
                             MTRACE_FOLLOW="1")
                self.assertEqual(result.status, 1)
                [trace] = traces(directory, "endings")
                row = PROGRAM.row(trace, "malloc")
                begun, _ = ledger(directory / "ledger")
                self.assertEqual(row["current_bytes"], begun["current_bytes"])
                self.assertEqual(row["allocations"], begun["allocations"])

    def test_seen_while_it_runs(self):
        """A trace can be read at any time."""
        with scratch() as directory:
            command = [PROGRAM.path, "kill", "-1", "1", "ledger"]
            with subprocess.Popen(command, cwd=directory, env=environment(True)) as child:
                try:
                    while not traces(directory) or not (directory / "ledger").exists():
                        time.sleep(0.01)
                    time.sleep(0.2)
                    seen = []
                    for _ in range(5):
                        before = ledger(directory / "ledger")[1]["allocations"]
                        trace = traces(directory)[0]
                        seen.append(PROGRAM.row(trace, "malloc")["allocations"])
                        self.assertGreaterEqual(seen[-1], before)
                        self.assertEqual(trace.state(), "running")
                    self.assertLess(seen[0], seen[-1])
                finally:
                    child.kill()


if __name__ == "__main__":
    unittest.main()
