# SPDX-License-Identifier: MIT
"""allocators - the allocators that tests preload, by the names that their libraries have on this system."""
import unittest

from tracing import run

# name: (libraries, the newest first, Debian's package)
KNOWN = {"jemalloc": (["libjemalloc.so.2"], "libjemalloc-dev"),
         "mimalloc": (["libmimalloc.so.3", "libmimalloc.so.2"], "libmimalloc-dev"),
         "tcmalloc": (["libtcmalloc_minimal.so.4"], "libgoogle-perftools-dev"),
         "whole tcmalloc": (["libtcmalloc.so.4"], "libgoogle-perftools-dev")}


def can_be_preloaded(library):
    return run(["/bin/true"], traced=False, LD_PRELOAD=library).stderr == b""


def library_of(name):
    """The library of an allocator in KNOWN, or None where it isn't installed."""
    return next(filter(can_be_preloaded, KNOWN[name][0]), None)


def needed_library(name):
    """The same, but the test or subtest is skipped without it."""
    library = library_of(name)
    if not library:
        raise unittest.SkipTest(f"{name} is missing: package {KNOWN[name][1]}")
    return library
