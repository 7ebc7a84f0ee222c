# SPDX-License-Identifier: MIT
"""annotations - what a test program's source says about the memory that its lines allocate.

    p = malloc(10);  //= count 1, total 10
    q = malloc(10);  //= count 1, total 10, current 10, blocks 1, peak 10
    //~ outer count 2, total 20, current 10, blocks 1

`//=` speaks of its own line. `current` and `blocks` are 0 if they aren't named; other measures that aren't named are
not compared. `//= any` is for lines where a library allocates as it likes. `//~ FUNCTION` speaks of all that a
function and what it called allocated. A line of the file without `//=` must allocate nothing. `//! NAME=VALUE` is
for the environment of the traced program.
"""
import re
from pathlib import Path

KEYS = {"count": "allocations", "total": "allocated_bytes", "current": "current_bytes",
        "blocks": "current_blocks", "peak": "peak_bytes", "at_peak": "at_peak_bytes",
        "temporary": "temporary"}


def measures(text):
    if text == "any":
        return {}
    wanted = {"current_bytes": 0, "current_blocks": 0}
    for part in text.split(","):
        key, value = part.split()
        wanted[KEYS[key]] = int(value)
    return wanted


def read(source):
    """(measures of each annotated line number, measures of each annotated function)"""
    lines, functions = {}, {}
    for number, text in enumerate(Path(source).read_text().splitlines(), 1):
        if found := re.search(r"//= (.*)$", text):
            lines[number] = measures(found[1])
        if found := re.search(r"//~ (\w+) (.*)$", text):
            functions[found[1]] = measures(found[2])
    return lines, functions


def variables(source):
    """The environment that the source asks for."""
    return dict(re.findall(r"^//! (\w+)=(.*)$", Path(source).read_text(), re.MULTILINE))


def mismatches(wanted, row, name):
    """Sentences about the measures of `row` (None: there is no such row) that aren't as wanted."""
    if row is None:
        return [] if not wanted.get("allocations") else [f"{name}: not in the report"]
    return [f"{name}: {key} is {row[key]}, should be {value}"
            for key, value in wanted.items() if row[key] != value]


def compare(trace, source):
    """All that the trace says otherwise than the source."""
    lines, functions = read(source)
    rows = trace.lines(source)
    name = Path(source).name
    wrong = [f"{name}:{line}: unexpected row {rows[line]}" for line in rows if line not in lines]
    for line, wanted in lines.items():
        wrong += mismatches(wanted, rows.get(line), f"{name}:{line}")
    if functions:
        whole = trace.functions("--cumulative")
        for function, wanted in functions.items():
            wrong += mismatches(wanted, whole.get(function), f"{name}: {function}()")
    return wrong


def mark(source, name):
    """The number of the line that says `/* line: NAME */`."""
    for number, text in enumerate(Path(source).read_text().splitlines(), 1):
        if f"/* line: {name} */" in text:
            return number
    raise KeyError(f"{source} marks no line as {name!r}")
