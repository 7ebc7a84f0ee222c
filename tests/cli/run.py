#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""run.py - runs the command line cases: CASE.sh, and what it should print.

usage: run.py [--accept] FOLDER...

Each FOLDER holds cases: CASE.sh is run by sh in a directory of its own, and its output is compared with CASE.stdout
(no such file: not looked at), CASE.stderr (none: empty) and CASE.exit (none: 0). With --accept the files are
written instead. What changes from machine to machine is replaced: the traces' directory by @TRACES@, the built
program's by @APP@.

From the environment: TEST_MTRACER, TEST_MAKE_TRACE, TEST_APP (tests/golden/app.s, built), TEST_GOLDEN (descriptions).
In a case: `mtracer`, and $TRACES, which holds NAME.mtrace for each description NAME.trace, and plain/NAME.mtrace, which
doesn't know the built program: its sizes are the same everywhere.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

CASE_SECONDS = 60
# Whoever started the tests may ignore them (nohup does), and a shell can't trap what it found ignored.
SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGUSR1, signal.SIGCHLD)


def as_from_a_terminal():
    for number in SIGNALS:
        signal.signal(number, signal.SIG_DFL)


def make_traces(to):
    without_app = {k: v for k, v in os.environ.items() if k != "TEST_APP"}
    for description in Path(os.environ["TEST_GOLDEN"]).rglob("*.trace"):
        name = description.stem + ".mtrace"
        make = [os.environ["TEST_MAKE_TRACE"], description]
        subprocess.run([*make, to / name], check=True)
        subprocess.run([*make, to / "plain" / name], check=True, env=without_app)


def normal(text, traces):
    return text.replace(str(traces), "@TRACES@").replace(os.environ["TEST_APP"], "@APP@")


def run_case(script, traces, directory):
    env = dict(os.environ, TRACES=str(traces), LC_ALL="C", TZ="UTC")
    env["PATH"] = f"{traces}/bin:{env['PATH']}"
    for name in ("NO_COLOR", "DEBUGINFOD_URLS"):
        env.pop(name, None)
    done = subprocess.run(["sh", str(script)], cwd=directory, env=env, stdin=subprocess.DEVNULL,
                          capture_output=True, timeout=CASE_SECONDS, preexec_fn=as_from_a_terminal)
    return {
        ".stdout": normal(done.stdout.decode(errors="backslashreplace"), traces),
        ".stderr": normal(done.stderr.decode(errors="backslashreplace"), traces),
        ".exit": f"{done.returncode}\n",
    }


def accept(script, got):
    for suffix, text in got.items():
        path = script.with_suffix(suffix)
        if text == {".exit": "0\n", ".stderr": "", ".stdout": None}[suffix]:
            path.unlink(missing_ok=True)
        else:
            path.write_text(text)


def expected(script, suffix, got):
    path = script.with_suffix(suffix)
    if path.exists():
        return path.read_text()
    return {".exit": "0\n", ".stderr": "", ".stdout": got}[suffix]


def show_difference(suffix, wanted, got):
    from difflib import unified_diff
    sys.stdout.writelines(line if line.endswith("\n") else line + "\n" for line in unified_diff(
        wanted.splitlines(True), got.splitlines(True), f"expected{suffix}", f"got{suffix}"))


def check(script, got):
    good = True
    for suffix, text in got.items():
        wanted = expected(script, suffix, text)
        if wanted != text:
            show_difference(suffix, wanted, text)
            good = False
    return good


def main():
    arguments = sys.argv[1:]
    accepting = "--accept" in arguments
    folders = [Path(a) for a in arguments if a != "--accept"]
    scripts = [s for f in folders for s in sorted(f.glob("*.sh"))]
    if not scripts:
        sys.exit("no cases")
    failed = 0
    with tempfile.TemporaryDirectory() as temporary:
        traces = Path(temporary) / "traces"
        (traces / "bin").mkdir(parents=True)
        (traces / "plain").mkdir()
        (traces / "bin" / "mtracer").symlink_to(os.environ["TEST_MTRACER"])
        make_traces(traces)
        for script in scripts:
            directory = Path(temporary) / "scratch"
            directory.mkdir()
            got = run_case(script.resolve(), traces, directory)
            if accepting:
                accept(script, got)
            good = accepting or check(script, got)
            print(f"{'ok' if good else 'FAILED'} {script.parent.name}/{script.stem}", flush=True)
            failed += not good
            shutil.rmtree(directory)
    sys.exit(f"{failed} of {len(scripts)} cases failed" if failed else 0)


main()
