"""annotated - the test of one annotated program.

usage: annotated.py PROGRAM SOURCE...

The program must behave the same with and without the library, and its trace must say what its sources say.
"""
import os
import sys

import annotations
from tracing import only_trace, run, same_behaviour, scratch


def main(program, *sources):
    program = os.path.abspath(program)
    with scratch() as directory:
        native = run([program], traced=False, cwd=directory)
        traced = run([program], cwd=directory, **annotations.variables(sources[0]))
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
