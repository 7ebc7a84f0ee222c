# SPDX-License-Identifier: MIT
"""readers - what it costs to read a case's trace: each view of mtracer beside heaptrack_print, on the same run; and what
the scan for leaks at the program's end did, per 100 MB that it looked through."""
import json
import os
import subprocess

from tracers import MTRACER, measured, read_result

VIEWS = {
    "report": ["report"],
    "annotate": ["annotate"],
    "tree": ["tree"],
    "callers": ["tree", "--callers"],
}


def cost(workplace, command):
    """The cheapest of three: what else the machine does only adds."""
    result = workplace.directory / "reading"
    costs = []
    for _ in range(3):
        workplace.wait(workplace.start(measured(command, result)))
        costs.append(read_result(result))
    return {"s": min(c.cpu for c in costs), "mib": min(c.rss for c in costs) / 1024}


def scan(mtrace):
    """The scan's milliseconds per 100 MB, and MB; None where there was none."""
    found = subprocess.run([MTRACER, "leaks", "--json", mtrace], capture_output=True, check=False).stdout
    document = json.loads(found or b"{}")
    verdict = document.get("leaks", {})
    if not verdict.get("scan_bytes"):
        return None
    return verdict["scan_ns"] / 1e6 / (verdict["scan_bytes"] / 1e8), verdict["scan_bytes"] / 1e6


def read(workplace, case, mtrace, heaptrack):
    """One row; the traces are paths or None."""
    row = {"case": case, "trace_mib": os.path.getsize(mtrace) / 2**20, "scan": scan(mtrace)}
    for view, words in VIEWS.items():
        row[view] = cost(workplace, [MTRACER, *words, mtrace])
    if heaptrack:
        row["heaptrack_print"] = cost(workplace, ["heaptrack_print", heaptrack])
    return row


def render(rows):
    views = [view for view in (*VIEWS, "heaptrack_print") if any(view in row for row in rows)]
    lines = [["reading: CPU s, MiB", "trace MiB", *views, "leak scan: ms/100 MB", "MB"]]
    for row in rows:
        cells = [f"{row[v]['s']:.2f} {row[v]['mib']:5.0f}" if v in row else "-" for v in views]
        scanned = [f"{row['scan'][0]:.0f}", f"{row['scan'][1]:.1f}"] if row["scan"] else ["-", "-"]
        lines.append([row["case"], f"{row['trace_mib']:.1f}", *cells, *scanned])
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join("  ".join([line[0].ljust(widths[0])] + [word.rjust(width) for word, width
                                                               in zip(line[1:], widths[1:])])
                     for line in lines)
