# SPDX-License-Identifier: MIT
"""programs - finds the test programs and their sources for the tests that are written in Python.

TEST_PROGRAMS is the build directory of the programs, TEST_SOURCES the directory of their sources.
"""
import os
from pathlib import Path

from annotations import mark

BUILT = Path(os.environ.get("TEST_PROGRAMS", "."))
SOURCES = Path(os.environ.get("TEST_SOURCES", "."))


class Program:
    """A test program that marks its lines."""

    def __init__(self, name, suffix=".c"):
        self.name, self.path, self.source = name, BUILT / name, SOURCES / (name + suffix)

    def row(self, trace, line):
        """The measures of a marked line, all zero if it allocated nothing."""
        nothing = dict.fromkeys(("current_bytes", "current_blocks", "peak_bytes", "at_peak_bytes",
                                 "allocated_bytes", "allocations", "temporary"), 0)
        return trace.lines(self.source).get(mark(self.source, line), nothing)
