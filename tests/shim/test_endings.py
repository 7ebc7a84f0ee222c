# SPDX-License-Identifier: MIT
"""Whatever ends a program, its trace holds all up to the last allocation: compared with the program's own ledger."""
import os
import random
import signal
import struct
import subprocess
import time
import unittest

from programs import Program
from tracing import LONG, environment, mtracer, run, scratch, traces, wait_until

PROGRAM = Program("endings")
FIELDS = ("allocations", "allocated_bytes", "frees", "current_bytes")
STATUS = {"kill": -signal.SIGKILL, "abort": -signal.SIGABRT, "segv": -signal.SIGSEGV,
          "term": -signal.SIGTERM, "_exit": 7, "quick_exit": 7, "exit": 7, "exec": 1}


FOREVER = str(2 ** 63)


def ledgers(path):
    """For each measure (least, most) that the trace may say, by whether calls under way count already."""
    numbers = struct.unpack("64Q", path.read_bytes())
    bounds = dict.fromkeys(("allocations", "allocated_bytes", "current_bytes", "current_blocks"),
                           (0, 0))
    for thread in range(0, 64, 8):
        begun = dict(zip(FIELDS, numbers[thread:]))
        ended = dict(zip(FIELDS, numbers[thread + 4:]))
        for count in begun, ended:
            count["current_blocks"] = count["allocations"] - count.pop("frees")
        for key, (least, most) in bounds.items():
            bounds[key] = (least + min(begun[key], ended[key]), most + max(begun[key], ended[key]))
    return bounds


class Endings(unittest.TestCase):
    def compare(self, directory, state):
        [trace] = traces(directory, "endings")
        row = PROGRAM.row(trace, "malloc")
        for key, (least, most) in ledgers(directory / "ledger").items():
            self.assertGreaterEqual(row[key], least, key)
            self.assertLessEqual(row[key], most, key)
        if state:
            self.assertEqual(trace.state(), state)
        self.assertIs(trace.report()["trace"]["complete"], True)

    def end(self, how, state):
        for seed in range(12 if LONG else 4):
            threads = 1 + seed % 4
            with self.subTest(seed=seed, threads=threads), scratch() as directory:
                step = random.Random(seed).randrange(1, 20000)
                result = run([PROGRAM.path, how, step, seed, "ledger", threads], cwd=directory,
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
        for seed in range(60 if LONG else 12):
            threads = 1 + seed % 3
            with self.subTest(seed=seed, threads=threads), scratch() as directory:
                command = [PROGRAM.path, "kill", FOREVER, str(seed), "ledger", str(threads)]
                child = subprocess.Popen(command, cwd=directory, env=environment(True))
                path = directory / "ledger"
                wait_until(lambda: path.exists() and path.stat().st_size, "the program keeps its ledger", pause=0.001)
                time.sleep(random.Random(seed).random() * 0.2)
                os.kill(child.pid, signal.SIGKILL)
                self.assertEqual(child.wait(), -signal.SIGKILL)
                self.compare(directory, "died")

    def assert_readable(self, directory):
        for path in directory.iterdir():
            self.assertEqual(mtracer("info", path).status, 0, path)

    def test_killed_while_it_starts(self):
        """There is a trace or none, whatever was done of it; and what is left is in nobody's way."""
        for seed in range(300 if LONG else 60):
            with self.subTest(seed=seed), scratch() as directory:
                child = subprocess.Popen(["sleep", "10"], cwd=directory, env=environment(True, MTRACE_OUT="t.mtrace"))
                time.sleep(random.Random(seed).random() * 0.004)
                child.kill()
                child.wait()
                self.assert_readable(directory)
                result = run(["true"], cwd=directory, MTRACE_OUT="t.mtrace")
                self.assertEqual((result.status, result.stderr), (0, b""))

    def test_killed_while_it_forks(self):
        """The same for children whose copies are being written."""
        script = "for i in 1 2 3 4 5 6 7 8; do (x=$x$i; read y </dev/null) & done; wait; sleep 10"
        for seed in range(100 if LONG else 20):
            with self.subTest(seed=seed), scratch() as directory:
                child = subprocess.Popen(["sh", "-c", script], cwd=directory, env=environment(True),
                                         start_new_session=True)
                time.sleep(random.Random(seed).random() * 0.02)
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
                self.assert_readable(directory)

    def test_exec(self):
        """The old program's trace stays as it was at exec."""
        for seed in range(3):
            with self.subTest(seed=seed), scratch() as directory:
                threads = 1 + seed
                result = run([PROGRAM.path, "exec", "5000", seed, "ledger", threads],
                             cwd=directory, MTRACE_FOLLOW="1")
                self.assertEqual(result.status, 1)
                self.compare(directory, None)

    def test_seen_while_it_runs(self):
        """A trace can be read at any time."""
        with scratch() as directory:
            command = [PROGRAM.path, "kill", FOREVER, "1", "ledger", "2"]
            with subprocess.Popen(command, cwd=directory, env=environment(True)) as child:
                try:
                    ledger = directory / "ledger"
                    wait_until(lambda: ledger.exists() and ledger.stat().st_size and ledgers(ledger)["allocations"][0],
                               "the program has allocated")
                    seen = []
                    for _ in range(5):
                        before = ledgers(ledger)["allocations"][0]
                        trace = traces(directory)[0]
                        seen.append(PROGRAM.row(trace, "malloc")["allocations"])
                        self.assertGreaterEqual(seen[-1], before)
                        self.assertEqual(trace.state(), "running")
                    self.assertLess(seen[0], seen[-1])
                finally:
                    child.kill()


if __name__ == "__main__":
    unittest.main(verbosity=2)
