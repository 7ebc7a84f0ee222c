"""readers - what it costs to read a case's trace: each view of mtracer beside heaptrack_print, on the same run."""
import os

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


def read(workplace, case, mtrace, heaptrack):
    """One row; the traces are paths or None."""
    row = {"case": case, "trace_mib": os.path.getsize(mtrace) / 2**20}
    for view, words in VIEWS.items():
        row[view] = cost(workplace, [MTRACER, *words, mtrace])
    if heaptrack:
        row["heaptrack_print"] = cost(workplace, ["heaptrack_print", heaptrack])
    return row


def render(rows):
    views = [view for view in (*VIEWS, "heaptrack_print") if any(view in row for row in rows)]
    lines = [["reading: CPU s, MiB", "trace MiB", *views]]
    for row in rows:
        cells = [f"{row[v]['s']:.2f} {row[v]['mib']:5.0f}" if v in row else "-" for v in views]
        lines.append([row["case"], f"{row['trace_mib']:.1f}", *cells])
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join("  ".join([line[0].ljust(widths[0])] + [word.rjust(width) for word, width
                                                               in zip(line[1:], widths[1:])])
                     for line in lines)
