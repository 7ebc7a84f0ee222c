# SPDX-License-Identifier: MIT
"""annotated - the test of one annotated program.

usage: annotated.py PROGRAM SOURCE...

TEST_COMPANION is an object to be preloaded behind the library. The program must behave the same with and without the library, and its trace must say what its sources say.
"""
import os
import sys

import annotations
from tracing import LIBRARY, only_trace, run, same_behaviour, scratch

COMPANION = os.environ.get("TEST_COMPANION", "")


def main(program, *sources):
    program = os.path.abspath(program)
    with scratch() as directory:
        native = run([program], traced=False, cwd=directory)
        variables = annotations.variables(sources[0])
        if COMPANION:
            variables["LD_PRELOAD"] = f"{LIBRARY}:{COMPANION}"
        traced = run([program], cwd=directory, **variables)
        same_behaviour(native, traced)
        if native.status != 0:
            print(f"the program itself failed: {native}")
            return 1
        trace = only_trace(directory)
        wrong = [text for source in sources for text in annotations.compare(trace, source)]
    print("\n".join(wrong) or "all as annotated")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
