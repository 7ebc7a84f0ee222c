# SPDX-License-Identifier: MIT
"""cases - the workloads of the benchmark: what to run, on which input."""
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import workloads

BUILT = Path(os.environ.get("BENCH_PROGRAMS", "."))
PYTHON = "/usr/bin/python3"


@dataclass
class Case:
    """One workload. `prepare` makes its input in a directory, for a scale of 1 or less."""
    name: str
    command: list
    prepare: object = None
    variables: dict = field(default_factory=dict)
    redis: bool = False
    processes: int = 0  # short ones, of which there are so many: what one of them costs is printed too


def loops(scale):
    pairs = max(10000, int(3000000 * scale))
    modes = [("loop", depth, "own") for depth in (5, 20, 50, 100)] + [("same", 5, "same"), ("swap", 5, "swap")]
    return [Case(f"{name}-{depth}x{threads}",
                 [str(BUILT / "loop"), str(depth), str(threads), str(pairs), mode])
            for threads in (1, 2) for name, depth, mode in modes]


def threads(scale):
    """Threads that free what others have allocated, and many threads with blocks of one size."""
    operations = max(100000, int(4000000 * scale))
    shapes = [("larson", count) for count in (1, 2, 4, 8, 16, 32)] + [("xmalloc", count) for count in (1, 2, 8)]
    blocks = [(2, 16000), (64, 16000), (1000, 16000), (64, 1000000)]
    return [Case(f"{shape}-{count}", [str(BUILT / "threads"), shape, str(count), str(operations)])
            for shape, count in shapes] + [
            Case(f"blocks-{count}-of-{size}", [str(BUILT / "blocks"), str(count), str(size), str(operations // 4 // count)])
            for count, size in blocks]


def changing_stacks(scale):
    """One stack after the other, as they are or in random order."""
    pairs = max(10000, int(2000000 * scale))
    shapes = [(10, 20, "cycle"), (1000, 20, "cycle"), (4000, 20, "cycle"), (1000, 50, "cycle"), (1000, 20, "random")]
    return [Case(f"stacks-{count}x{depth}-{order}", [str(BUILT / "stacks"), str(count), str(depth), order, str(pairs)])
            for count, depth, order in shapes]


def starts(scale):
    """Processes that are short: one after the other, and as a shell's children."""
    count = max(20, int(300 * scale))
    programs_to_start = {"true": ["/bin/true"], "git": ["git", "--version"], "bash": ["bash", "-c", ":"],
                         "perl": ["perl", "-e1"]}
    loop = f"i=0; while [ $i -lt {count} ]; do /bin/true; i=$((i + 1)); done"
    return [Case(f"start-{name}", [str(BUILT / "starts"), str(count), *command], processes=count)
            for name, command in programs_to_start.items()] + [
                Case("shell-true", ["sh", "-c", loop], processes=count)]


def large_programs():
    """Compilers at work on the standard library's headers: many call stacks, deep ones, large binaries."""
    compile_it = ["-quiet", "-std=c++17", "-O1", "-D_GNU_SOURCE", "-imultiarch", workloads.multiarch(),
                  "work.cc", "-o", "/dev/null"]
    found = [("python-debug", shutil.which("python3.11-dbg"), ["work.py"], workloads.write_python,
              {"PYTHONMALLOC": "malloc", "PYTHONHASHSEED": "0"}),
             ("cc1plus", workloads.cc1("cc1plus"), compile_it, workloads.write_cxx, {})]
    return [Case(name, [program, *words], prepare, variables)
            for name, program, words, prepare, variables in found if program]


def programs(scale):
    return [
        Case("python", [PYTHON, "work.py"], workloads.write_python,
             {"PYTHONMALLOC": "malloc", "PYTHONHASHSEED": "0"}),
        Case("perl", ["perl", "work.pl"], workloads.write_perl, {"PERL_HASH_SEED": "0"}),
        Case("sqlite3", ["sqlite3", ":memory:", ".read work.sql"], workloads.write_sql),
        Case("cc1", [workloads.cc1(), "-quiet", "-O2", "work.c", "-o", "/dev/null"], workloads.write_c),
        *large_programs(),
        Case("clang", ["clang++", "-c", "-O1", "-std=c++17", "work.cc", "-o", "/dev/null"], workloads.write_cxx),
        Case("git", ["git", "-C", "repo", "log", "-p", "--stat", "-M"], workloads.write_git,
             {"GIT_PAGER": "cat", "GIT_CONFIG_GLOBAL": "/dev/null"}),
        Case("xmllint", ["xmllint", "--format", "--output", "/dev/null", "work.xml"], workloads.write_xml),
        Case("jq", ["jq", "-c", "group_by(.name) | map({name: .[0].name, sum: (map(.value) | add)}) | sort_by(.sum)",
                    "work.json"], workloads.write_json),
        Case("node", ["node", "work.js"], workloads.write_javascript),
        Case("z3", ["z3", "work.smt2"], workloads.write_constraints),
        Case("stl", [str(BUILT / "stl"), str(max(1, int(12 * scale)))]),
        Case("numbers", [str(BUILT / "numbers"), str(max(1, int(40 * scale)))]),
        Case("redis", ["redis-server", "redis.conf"], redis=True),
    ]


def all_cases(scale):
    return loops(scale) + threads(scale) + changing_stacks(scale) + programs(scale) + starts(scale)
