# SPDX-License-Identifier: MIT
"""Whatever the system refuses the library, the program never notices.

A copy of the library (faults.c) lets its first call of the system fail, then its second, and so on, until a run has no
more of them; and once more so that all calls from the Nth on fail.
"""
import os
import unittest
from pathlib import Path

from programs import BUILT
from tracing import LONG, mtracer, run, scratch

LIBRARY = os.environ["TEST_FAULTS"]
FIRST = 500  # calls: the start, the growth, the exit; what comes later is mostly the leak scan's reading
SAMPLES = (FIRST, 100) if LONG else (8, 3)  # runs of a program and a mode at the most, in both parts

PYTHON = """if 1:
    import json, threading
    def work(): json.loads(json.dumps(list(range(1000))))
    threads = [threading.Thread(target=work) for _ in range(3)]
    for t in threads: t.start()
    for t in threads: t.join()
    print("done")
"""
PROGRAMS = {
    "growing": [BUILT / "growing", "9"],
    "snapshots": [BUILT / "snapshots", "threads"],
    "closing": [BUILT / "growing", "9", "closefrom"],
    "forking": [BUILT / "processes", "fork"],
    "executing": [BUILT / "processes", "exec"],
    "spawning": [BUILT / "processes", "spawn"],
    "generations": [BUILT / "processes", "generations"],
    "threads": [BUILT / "threads"],
    "exceptions": [BUILT / "exceptions"],
    "shell": ["/bin/sh", "-c", "(echo one; echo two) | sort -r | cat"],
    "python": ["/usr/bin/python3", "-c", PYTHON],
}


def spread(after, last, count):
    """`count` numbers behind `after`, up to `last` and evenly spread, or all if there are less."""
    return {after + 1 + i * (last - after) // count for i in range(count)} if last > after else set()


class Faults(unittest.TestCase):
    def start(self, directory, command, at, mode):
        variables = {"FAULT_AT": str(at), "FAULT_LOG": str(directory / "log"), "MTRACE_OUT": "t.mtrace",
                     "XDG_STATE_HOME": str(directory / "state"), "TMPDIR": str(directory)}
        if mode == "all":
            variables["FAULT_ALL"] = "1"
        return run(command, traced=False, cwd=directory, timeout=60, LD_PRELOAD=LIBRARY, **variables)

    def check_traces(self, directory):
        for path in Path(directory).rglob("t.mtrace*"):
            for command in (["report", path, "--json"], ["leaks", path]):
                result = mtracer(*command)
                self.assertIn(result.status, (0, 1, 2), (path, result))
                if result.status == 2:
                    self.assertRegex(result.stderr.decode(), r"\Amtracer: [^\n]+\n\Z")

    def try_one(self, command, native, at, mode):
        """Returns the names of the calls that failed."""
        with scratch() as directory:
            result = self.start(directory, command, at, mode)
            log = directory / "log"
            hit = log.read_text().split("\n")[:-1] if log.exists() else []
            said = [line for line in result.stderr.decode().splitlines(True)
                    if not line.startswith("libmtrace: ")]
            self.assertEqual((result.status, result.stdout, "".join(said).encode()),
                             (native.status, native.stdout, native.stderr), (at, mode, hit[:3]))
            self.check_traces(directory)
            return hit

    def calls(self, command):
        """How many there are to fail, in the process and its children."""
        with scratch() as directory:
            self.start(directory, command, 0, "one")
            return max(int(line.split()[1]) for line in (directory / "log").read_text().splitlines())

    def check(self, name):
        command = PROGRAMS[name]
        native = run(command, traced=False)
        calls = self.calls(command)
        self.assertGreater(calls, 50)
        for mode in ("one", "all"):
            numbers = sorted(spread(0, min(calls, FIRST), SAMPLES[0]) | spread(FIRST, calls, SAMPLES[1]))
            failed = 0
            for at in numbers:
                with self.subTest(name=name, mode=mode, at=at):
                    failed += bool(self.try_one(command, native, at, mode))
            self.assertGreater(failed, len(numbers) // 2)
        print(f"{name}: {calls} calls")


for program in PROGRAMS:
    setattr(Faults, "test_" + program, lambda self, name=program: self.check(name))


if __name__ == "__main__":
    unittest.main(verbosity=2)
