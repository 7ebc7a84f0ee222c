# SPDX-License-Identifier: MIT
"""heaptrack - runs a program under heaptrack and counts what its trace says, event by event."""
import functools
import re
import subprocess
import tempfile
from pathlib import Path

from tracing import environment


def command(trace, words):
    """The command that runs a program under heaptrack; heaptrack adds .zst to the trace's name."""
    return ["heaptrack", "-o", str(trace), *map(str, words)]


def uses_libstdcxx(program):
    done = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
    return "libstdc++" in done.stdout


@functools.cache
def pool():
    """What libstdc++ allocates for exceptions when it is loaded: heaptrack loads it into every program. It is the largest
    block of a program that has none of its own."""
    with tempfile.TemporaryDirectory(prefix="mtrace-test-") as directory:
        trace = Path(directory) / "true"
        subprocess.run(command(trace, ["/bin/true"]), check=True, env=environment(False), capture_output=True)
        sizes = [int(size, 16) for size in re.findall(r"^a ([0-9a-f]+)", text_of(f"{trace}.zst"), re.MULTILINE)]
    return max(sizes)


def text_of(path):
    return subprocess.run(["zstd", "-dc", path], capture_output=True, check=True).stdout.decode()


class Counts:
    """What heaptrack saw: allocations, and the highest sum of bytes that were live at once."""

    def __init__(self, path, program):
        self.allocations = self.peak_bytes = 0
        self.ignored = set() if uses_libstdcxx(program) else {pool()}
        self.read(text_of(path))

    def read(self, text):
        sizes, live = [], 0
        for kind, number in re.findall(r"^([a+-]) ([0-9a-f]+)", text, re.MULTILINE):
            number = int(number, 16)
            if kind == "a":
                sizes.append(number)
            elif sizes[number] in self.ignored:
                self.ignored = set()
                sizes[number] = 0
            elif kind == "+":
                self.allocations += 1
                live += sizes[number]
                self.peak_bytes = max(self.peak_bytes, live)
            else:
                live -= sizes[number]


def count(directory, words, **variables):
    """Runs a program to its end under heaptrack, and counts."""
    done = subprocess.run(command(directory / "heaptrack", words), cwd=directory, check=False,
                          env=environment(False, **variables), capture_output=True, timeout=300)
    if done.returncode != 0:
        raise AssertionError(f"heaptrack: {done}")
    return Counts(directory / "heaptrack.zst", words[0])
