# SPDX-License-Identifier: MIT
"""Files that are no trace, claim to be large, or change while they are read: one line on stderr, soon, and status 2."""
import os
import struct
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

MTRACER = os.environ["TEST_MTRACER"]
TRACE = Path(os.environ["TEST_TRACE"])
ZSTD = b"\x28\xb5\x2f\xfd"
SHRINK_SECONDS = 30 if os.environ.get("TEST_LONG") else 2


def report(path):
    return subprocess.run([MTRACER, "report", path], capture_output=True, text=True, timeout=20, check=False)


def bomb(size):
    """A Zstandard frame of zeros: blocks of 128 KiB in four bytes each."""
    block = struct.pack("<I", 1 << 1 | (128 << 10) << 3)[:3] + b"\0"
    return ZSTD + b"\0\x58" + block * (size >> 17) + b"\1\0\0"


class Files(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.path = Path(directory.name) / "t.mtrace"

    def refused(self, path):
        begun = time.monotonic()
        done = report(path)
        self.assertEqual(done.returncode, 2, done)
        self.assertEqual(len(done.stderr.splitlines()), 1, done)
        self.assertTrue(done.stderr.startswith(f"mtracer: {path}: "), done)
        self.assertLess(time.monotonic() - begun, 10)

    def test_no_files(self):
        os.mkfifo(self.path)
        for path in (self.path, "/dev/zero", "/dev/null", "/proc/self/mem", self.path.parent):
            self.refused(path)

    def test_bombs(self):
        for size in (1 << 30, 1 << 36):
            self.path.write_bytes(bomb(min(size, 1 << 33)))
            self.refused(self.path)
        self.path.write_bytes(ZSTD + b"\xe0" + struct.pack("<Q", 1 << 42) + bytes(9))
        self.refused(self.path)

    def test_a_file_that_shrinks(self):
        """Whatever moment is met: a report, or one line."""
        whole = TRACE.read_bytes()
        stop = threading.Event()

        def change():
            turn = 0
            while not stop.is_set():
                turn += 1
                with open(self.path, "r+b") as file:
                    file.write(whole)
                    file.truncate(turn * 7919 % len(whole))

        self.path.write_bytes(whole)
        thread = threading.Thread(target=change)
        thread.start()
        end = time.monotonic() + SHRINK_SECONDS
        while time.monotonic() < end:
            done = report(self.path)
            errors = [line for line in done.stderr.splitlines() if not line.startswith("mtracer: warning: ")]
            if (done.returncode, len(errors)) not in ((0, 0), (2, 1)):
                break
        stop.set()
        thread.join()
        self.assertIn((done.returncode, len(errors)), ((0, 0), (2, 1)), done)


if __name__ == "__main__":
    unittest.main(verbosity=2)
