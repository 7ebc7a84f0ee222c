# SPDX-License-Identifier: MIT
"""tracing - runs a program with and without the library, and reads its traces through `mtracer`.

The build tells where things are: TEST_LIBRARY is libmtrace.so, TEST_MTRACER the mtracer command.
"""
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

LIBRARY = os.environ.get("TEST_LIBRARY", "")
MTRACER = os.environ.get("TEST_MTRACER", "mtracer")
LONG = bool(os.environ.get("TEST_LONG"))
SKIP = 77  # exit status of a test that can't run here, to meson

MEASURES = ("current_bytes", "current_blocks", "peak_bytes", "at_peak_bytes", "allocated_bytes",
            "allocations", "temporary")


class Result:
    """How a program ended: status as subprocess gives it (negative: the signal), and what it wrote."""

    def __init__(self, status, stdout, stderr):
        self.status, self.stdout, self.stderr = status, stdout, stderr

    def __repr__(self):
        return f"status {self.status}, stdout {self.stdout[-500:]!r}, stderr {self.stderr[-500:]!r}"


def environment(traced, **variables):
    """The environment for a program: traced or not, nothing left of the test's own."""
    env = {k: v for k, v in os.environ.items()
           if not k.startswith(("LD_", "MALLOC_", "MTRACE_", "PYTHON", "TEST_"))}
    env["LC_ALL"] = "C.UTF-8"
    env["XDG_STATE_HOME"] = "/nonexistent/state"  # traces that can't be made elsewhere: not in one's own
    if traced:
        env["LD_PRELOAD"] = LIBRARY
    env.update(variables)
    return env


def run(command, traced=True, cwd=None, timeout=120, stdin=b"", **variables):
    """Runs a program to its end. Keywords in capitals become environment variables."""
    done = subprocess.run([str(word) for word in command], cwd=cwd, timeout=timeout, input=stdin,
                          env=environment(traced, **variables), capture_output=True, check=False)
    return Result(done.returncode, done.stdout, done.stderr)


def mtracer(*arguments, timeout=300, **variables):
    """Runs the mtracer command."""
    return run([MTRACER, *arguments], traced=False, timeout=timeout, **variables)


class Trace:
    """A trace file, seen through `mtracer report --json`."""

    def __init__(self, path):
        self.path = Path(path)

    def report(self, by="line", *options):
        result = mtracer("report", self.path, "--by", by, "--limit", "0", "--json", *options)
        if result.status != 0:
            raise AssertionError(f"mtracer report {self.path}: {result}")
        return json.loads(result.stdout)

    def lines(self, source):
        """{line number: row} of the rows whose file is `source`."""
        rows = {}
        for row in self.report()["rows"]:
            if row["file"] is not None and Path(row["file"]).name == Path(source).name:
                if row["line"] in rows:
                    raise AssertionError(f"{source}:{row['line']} has two rows")
                rows[row["line"]] = row
        return rows

    def functions(self, *options):
        """{function: row}, with the memory of all that they call when the option --cumulative is given."""
        return {row["function"]: row for row in self.report("function", *options)["rows"]}

    def info(self):
        result = mtracer("info", self.path, "--json")
        if result.status != 0:
            raise AssertionError(f"mtracer info {self.path}: {result}")
        return json.loads(result.stdout)

    def totals(self):
        return self.report()["totals"]

    def state(self):
        return self.report()["trace"]["state"]


@contextlib.contextmanager
def scratch():
    """A directory that is removed in the end, whatever is in it."""
    path = Path(tempfile.mkdtemp(prefix="mtrace-test-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def wait_until(condition, what, seconds=60, pause=0.01):
    """Waits for what condition() returns to be true, and returns it; an error once the deadline has passed."""
    deadline = time.monotonic() + seconds
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"after {seconds} s still not: {what}")
        time.sleep(pause)
    return result


def traces(directory, program="*"):
    """The traces in a directory that were written to the default path, oldest first."""
    found = Path(directory).glob(f"{program}.*.mtrace*")
    return [Trace(path) for path in sorted(found, key=lambda path: path.stat().st_mtime_ns)]


def first_trace(found):
    """Of a program's traces that of the process which wasn't forked from another traced one. (Numbers of processes
    start again from the lowest.)"""
    [first] = [trace for trace in found if trace.info()["recording"]["forked_from"] is None]
    return first


def only_trace(directory, program="*"):
    found = traces(directory, program)
    if len(found) != 1:
        raise AssertionError(f"{len(found)} traces instead of one: {[t.path.name for t in found]}")
    return found[0]


def same_behaviour(native, traced):
    """Raises unless both runs ended the same way with the same output."""
    for what in ("status", "stdout", "stderr"):
        if getattr(native, what) != getattr(traced, what):
            raise AssertionError(f"{what} differs: native {native}\ntraced {traced}")


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIP)
