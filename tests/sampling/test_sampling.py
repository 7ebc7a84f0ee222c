# SPDX-License-Identifier: MIT
"""test_sampling - estimates from samples against what a full trace of the same program says, over many seeds."""
import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

PROGRAM = os.environ["TEST_SAMPLED"]
LIBRARY = os.environ["TEST_LIBRARY"]
MTRACER = os.environ["TEST_MTRACER"]
SEEDS = 100 if os.environ.get("TEST_LONG") else 25
MEAN = "16KiB"
MEASURES = ("current_bytes", "current_blocks", "allocated_bytes", "allocations", "temporary")
# Of intervals that should hold 95 of 100 times, so many do, or one test in 1000 fails. Which samples threads take depends
# on their order, and rows have fewer samples than the whole.
LEAST, LEAST_OF_ROWS = {100: (88, 84), 25: (19, 18)}[SEEDS]


def trace(path, sample):
    subprocess.run([PROGRAM], check=True, env=dict(
        os.environ, LD_PRELOAD=LIBRARY, MTRACE_OUT=str(path), MTRACE_SAMPLE=sample))


def read(*arguments):
    done = subprocess.run([MTRACER, *map(str, arguments)], capture_output=True, text=True, check=False)
    return done


def report(path, *options):
    done = read("report", "--json", *options, path)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def by_function(whole):
    return {row["function"]: row for row in whole["rows"]}


class Sampling(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory()
        cls.path = Path(cls.directory.name)
        cls.full = cls.path / "full.mtrace"
        trace(cls.full, "0")
        cls.samples = [cls.path / f"{seed}.mtrace" for seed in range(1, SEEDS + 1)]
        for seed, path in enumerate(cls.samples, 1):
            trace(path, f"{MEAN},{seed}")
        options = ("--by", "function", "--cumulative")
        cls.exact = report(cls.full, *options)
        cls.estimates = [report(path, *options) for path in cls.samples]

    @classmethod
    def tearDownClass(cls):
        cls.directory.cleanup()

    def check(self, name, exact, estimates, key, least=LEAST):
        """Both the truth and the errors are right: intervals hold as often as they say, and there is no bias."""
        inside = sum(abs(e[key] - exact[key]) <= 1.96 * e[key + "_error"] for e in estimates)
        self.assertGreaterEqual(inside, least, f"{name} {key}: only {inside} of {len(estimates)} hold {exact[key]}")
        error = sum(e[key + "_error"] for e in estimates) / len(estimates)
        mean = sum(e[key] for e in estimates) / len(estimates)
        self.assertLess(abs(mean - exact[key]), 4 * error / len(estimates) ** 0.5, f"{name} {key}: biased")
        self.assertGreater(error, 0)

    def test_totals(self):
        for key in MEASURES:
            self.check("total", self.exact["totals"], [e["totals"] for e in self.estimates], key)

    def test_rows(self):
        """Of functions that have hundreds of samples; `work` is of several threads, `grow` of realloc."""
        exact = by_function(self.exact)
        rows = [by_function(e) for e in self.estimates]
        for function, keys in {"keep": ("current_bytes", "allocated_bytes", "allocations"), "work": MEASURES[:4],
                               "grow": ("allocated_bytes",), "pass": MEASURES[2:]}.items():
            for key in keys:
                self.check(function, exact[function], [r[function] for r in rows], key, LEAST_OF_ROWS)

    def test_peak(self):
        """The peak is the highest estimate: no less than the estimate at the true peak, and not far off."""
        exact = self.exact["totals"]["peak_bytes"]
        peaks = [e["totals"] for e in self.estimates]
        inside = sum(abs(p["peak_bytes"] - exact) <= 1.96 * p["peak_bytes_error"] for p in peaks)
        self.assertGreaterEqual(inside, LEAST)
        for e in self.estimates:
            rows = e["rows"]
            self.assertFalse(any(row["peak_is_exact"] for row in rows))

    def test_the_error_is_no_guess(self):
        """Half of all are within two thirds of the standard error, and not nearly all."""
        exact = self.exact["totals"]["allocated_bytes"]
        near = sum(abs(e["totals"]["allocated_bytes"] - exact) <= 0.674 * e["totals"]["allocated_bytes_error"]
                   for e in self.estimates)
        self.assertLess(abs(near - SEEDS / 2), 4 * (SEEDS / 4) ** 0.5)

    def test_a_seed_gives_the_same_samples(self):
        again, other = self.path / "again", self.path / "other"
        trace(again, f"{MEAN},1")
        trace(other, f"{MEAN},2")
        keep = [by_function(report(p, "--by", "function", "--cumulative"))["keep"]["allocated_bytes"]
                for p in (self.samples[0], again, other)]
        self.assertEqual(keep[0], keep[1])
        self.assertNotEqual(keep[0], keep[2])

    def test_differences_within_the_error_are_no_changes(self):
        """Of 370 equal measures one may differ by more than three standard errors."""
        changed = rows = 0
        for old, new in zip(self.samples, self.samples[1:]):
            done = json.loads(read("diff", "--json", "--by", "function", old, new).stdout)
            changed += sum(value["old"] != value["new"] and abs(value["new"] - value["old"]) > value["spread"]
                           for value in self.totals_of(done))
            rows += len(done["rows"])
        self.assertLessEqual(changed, SEEDS * 7 * 0.03)
        self.assertLessEqual(rows, SEEDS * 0.5)
        full = json.loads(read("diff", "--json", "--by", "function", self.full, self.samples[0]).stdout)
        self.assertLessEqual(len(full["rows"]), 1)

    @staticmethod
    def totals_of(diff):
        totals = diff["totals"]
        for key in MEASURES:
            yield {"old": totals["old_" + key], "new": totals["new_" + key], "spread": totals["spread_" + key]}

    def test_leaks_have_no_verdict(self):
        done = read("leaks", "--strict", self.samples[0])
        self.assertEqual(done.returncode, 2)
        self.assertIn("sampled", done.stderr)
        self.assertEqual(read("leaks", self.samples[0]).returncode, 0)

    def test_sums(self):
        """Estimates of several processes add up, and so do their variances; threads' add up to the program's."""
        some = self.path / "some"
        some.mkdir()
        for path in self.samples[:4]:
            (some / path.name).hardlink_to(path)
        total = report(some)["totals"]
        parts = [e["totals"] for e in self.estimates[:4]]
        for key in MEASURES:
            self.assertAlmostEqual(total[key], sum(p[key] for p in parts), delta=40)
            self.assertAlmostEqual(total[key + "_error"], sum(p[key + "_error"] ** 2 for p in parts) ** 0.5,
                                   delta=2 + total[key + "_error"] * 1e-3)
        packed = self.path / "packed"
        self.assertEqual(read("pack", "-q", "-o", packed, self.samples[0]).returncode, 0)
        self.assertEqual(report(packed)["totals"], self.estimates[0]["totals"])

    def test_threads(self):
        threads = report(self.samples[0], "--by", "thread")
        for key in ("allocated_bytes", "allocations", "temporary"):
            rows = threads["rows"]
            self.assertAlmostEqual(sum(r[key] for r in rows), threads["totals"][key], delta=40)
            self.assertAlmostEqual(sum(r[key + "_error"] ** 2 for r in rows) ** 0.5, threads["totals"][key + "_error"],
                                   delta=2 + threads["totals"][key + "_error"] * 1e-2)
        self.assertIsNone(threads["rows"][0]["current_bytes_error"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
