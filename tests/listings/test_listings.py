"""test_listings.py - annotated sources, against listings whose every figure was counted by hand.

usage: test_listings.py [--accept] PROGRAM LISTING [ARGUMENT]...

Runs PROGRAM traced and compares `mtracer annotate --all ARGUMENT...` with LISTING, but for the headline. Shares are left
out where the language's run-time library allocates too: how much is its own affair; so are the names that
Rust's manglings give to a generic function.
"""

import difflib
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path


def listing(program, arguments, shares):
    env = dict(os.environ, LC_ALL="C", COLUMNS="200")
    with tempfile.TemporaryDirectory() as directory:
        trace = Path(directory) / "run.mtrace"
        run = [os.environ["TEST_MTRACER"], "run", "--quiet", "--out", trace, "--", program]
        subprocess.run(run, check=True, env=env, timeout=60)
        annotate = [os.environ["TEST_MTRACER"], "annotate", "--all", trace, *arguments]
        done = subprocess.run(annotate, env=env, timeout=60, stdout=subprocess.PIPE, check=True)
    text = done.stdout.decode().split("\n\n", 1)[1]
    text = re.sub(r"^<?leaves::Tree<.*>::grow( and 1 more with the same source)?", "grow", text, flags=re.M)
    return text if shares else re.sub(r"[0-9.]+ %", "N %", text)


def main():
    arguments = sys.argv[1:]
    accepting = arguments[0] == "--accept"
    program, expected, *arguments = arguments[accepting:]
    got = listing(program, arguments, shares=expected.endswith(".c.listing"))
    if accepting:
        Path(expected).write_text(got)
        return
    wanted = Path(expected).read_text()
    if wanted != got:
        sys.stdout.writelines(difflib.unified_diff(
            wanted.splitlines(True), got.splitlines(True), "expected", "got"))
        sys.exit(1)


main()
