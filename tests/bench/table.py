# SPDX-License-Identifier: MIT
"""table - from the costs of all rounds to medians, ratios and one table."""
import math
import statistics


def median(costs, what):
    return statistics.median(getattr(cost, what) for cost in costs)


def ratio(part, whole):
    return part / whole if whole else None


def geometric_mean(numbers):
    numbers = [number for number in numbers if number and number > 0]
    return math.exp(statistics.fmean(map(math.log, numbers))) if numbers else None


def summarize(case, rounds):
    """One row: `rounds` is {tracer: [Cost]}, with the facts of traces in the last one's `extra`."""
    native = rounds["native"]
    cpu = median(native, "cpu")
    row = {"case": case.name, "processes": case.processes, "native_s": cpu, "native_rss_kib": median(native, "rss"),
           "native_mib": median(native, "rss") / 1024,
           "native_wall_s": median(native, "wall")}
    allocations = max((cost.allocations for cost in rounds.get("null", ())), default=0)
    if case.processes:
        allocations = 0  # that was one of the processes
    row["allocations"] = allocations
    for tracer in ("null", "mtrace", "sampled", "stopped", "heaptrack"):
        if tracer not in rounds:
            continue
        costs = rounds[tracer]
        # Differences are taken within a round: what slows the whole machine down hits both.
        added = statistics.median(cost.cpu - base.cpu for cost, base in zip(costs, native))
        row[f"{tracer}_cpu"] = statistics.median(
            cost.cpu / base.cpu for cost, base in zip(costs, native))
        row[f"{tracer}_added_ns"] = ratio(added * 1e9, allocations)
        row[f"{tracer}_rss"] = ratio(median(costs, "rss"), row["native_rss_kib"])
        row[f"{tracer}_added_rss_kib"] = median(costs, "rss") - row["native_rss_kib"]
        row[f"{tracer}_wall_s"] = median(costs, "wall")
        row[f"{tracer}_s"] = median(costs, "cpu")
        row.update({f"{tracer}_{name}": value for name, value in costs[-1].extra.items()})
    if case.processes and "mtrace" in rounds:
        row["native_us"] = cpu * 1e6 / case.processes
        for what, key in (("cpu", "mtrace_added_us"), ("wall", "mtrace_added_wall_us")):
            row[key] = statistics.median(getattr(cost, what) - getattr(base, what)
                                         for cost, base in zip(rounds["mtrace"], native)) * 1e6 / case.processes
    row["heap_mib"] = row.get("mtrace_heap_peak_bytes", 0) / 2**20
    for tracer in ("mtrace", "heaptrack"):
        if f"{tracer}_added_rss_kib" in row:
            row[f"{tracer}_added_mib"] = row[f"{tracer}_added_rss_kib"] / 1024
    compare(row)
    return row


def compare(row):
    """How many times less libmtrace costs than heaptrack."""
    pairs = {"added_ns": "less_cpu", "print_s": "less_print", "packed_bytes": "less_trace"}
    for measure, name in pairs.items():
        theirs, ours = row.get(f"heaptrack_{measure}"), row.get(f"mtrace_{measure}")
        if theirs is not None and ours is not None and ours > 0:
            row[name] = theirs / ours


def scaling(rows):
    """{depth: {tracer: (by wall time, by CPU time)}}: the throughput of two threads over that of one.

    Wall time tells of waiting too, but on a machine that does other work it tells of that as well.
    """
    by_name = {row["case"]: row for row in rows}
    result = {}
    for name, one in by_name.items():
        two = by_name.get(name.replace("x1", "x2")) if name.endswith("x1") else None
        if two:
            result[name[:-2]] = {
                tracer: (ratio(2 * one[f"{tracer}_wall_s"], two[f"{tracer}_wall_s"]),
                         ratio(4 * one[f"{tracer}_s"], two[f"{tracer}_s"]))
                for tracer in ("native", "mtrace", "heaptrack") if f"{tracer}_wall_s" in one}
    return result


COLUMNS = [
    # heading, key, format
    ("case", "case", "{}"),
    ("allocations", "allocations", "{:,}"),
    ("native s", "native_s", "{:.2f}"),
    ("null", "null_cpu", "{:.2f}"),
    ("mtrace", "mtrace_cpu", "{:.2f}"),
    ("sampled", "sampled_cpu", "{:.3f}"),
    ("stopped", "stopped_cpu", "{:.3f}"),
    ("heaptr.", "heaptrack_cpu", "{:.2f}"),
    ("null", "null_added_ns", "{:.1f}"),
    ("mtrace", "mtrace_added_ns", "{:.1f}"),
    ("heaptr.", "heaptrack_added_ns", "{:.0f}"),
    ("less", "less_cpu", "{:.1f}x"),
    ("native", "native_mib", "{:.1f}"),
    ("heap", "heap_mib", "{:.1f}"),
    ("mtrace", "mtrace_added_mib", "{:+.1f}"),
    ("heaptr.", "heaptrack_added_mib", "{:+.1f}"),
    ("trace", "mtrace_trace_bytes", "kib"),
    ("packed", "mtrace_packed_bytes", "kib"),
    ("heaptr.", "heaptrack_trace_bytes", "kib"),
    ("mtrace", "mtrace_print_s", "{:.3f}"),
    ("heaptr.", "heaptrack_print_s", "{:.2f}"),
]
GROUPS = [("", 3), ("CPU / native", 5), ("added ns per allocation", 4), ("resident MiB", 4),
          ("trace KiB", 3), ("report s", 2)]


def cell(row, key, style):
    value = row.get(key)
    if value is None:
        return "-"
    return f"{value / 1024:,.0f}" if style == "kib" else style.format(value)


def group_line(widths):
    """The line above the headings: names that span their columns."""
    parts, start = [], 0
    for name, count in GROUPS:
        width = sum(widths[start:start + count]) + 2 * (count - 1)
        parts.append(name.rjust(width)[:max(width, len(name))])
        start += count
    return "  ".join(parts).rstrip()


def render(rows):
    lines = [[heading for heading, _, _ in COLUMNS]]
    lines += [[cell(row, key, style) for _, key, style in COLUMNS] for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(COLUMNS))]
    text = [group_line(widths)]
    for line in lines:
        text.append("  ".join([line[0].ljust(widths[0])]
                              + [word.rjust(width) for word, width in zip(line[1:], widths[1:])]))
    return "\n".join(text + footer(rows))


def memory_line(rows):
    """What libmtrace adds beyond 16 MiB, as a share of the live heap: for the worst program."""
    shares = [(max(0, row["mtrace_added_mib"] - 16) / row["heap_mib"], row["case"])
              for row in rows if row["heap_mib"] and "mtrace_added_mib" in row]
    if not shares:
        return []
    worst, case = max(shares)
    return [f"resident memory beyond 16 MiB: at most {worst:.0%} of the live heap ({case})"]


def process_lines(rows):
    """What is added to one short process."""
    lines = []
    for row in rows:
        if not row["processes"] or "mtrace_added_us" not in row:
            continue
        lines.append(f"{row['case']}: a process takes {row['native_us']:,.0f} us of CPU, traced {row['mtrace_added_us']:+,.0f}"
                     f" (wall {row['mtrace_added_wall_us']:+,.0f}), and a trace of {row['mtrace_each_bytes'] / 1024:.0f} KiB")
    return lines


def footer(rows):
    lines = [""]
    for name, what in (("less_cpu", "less added CPU"), ("less_print", "less time to report"),
                       ("less_trace", "less trace, packed")):
        factors = [row[name] for row in rows if name in row]
        if factors:
            lines.append(f"{what} than heaptrack: {geometric_mean(factors):.1f}x in the geometric "
                         f"mean, {min(factors):.1f}x at least")
    lines += memory_line(rows) + process_lines(rows)
    for name, values in scaling(rows).items():
        shown = ", ".join(f"{tracer} {wall:.2f} ({cpu:.2f})"
                          for tracer, (wall, cpu) in values.items())
        lines.append(f"{name}: throughput of two threads over that of one, by wall (CPU) time: "
                     f"{shown}")
    return lines
