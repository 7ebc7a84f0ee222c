# SPDX-License-Identifier: MIT
"""twins - does what a script on stdin says under tracemalloc, as twins.c does under libmtrace.h.

Both describe the steps and what is printed (twins.c). tracemalloc.stop() also forgets, so there the other one clears its traces.
Sizes are multiples of 1 MiB, and printed as such: what the interpreter allocates for itself is less, and drops out.
"""
import ctypes
import linecache
import sys
import tracemalloc

BLOCKS = 40
HEAD = sys.getsizeof(b"")
MIB = 1 << 20
raw = ctypes.pythonapi
raw.PyMem_RawMalloc.restype, raw.PyMem_RawMalloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
raw.PyMem_RawRealloc.restype, raw.PyMem_RawRealloc.argtypes = ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_size_t]
raw.PyMem_RawFree.argtypes = [ctypes.c_void_p]
pointers = (ctypes.c_void_p * BLOCKS)()  # no objects, which tracemalloc would see, too
objects = [None] * BLOCKS


def site_a(i, size):
    objects[i] = bytes(size - HEAD)  # line: a


def site_b(i, size):
    objects[i] = bytes(size - HEAD)  # line: b


def site_c(i, size):
    pointers[i] = raw.PyMem_RawMalloc(size)  # line: c


def site_d(i, size):
    pointers[i] = raw.PyMem_RawRealloc(pointers[i], size)  # line: d


def deep(depth, site, i, size):
    if depth > 0:
        deep(depth - 1, site, i, size)
    else:
        site(i, size)


def release(i):
    objects[i] = None
    raw.PyMem_RawFree(pointers[i])
    pointers[i] = None


SITES = {"a": site_a, "b": site_b, "c": site_c, "d": site_d}
LINES = {number: line.split("# line: ")[1].strip() for number, line in enumerate(linecache.getlines(__file__), 1)
         if line.rstrip()[:-1].endswith("# line: ")}


def traceback(i):
    found = tracemalloc.get_object_traceback(objects[i])
    return f"{LINES[found[-1].lineno]} {len(found)}" if found else "unknown"


def snapshot():
    statistics = tracemalloc.take_snapshot().statistics("lineno")
    rows = {LINES[s.traceback[0].lineno]: s for s in statistics
            if s.traceback[0].filename == __file__ and s.traceback[0].lineno in LINES}
    return " ".join(f"{name} {rows[name].count} {rows[name].size}" for name in sorted(rows))


def step(word, *arguments):
    """What is printed of the step, beside the totals."""
    if word in SITES:
        i, mibs, depth = map(int, arguments)
        deep(depth, SITES[word], i, mibs * MIB)
    elif word == "free":
        release(int(arguments[0]))
    elif word == "start":
        tracemalloc.start(int(arguments[0]))
        return str(tracemalloc.get_traceback_limit())
    elif word == "traceback":
        return traceback(int(arguments[0]))
    elif word == "snapshot":
        return snapshot()
    else:
        {"stop": tracemalloc.stop, "clear": tracemalloc.clear_traces, "reset": tracemalloc.reset_peak}[word]()
    return ""


def main():
    for line in sys.stdin.read().splitlines():
        said = step(*line.split())
        current, peak = tracemalloc.get_traced_memory()
        print(line, int(tracemalloc.is_tracing()), current // MIB, peak // MIB, said)


if __name__ == "__main__":
    main()
