# SPDX-License-Identifier: MIT
"""Real programs: the same output and status with the library as without, and heaptrack's counts.

usage: test_programs.py CASE
"""
import hashlib
import shutil
import sys
import unittest
from dataclasses import dataclass, field

import workloads
from compare import against_heaptrack
from heaptrack import count
from packages import missing
from tracing import LONG, run, same_behaviour, scratch, skip, traces

SCALE = 1 if LONG else 0.3
PYTHON = "/usr/bin/python3"

CXX = """
#include <algorithm>
#include <map>
#include <string>
#include <vector>
template <int N> struct table : table<N - 1> { std::map<int, std::string> rows[2]; };
template <> struct table<0> {};
int main() { table<40> t; std::vector<int> v(10); std::sort(v.begin(), v.end()); return sizeof t == 0; }
"""

EXCEPTIONS = """
import sys, threading, zlib, hashlib, sqlite3, decimal, re
def deep(n):
    if n == 0:
        raise ValueError("bottom")
    return deep(n - 1)
caught = 0
for i in range(300):
    try:
        deep(i % 90)
    except ValueError:
        caught += 1
data = []
def work(n):
    data.append(hashlib.sha256(zlib.compress(bytes(range(256)) * n)).hexdigest())
threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
[t.start() for t in threads]
[t.join() for t in threads]
db = sqlite3.connect(":memory:")
db.execute("create table t(a, b)")
db.executemany("insert into t values(?, ?)", ((i, str(i) * 9) for i in range(5000)))
print(caught, sorted(data)[0], db.execute("select sum(a), max(b) from t").fetchone())
print(sum(decimal.Decimal(i) / 7 for i in range(500)), len(re.findall(r"(a|b)+c", "abc" * 999)))
sys.exit(3)
"""


@dataclass
class Case:
    """A program, its input, and the files that it writes."""
    command: list
    prepare: object = None
    variables: dict = field(default_factory=dict)
    outputs: tuple = ()
    counted: bool = True  # one process, that repeats its work exactly enough to be counted
    varies: int = 0  # bytes by which its peak differs from run to run


def write_cxx(directory, scale):
    (directory / "work.cc").write_text(CXX)


def write_threads(directory, scale):
    (directory / "threads.py").write_text(EXCEPTIONS)


def write_make(directory, scale):
    """A build of several files at once: processes that start processes."""
    for i in range(6):
        (directory / f"f{i}.c").write_text(f"int f{i}(int x) {{ return x * {i}; }}\n")
    (directory / "main.c").write_text("int f3(int); int main(void) { return f3(0); }\n")
    (directory / "Makefile").write_text("all: $(patsubst %,f%.o,0 1 2 3 4 5) main.o\n"
                                        "\tgcc -o all $^ && ./all && echo built\n")


GIT = {"GIT_PAGER": "cat", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
HASH = {"PYTHONHASHSEED": "0"}
GCC_TABLE = 32768  # its collector has one for each region of addresses that it gets memory in: three more or less
CASES = {
    "python_malloc": Case([PYTHON, "work.py"], workloads.write_python,
                          {**HASH, "PYTHONMALLOC": "malloc"}),
    "python": Case([PYTHON, "work.py"], workloads.write_python, HASH),
    "python_threads": Case([PYTHON, "threads.py"], write_threads, HASH, counted=False),
    "perl": Case(["perl", "work.pl"], workloads.write_perl,
                 {"PERL_HASH_SEED": "0", "PERL_PERTURB_KEYS": "0"}),
    "sqlite3": Case(["sqlite3", ":memory:", ".read work.sql"], workloads.write_sql),
    "xmllint": Case(["xmllint", "--format", "work.xml"], workloads.write_xml),
    "git": Case(["git", "-C", "repo", "log", "-p", "--stat", "-M"], workloads.write_git, GIT),
    "git_gc": Case(["git", "-C", "repo", "repack", "-adfq", "--threads=2"], workloads.write_git, GIT,
                   counted=False),
    "cc1": Case([workloads.cc1(), "-quiet", "-O2", "work.c", "-o", "work.s"], workloads.write_c,
                outputs=("work.s",), varies=3 * GCC_TABLE),
    "gcc": Case(["gcc", "-O2", "-c", "work.c", "-o", "work.o"], workloads.write_c,
                outputs=("work.o",), counted=False),
    "gxx": Case(["g++", "-O1", "-c", "work.cc", "-o", "work.o"], write_cxx, outputs=("work.o",),
                counted=False),
    "make": Case(["make", "-j2", "-s"], write_make, outputs=("f0.o", "main.o"), counted=False),
    "bash": Case(["bash", "-c", "for i in {1..60}; do x+=$(echo $i | tr 1 2); done; echo $x"],
                 counted=False),
}


class RealProgram(unittest.TestCase):
    case = None

    def observe(self, directory, traced):
        """The result of a run in a directory of its own, with the digests of the files it wrote."""
        directory.mkdir()
        if self.case.prepare:
            self.case.prepare(directory, SCALE)
        result = run(self.case.command, traced=traced, cwd=directory, timeout=300,
                     MTRACE_OUT=str(directory / "%n.%p.mtrace"), **self.case.variables)
        files = [hashlib.sha256((directory / name).read_bytes()).hexdigest()
                 for name in self.case.outputs]
        return result, files

    def test(self):
        with scratch() as top:
            native, native_files = self.observe(top / "native", False)
            traced, traced_files = self.observe(top / "traced", True)
            same_behaviour(native, traced)
            self.assertEqual(native_files, traced_files)
            found = traces(top / "traced")
            self.assertGreater(len(found), 0)
            for trace in found[::max(1, len(found) // 10)]:
                self.check_trace(trace)
            if self.case.counted:
                [trace] = found
                counts = count(top / "native", self.case.command, **self.case.variables)
                against_heaptrack(self, trace, counts, self.case.varies)

    def check_trace(self, trace):
        """Every trace can be read, ended well, lost nothing, and adds up."""
        report = trace.report()
        totals = report["totals"]
        self.assertIn(report["trace"]["state"], ("exited", "running", "died"))
        self.assertIs(report["trace"]["complete"], True, report["trace"])
        for key in ("allocations", "allocated_bytes", "current_bytes", "current_blocks"):
            self.assertEqual(sum(row[key] for row in report["rows"]), totals[key], key)
        self.assertLessEqual(abs(sum(row["at_peak_bytes"] for row in report["rows"])
                                 - totals["peak_bytes"]), totals["peak_error_bytes"])


if __name__ == "__main__":
    RealProgram.case = CASES[sys.argv[1]]
    if not shutil.which(RealProgram.case.command[0]):
        skip(missing(RealProgram.case.command[0]))
    unittest.main(verbosity=2, argv=sys.argv[:1])
