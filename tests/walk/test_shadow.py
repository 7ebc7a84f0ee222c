# SPDX-License-Identifier: MIT
"""test_shadow.py PROGRAM... - random call graphs against their own shadow stacks: each allocation has the stack that it was made on."""
import os
import re
import sys

from tracing import LONG, only_trace, run, scratch

SEEDS = 8 if LONG else 1
ROUNDS = 800 if LONG else 120


def said(output):
    """{numbers of the nodes, innermost first: allocations} by the program itself."""
    return {tuple(key.split()): int(count) for key, count in (line.split(": ") for line in output.decode().splitlines())}


def traced(trace):
    """The same by the trace."""
    counts = {}
    for row in trace.report("site")["rows"]:
        if row["function"] and row["function"].startswith("allocate"):
            numbers = (re.match(r"node_(\d+)", frame["function"] or "") for frame in row["stack"])
            key = tuple(number[1] for number in numbers if number)
            counts[key] = counts.get(key, 0) + row["allocations"]
    return counts


def check(program, seed, threads, *ways):
    """What is wrong, or nothing."""
    with scratch() as directory:
        result = run([program, seed, ROUNDS * (20 if ways else 1), threads, *ways], cwd=directory, timeout=300, MTRACE_DEPTH="512")
        if result.status != 0:
            return [f"{result}"]
        right, ours = said(result.stdout), traced(only_trace(directory))
    wrong = [f"{' '.join(key)}: {ours.get(key, 0)} allocations instead of {right.get(key, 0)}"
             for key in right.keys() | ours.keys() if right.get(key) != ours.get(key)]
    print(f"{program} {seed} {ROUNDS} {threads} {ways}: {sum(right.values())} allocations on {len(right)} stacks, {len(wrong)} wrong")
    return wrong[:5]


def main():
    wrong = [text for program in map(os.path.abspath, sys.argv[1:]) for seed in range(1, SEEDS + 1)
             for threads, *ways in ((1,), (4,), (1, 30), (4, 30), (1, 300))
             for text in check(program, seed, threads, *ways)]
    sys.exit("\n".join(wrong) or 0)


if __name__ == "__main__":
    main()
