# SPDX-License-Identifier: MIT
"""CPython with PYTHONMALLOC=malloc: the peak beside the one that the interpreter's own tracer tells.

tracemalloc sees what goes through Python's allocators once it has started. The library sees that and the rest: what the
interpreter allocates before it starts tracing, what the C library and the dynamic loader
allocate (stdio buffers, locales, modules), and what C extensions take from malloc directly. So its peak is above
tracemalloc's, by about the peak of an interpreter that does nothing.
"""
import unittest

from tracing import only_trace, run, scratch

PYTHON = "/usr/bin/python3"
WORK = """
import json
rows = [{"id": i, "text": str(i) * 10} for i in range(60000)]
text = json.dumps(rows)
back = json.loads(text)
del rows
table = {row["id"]: row["text"].encode() for row in back}
"""
TELL = """
import tracemalloc
print(tracemalloc.get_traced_memory()[1])
"""
VARIABLES = {"PYTHONMALLOC": "malloc", "PYTHONHASHSEED": "0"}


class Tracemalloc(unittest.TestCase):
    def peak(self, script):
        with scratch() as directory:
            result = run([PYTHON, "-S", "-c", script], cwd=directory, **VARIABLES)
            self.assertEqual((result.status, result.stderr), (0, b""))
            return only_trace(directory).totals()["peak_bytes"]

    def test_peak(self):
        told = run([PYTHON, "-S", "-X", "tracemalloc", "-c", WORK + TELL], traced=False, **VARIABLES)
        theirs = int(told.stdout)
        ours, idle = self.peak(WORK), self.peak("pass")
        self.assertGreaterEqual(ours, theirs * 0.999)
        self.assertLessEqual(ours, theirs * 1.05)
        self.assertLessEqual(ours - theirs, idle * 1.1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
