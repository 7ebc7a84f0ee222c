# SPDX-License-Identifier: MIT
"""Blocks that are freed unseen: found again when their memory is given out again, and never anything worse."""
import struct
import subprocess
import time
import unittest
from pathlib import Path

from programs import Program
from tracing import LONG, MTRACER, only_trace, run, scratch

PROGRAM = Program("unseen")
START, SCAN_AT, FREED_BY = 48, 376, 7272  # in the header: FORMAT.md
SEEDS = range(1, 101 if LONG else 7)


class Unseen(unittest.TestCase):
    def observe(self, *arguments):
        """(what the program says, blocks that the trace thinks are live, found out, the trace's totals)"""
        with scratch() as directory:
            result = run([PROGRAM.path, *arguments], cwd=directory)
            self.assertEqual((result.status, result.stderr), (0, b""), result)
            words = result.stdout.decode().split()
            trace = only_trace(directory)
            report = trace.report()
            recording = trace.info()["recording"]
            # The work is in lines of the program; the C library's own blocks stay.
            ours = [row for row in report["rows"] if row["function"] == "make"]
            live = sum(row["current_blocks"] for row in ours)
            found = recording["missed_frees"] + recording["overlaid_frees"]
            return dict(zip(words[::2], map(int, words[1::2]))), live, found, report["totals"]

    def test_frees(self):
        for threads in (1, 8):
            for seed in SEEDS:
                for percent in (0, 5, 60):
                    with self.subTest(threads=threads, seed=seed, percent=percent):
                        own, live, found, totals = self.observe(threads, seed, percent)
                        self.assertEqual(live, own["live"] + own["unseen"] - found)
                        self.assertLessEqual(found, own["unseen"])
                        self.assertGreaterEqual(totals["peak_bytes"], own["peak"])
                        if percent:
                            self.assertGreater(found, own["unseen"] // 4)

    def notes(self, *arguments):
        with scratch() as directory:
            result = run([PROGRAM.path, *arguments], cwd=directory)
            self.assertEqual((result.status, result.stderr), (0, b""), result)
            return {note["key"]: note["text"] for note in only_trace(directory).info()["trace"]["notes"]}

    def test_who_frees(self):
        """A library with RTLD_DEEPBIND is named; who asks dlsym is not; and where nothing is missed nothing is said."""
        for threads in 1, 4:
            for name in "libplugin_frees.so", "libplugin_frees_now.so":
                with self.subTest(threads=threads, name=name):
                    plugin = Path(PROGRAM.path).parent / name
                    self.assertIn(f": {name} (", self.notes(threads, 1, 60, plugin)["freed_by"])
        self.assertIn("so the caller is unknown", self.notes(1, 1, 60)["freed_by"])
        self.assertNotIn("freed_by", self.notes(1, 1, 0, Path(PROGRAM.path).parent / "libplugin_frees.so"))

    def test_names_come_after_the_verdict(self):
        """A copy of the program may still look for them: whoever reads waits."""
        with scratch() as directory:
            run([PROGRAM.path, 1, 1, 60], cwd=directory)
            path = only_trace(directory).path
            with open(path, "r+b", buffering=0) as trace:
                trace.seek(START)
                start = struct.unpack("<Q", trace.read(8))[0]
                trace.seek(SCAN_AT)  # just now: nobody waits for names that are too long in coming
                trace.write(struct.pack("<Q", time.time_ns() - start))
                trace.seek(FREED_BY)
                trace.write(b"\1")
                reader = subprocess.Popen([MTRACER, "info", path], stdout=subprocess.PIPE, text=True)
                with self.assertRaises(subprocess.TimeoutExpired):
                    reader.wait(0.3)
                trace.seek(FREED_BY)
                trace.write(b"late.so\0")
                self.assertIn(": late.so (", reader.communicate(timeout=60)[0])

    def test_resizes(self):
        for threads in (1, 8):
            for seed in SEEDS:
                with self.subTest(threads=threads, seed=seed):
                    own, live, found, totals = self.observe(threads, seed, 30, "realloc")
                    self.assertGreaterEqual(live, own["live"])
                    self.assertLessEqual(live, own["live"] + own["unseen"] - found)
                    self.assertGreaterEqual(totals["peak_bytes"], own["peak"])


if __name__ == "__main__":
    unittest.main()
