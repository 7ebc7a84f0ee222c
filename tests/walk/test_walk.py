# SPDX-License-Identifier: MIT
"""test_walk.py LIBRARY STACKS PROGRAM... SOURCE - a library that compares each of its walks with libunwind's, under real programs."""
import re
import shutil
import sys
import tempfile
from pathlib import Path

import tracing

LEAST = 1000  # captures that a run of interest has at least


def commands(stacks, programs, source):
    """What to run: stacks that change in all frames, then C++ with exceptions, realigned frames, alloca, longjmp and signals."""
    script = "import json, decimal; print(len(json.dumps([str(decimal.Decimal(i) / 7) for i in range(3000)])))"
    query = ("create table t(a, b); with recursive c(x) as (select 1 union all select x + 1 from c where x < 2000) "
             "insert into t select x, hex(randomblob(20)) from c; select count(*), max(length(b)) from t group by a % 3")
    yield from ([stacks, *how.split(), "20000"] for how in ("40 50 cycle", "9 70 cycle", "300 20 random", "3000 9 random"))
    yield from ([program] for program in programs)
    yield ["/usr/bin/python3", "-c", script]
    yield ["perl", "-e", "my %h; $h{$_} = [1 .. 10] for 1 .. 2000; print scalar keys %h"]
    yield ["sqlite3", ":memory:", query]
    yield ["g++", "-O1", "-c", source, "-o", "out.o"]


def counts(log):
    """Captures compared and found different, per process."""
    return [tuple(map(int, re.findall(r"\d+", line))) for line in Path(log).read_text().splitlines()]


def check(command, library, directory):
    """Runs one command, and returns what is wrong with it."""
    log = directory + "/log"
    Path(log).write_text("")
    result = tracing.run(command, traced=False, cwd=directory, timeout=500, LD_PRELOAD=library, WALK_LOG=log)
    compared = sum(c for c, _ in counts(log))
    different = sum(d for _, d in counts(log))
    print(f"{Path(command[0]).name}: {compared} captures compared, {different} differ")
    if result.status != 0 or compared < LEAST or different:
        return f"{command[0]}: {result}"
    return None


def main():
    library, stacks, *programs, source = sys.argv[1:]
    wrong = []
    for command in commands(stacks, programs, Path(source).resolve()):
        if not shutil.which(command[0]):
            print(f"{command[0]}: not installed, left out")
            continue
        with tempfile.TemporaryDirectory() as directory:
            wrong.append(check(command, library, directory))
    sys.exit("\n".join(filter(None, wrong)) or 0)


if __name__ == "__main__":
    main()
