# SPDX-License-Identifier: MIT
"""All at once (stress.cc): no hang, no crash, and every total as the programs' own ledgers have it.

The long test goes on for ten minutes, in rounds with other seeds; STRESS_SEED=N begins with another one.
"""
import os
import struct
import time
import unittest

from programs import SOURCES, Program
from tracing import LONG, run, scratch, traces

PROGRAM = Program("stress", ".cc")
SECONDS = 600 if LONG else 8
ROUND = 12 if LONG else 4  # seconds
SEED = int(os.environ.get("STRESS_SEED", "1"))
FIELDS = ("allocations", "allocated_bytes", "frees", "current_bytes")
OTHERS = ("handler", "plugin_a", "plugin_b", "children", "killed")
PLUGINS = {"plugin_a": "plugin_storm_a.c", "plugin_b": "plugin_storm_b.c"}


def read(path):
    """([(begun, ended) of each thread], the other counts)"""
    numbers = struct.unpack("69Q", path.read_bytes())
    threads = [tuple(dict(zip(FIELDS, numbers[at + side:])) for side in (0, 4))
               for at in range(0, 64, 8)]
    return threads, dict(zip(OTHERS, numbers[64:]))


def bounds(threads):
    """For each measure (least, most), by whether calls under way count already."""
    result = {}
    for key in ("allocations", "allocated_bytes", "current_bytes", "current_blocks"):
        pairs = [tuple(side["allocations"] - side["frees"] if key == "current_blocks" else side[key]
                       for side in thread) for thread in threads]
        result[key] = sum(min(pair) for pair in pairs), sum(max(pair) for pair in pairs)
    return result


class Stress(unittest.TestCase):
    def check_bounds(self, row, threads):
        for key, (least, most) in bounds(threads).items():
            self.assertGreaterEqual(row[key], least, key)
            self.assertLessEqual(row[key], most, key)

    def check_parent(self, trace, threads, others):
        row = PROGRAM.row(trace, "malloc")
        self.check_bounds(row, threads)
        self.assertEqual((row["current_bytes"], row["current_blocks"]), (0, 0))
        self.assertEqual(PROGRAM.row(trace, "handler")["allocations"], others["handler"])
        for key, source in PLUGINS.items():
            [line] = [number for number, text in
                      enumerate((SOURCES / "../shim" / source).read_text().splitlines(), 1)
                      if "count 1600" in text]
            self.assertEqual(trace.lines(source)[line]["allocations"], others[key], source)

    def one_round(self, seed):
        """Returns what was done, by name."""
        with scratch() as directory:
            script = 'echo $$ >pid && exec "$@"'
            result = run(["sh", "-c", script, "sh", PROGRAM.path, seed, ROUND * 1000, directory], cwd=directory,
                         timeout=ROUND + 120)
            self.assertEqual((result.status, result.stdout, result.stderr), (0, b"done\n", b""))
            threads, others = read(directory / "ledger")
            found = {int(trace.path.name.split(".")[1]): trace for trace in traces(directory, "stress")}
            parent = found[int((directory / "pid").read_text())]
            self.check_parent(parent, threads, others)
            self.assertEqual(parent.state(), "exited")
            self.assertIs(parent.report()["trace"]["complete"], True, parent.report()["trace"])
            checked = 0
            for path in directory.glob("ledger.*"):
                trace = found.get(int(path.name.split(".")[1]))
                if trace is None or path.stat().st_size == 0:
                    continue  # killed before its first event
                report = trace.report()
                self.assertEqual(report["trace"]["state"], "died")
                self.assertIs(report["trace"]["complete"], True, report["trace"])
                self.check_bounds(PROGRAM.row(trace, "child"), read(path)[0])
                checked += 1
            others["allocations"] = sum(ended["allocations"] for _, ended in threads)
            others["checked"] = checked
            return others

    def test_stress(self):
        totals, end, seed = {}, time.monotonic() + SECONDS, SEED
        while time.monotonic() < end:
            with self.subTest(seed=seed):
                for key, value in self.one_round(seed).items():
                    totals[key] = totals.get(key, 0) + value
            seed += 1
        print(f"{seed - SEED} rounds: {totals}")
        self.assertGreater(totals["checked"], 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
