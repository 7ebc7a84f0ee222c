# SPDX-License-Identifier: MIT
"""bench - what tracing costs: native, null shim, libmtrace and heaptrack, interleaved, as one table of ratios.

Absolute times differ from machine to machine and from minute to minute: every round runs all tracers one after the other,
and what is printed are medians of the rounds' ratios.
"""
import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile

import readers
from cases import all_cases
from table import render, scaling, summarize
from tracers import MTRACER, TRACERS, Workplace, heaptrack_home


def options():
    parser = argparse.ArgumentParser(
        prog="scripts/bench", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE",
                        help="regular expressions; only cases whose name one of them matches whole")
    parser.add_argument("--rounds", type=int, help="how often each is run (default: 5)")
    parser.add_argument("--quick", action="store_true",
                        help="a tenth of the work, one round: shows that it works, not what it costs")
    parser.add_argument("--without", action="append", default=[], choices=TRACERS[1:],
                        help="leave a tracer out; may be repeated")
    parser.add_argument("--sampled", action="store_true", help="also with MTRACE_SAMPLE=512KiB")
    parser.add_argument("--stopped", action="store_true", help="also with MTRACE_START=0")
    parser.add_argument("--json", action="store_true", help="print all figures for machines")
    parser.add_argument("--list", action="store_true", help="print the cases' names")
    return parser.parse_args()


def chosen(cases, patterns):
    return [case for case in cases
            if not patterns or any(re.fullmatch(pattern, case.name) for pattern in patterns)]


def run_rounds(workplace, case, tracers, rounds):
    """{tracer: [Cost of each round]}; the first, which warms caches up, is native and not counted."""
    workplace.native(case)
    costs = {tracer: [] for tracer in tracers}
    for _ in range(rounds):
        for tracer in tracers:
            costs[tracer].append(getattr(workplace, tracer)(case))
    return costs


def heap_peak(trace):
    done = subprocess.run([MTRACER, "report", "--json", "--limit", "1", trace],
                          capture_output=True, check=True)
    return json.loads(done.stdout)["totals"]["peak_bytes"]


def read_traces(workplace, costs):
    """Adds what only the last round's traces can tell."""
    last = {tracer: costs[tracer][-1] for tracer in ("mtrace", "heaptrack") if tracer in costs}
    for tracer, cost in last.items():
        cost.extra["trace_bytes"] = cost.trace.stat().st_size
        cost.extra["packed_bytes"] = cost.extra["trace_bytes"]
    if "mtrace" in last:
        trace = last["mtrace"].trace
        last["mtrace"].extra["packed_bytes"] = workplace.packed_size(trace)
        last["mtrace"].extra["heap_peak_bytes"] = heap_peak(trace)
    paths = [last[tracer].trace if tracer in last else None for tracer in ("mtrace", "heaptrack")]
    readings = [workplace.reading_cost(*paths) for _ in range(3)]
    for position, tracer in enumerate(("mtrace", "heaptrack")):
        if tracer in last:
            last[tracer].extra["print_s"] = sorted(reading[position] for reading in readings)[1]


def machine():
    model = "unknown processor"
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
    return f"{os.cpu_count()} x {model}, {platform.libc_ver()[0]} {platform.libc_ver()[1]}"


def main():
    chosen_options = options()
    scale = 0.1 if chosen_options.quick else 1
    rounds = chosen_options.rounds or (1 if chosen_options.quick else 5)
    cases = chosen(all_cases(scale), chosen_options.cases)
    if not cases:
        sys.exit("bench: no such case (see --list)")
    if chosen_options.list:
        print("\n".join(case.name for case in cases))
        return
    without = set(chosen_options.without)
    if not chosen_options.sampled:
        without.add("sampled")
    if not chosen_options.stopped:
        without.add("stopped")
    if not heaptrack_home():
        print("bench: heaptrack is not here: without it", file=sys.stderr)
        without.add("heaptrack")
    tracers = [tracer for tracer in TRACERS if tracer not in without]
    rows, readings = [], []
    with tempfile.TemporaryDirectory(prefix="mtrace-bench-") as directory:
        workplace = Workplace(directory)
        for case in cases:
            print(f"bench: {case.name}", file=sys.stderr)
            workplace.prepare(case, scale)
            # heaptrack doesn't follow children.
            costs = run_rounds(workplace, case, [t for t in tracers if not (case.processes and t == "heaptrack")], rounds)
            read_traces(workplace, costs)
            rows.append(summarize(case, costs))
            if "mtrace" in costs:
                theirs = costs["heaptrack"][-1].trace if "heaptrack" in costs else None
                readings.append(readers.read(workplace, case.name, costs["mtrace"][-1].trace, theirs))
    if chosen_options.json:
        print(json.dumps({"machine": machine(), "rounds": rounds, "scaling": scaling(rows),
                          "rows": rows, "readings": readings}, indent=1))
    else:
        print(f"{machine()}; {rounds} rounds, medians\n\n{render(rows)}")
        if readings:
            print(f"\n{readers.render(readings)}")


if __name__ == "__main__":
    main()
