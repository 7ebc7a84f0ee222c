# SPDX-License-Identifier: MIT
"""compare - a trace against heaptrack's counts of the same work."""


def against_heaptrack(test, trace, counts, varies=0):
    """Fails the test unless both agree, as closely as the program itself repeats its work.

    That is to 0.1 % in allocations, and to 1 % and `varies` bytes in the peak.
    """
    totals = trace.totals()
    # Besides: a handful of allocations before heaptrack is ready, or after it has stopped at exit.
    test.assertLessEqual(abs(totals["allocations"] - counts.allocations),
                         counts.allocations / 1000 + 16,
                         (totals["allocations"], counts.allocations))
    test.assertLessEqual(abs(totals["peak_bytes"] - counts.peak_bytes),
                         counts.peak_bytes / 100 + varies,
                         (totals["peak_bytes"], counts.peak_bytes))
