# SPDX-License-Identifier: MIT
"""Two builds that differ by inserted lines, other orders and names, and one real regression: that is what is reported.

Built in many ways: optimization (also another one on each side), position-independent or not, without debug information, stripped.
The same binary twice gives an empty diff.
"""
import json
import os
import shutil
import subprocess
import unittest
from pathlib import Path

from annotations import mark
from tracing import environment, mtracer, run, scratch, wait_until

HERE = Path(os.environ["TEST_SOURCES"])
BEFORE, AFTER = HERE / "before" / "table.c", HERE / "after" / "sheet.c"
GREW = 5000  # bytes, by the regression


def allocations(trace):
    """How many a trace counts; 0 while it can't be read."""
    result = mtracer("report", trace, "--json")
    return json.loads(result.stdout)["totals"]["allocations"] if result.status == 0 else 0


def compiler(source):
    name = "g++" if source.suffix == ".cc" else "gcc"
    return shutil.which(name) or shutil.which("c++" if source.suffix == ".cc" else "cc")


def build(source, program, *flags):
    program.parent.mkdir(exist_ok=True)
    done = run([compiler(source), "-fno-builtin", *flags, source, "-o", program], traced=False)
    if done.status != 0:
        raise AssertionError(done)
    return program


def trace(program, path):
    result = mtracer("run", "-q", "-o", path, "--", program)
    if result.status != 0:
        raise AssertionError(result)
    return path


def difference(*arguments):
    result = mtracer("diff", "--json", *arguments)
    if result.status not in (0, 1):
        raise AssertionError(result)
    return result.status, json.loads(result.stdout)


@unittest.skipUnless(compiler(BEFORE), "no compiler: package gcc")
class Builds(unittest.TestCase):
    def both(self, directory, before_flags, after_flags, before=BEFORE, after=AFTER):
        """Traces of the program before and after, built in directories of their own."""
        return (trace(build(before, directory / "old" / "app", *before_flags), directory / "old.mtrace"),
                trace(build(after, directory / "new" / "app", *after_flags), directory / "new.mtrace"))

    def check_rows(self, old, new):
        """Exactly the regression, however rows are made."""
        for by in "line", "function", "file", "module", "site":
            with self.subTest(by=by):
                _, report = difference("--by", by, old, new)
                rows = report["rows"]
                self.assertEqual([row["delta_at_peak_bytes"] for row in rows], [GREW], rows)
                self.assertEqual(rows[0]["delta_current_bytes"], GREW)
                self.assertEqual(rows[0]["delta_allocations"], 1)
                self.assertEqual(rows[0]["status"], "new" if by in ("line", "site") else "grew")
        return rows

    def check_limits(self, old, new):
        """The exit status follows, and the one who did it is named."""
        for arguments, status in ((["--fail-over", "1%"], 1), (["--fail-over", "50%"], 0),
                                  (["--fail-over", "4KiB"], 1), (["--fail-over", "5KiB"], 0),
                                  (["--fail-over-site", "4KiB"], 1), (["--fail-over-site", "5KiB"], 0),
                                  (["--fail-over-site", "1000%"], 1),
                                  (["--measure", "allocations", "--fail-over", "0"], 1),
                                  (["--measure", "allocations", "--fail-over", "1"], 0)):
            result = mtracer("diff", *arguments, old, new)
            self.assertEqual(result.status, status, (arguments, result))
            self.assertEqual(b"FAILED" in result.stdout, status == 1)
            self.assertEqual(b"passed" in result.stdout, status == 0)
            if status:
                self.assertIn(b" sheet.c:%d sort_rows" % mark(AFTER, "regression"), result.stdout)

    def test_debug_information(self):
        for before, after in (("-O0", "-O0"), ("-O2", "-O2"), ("-O0", "-O2"), ("-O1", "-Os")):
            with self.subTest(before=before, after=after), scratch() as directory:
                old, new = self.both(directory, ["-g", before], ["-g", after])
                self.check_rows(old, new)
                self.check_limits(old, new)

    def test_load_addresses(self):
        with scratch() as directory:
            old, new = self.both(directory, ["-g", "-O2", "-no-pie"], ["-g", "-O2", "-pie", "-fPIE"])
            self.check_rows(old, new)

    def test_symbols_only(self):
        with scratch() as directory:
            old, new = self.both(directory, ["-O1", "-fno-inline"], ["-O1", "-fno-inline"])
            _, report = difference(old, new)
            self.assertEqual([row["function"] for row in report["rows"]], ["sort_rows"])
            self.assertEqual(report["rows"][0]["delta_at_peak_bytes"], GREW)

    def test_debug_information_on_one_side(self):
        with scratch() as directory:
            old, new = self.both(directory, ["-O1", "-fno-inline"], ["-g", "-O1", "-fno-inline"])
            _, report = difference("--by", "function", old, new)
            self.assertEqual([(row["function"], row["delta_at_peak_bytes"]) for row in report["rows"]],
                             [("sort_rows", GREW)])

    def test_stripped(self):
        """Nothing has a name: what the code allocates has to tell."""
        with scratch() as directory:
            old, new = self.both(directory, ["-O1", "-fno-inline", "-s"], ["-O1", "-fno-inline", "-s"])
            _, report = difference(old, new)
            self.assertEqual([row["delta_at_peak_bytes"] for row in report["rows"]], [GREW])

    def test_baseline_without_its_binary(self):
        """A packed trace is compared when the program was built anew in its place."""
        with scratch() as directory:
            program = build(BEFORE, directory / "app", "-g", "-O2")
            old = trace(program, directory / "old.mtrace")
            self.assertEqual(mtracer("pack", "-q", "-o", directory / "base.zst", old).status, 0)
            program.unlink()
            build(AFTER, program, "-g", "-O2")
            new = trace(program, directory / "new.mtrace")
            self.check_rows(directory / "base.zst", new)
            self.check_limits(directory / "base.zst", new)

    def test_functions_that_share_a_line_or_a_place(self):
        """They aren't each other: one grew, one shrank, one is gone, one is new."""
        source = HERE / "before" / "boxes.cc"
        with scratch() as directory:
            old, new = self.both(directory, ["-g", "-O1"], ["-g", "-O1", "-DAFTER"], source, source)
            for by in "line", "function":
                _, report = difference("--by", by, old, new)
                self.assertEqual({row["function"]: (row["status"], row["delta_current_bytes"]) for row in report["rows"]},
                                 {"Box<int>::fill": ("shrank", -99000 * 4), "Box<double>::fill": ("grew", 89000 * 8),
                                  "one_large": ("gone", -500000), "many_small": ("new", 900 * 16)})

    def test_templates_and_inlining(self):
        before, after = HERE / "before" / "graph.cc", HERE / "after" / "graph.cc"
        grew = 500 * (80 - 16) * 8
        for flags in (["-O0"], ["-O2"]):
            with self.subTest(flags=flags), scratch() as directory:
                old, new = self.both(directory, ["-g", *flags], ["-g", *flags], before, after)
                _, report = difference("--by", "function", old, new)
                rows = report["rows"]
                self.assertEqual([(row["function"], row["delta_at_peak_bytes"]) for row in rows],
                                 [("shapes::node::node", grew)])

    def test_the_same_binary_twice(self):
        for source in BEFORE, HERE / "before" / "graph.cc":
            with scratch() as directory:
                program = build(source, directory / "app", "-g", "-O2")
                traces = [trace(program, directory / f"{i}.mtrace") for i in range(2)]
                for by in "line", "function", "file", "module", "site":
                    status, report = difference("--fail-over", "0", "--fail-over-site", "0", "--by", by,
                                                *traces)
                    self.assertEqual((status, report["rows"]), (0, []))
                self.assertIn(b"no row differs", mtracer("diff", *traces).stdout)

    def test_several_runs(self):
        with scratch() as directory:
            old, new = self.both(directory, ["-g", "-O2"], ["-g", "-O2"])
            status, report = difference("--fail-over", "1%", "--old", old, old, old, "--new", new, new, new)
            self.assertEqual(status, 1)
            self.assertEqual([row["delta_at_peak_bytes"] for row in report["rows"]], [GREW])
            status, report = difference("--fail-over", "1%", "--old", old, old, new, "--new", new, new, old)
            self.assertEqual((status, report["rows"]), (0, []))
            self.assertEqual(report["totals"]["delta_peak_bytes"], GREW)
            self.assertEqual(report["totals"]["spread_peak_bytes"], GREW)

    def test_a_running_program(self):
        with scratch() as directory:
            source = directory / "running.c"
            source.write_text("#include <stdlib.h>\n#include <unistd.h>\n"
                              "int main(void) { for (;;) { malloc(100); usleep(1000); } }\n")
            program = build(source, directory / "running", "-g")
            with subprocess.Popen([program], env=environment(True, MTRACE_OUT="t"), cwd=directory) as p:
                path = directory / "t"
                wait_until(lambda: path.exists() and allocations(path), "the program has allocated")
                shutil.copy(path, directory / "early")
                wait_until(lambda: allocations(path) > allocations(directory / "early"), "it has allocated more")
                status, report = difference("--fail-over", "0", directory / "early", path)
                p.kill()
            self.assertEqual(status, 1)
            self.assertEqual(report["new"][0]["trace"]["state"], "running")
            [row] = report["rows"]
            self.assertEqual((row["function"], row["delta_current_bytes"] % 100), ("main", 0))


unittest.main(verbosity=2)
