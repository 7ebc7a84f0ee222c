# SPDX-License-Identifier: MIT
"""Leaks of a running process, of a whole run in one step, and what is said where there is no verdict."""
import json
import os
import signal
import subprocess
import sys
import unittest
from pathlib import Path

from programs import BUILT
from tracing import MTRACER, environment, mtracer, run, scratch, wait_until

LEAKS = BUILT / "asking"


def wait_for(path, text):
    wait_until(lambda: path.exists() and text in path.read_text(), f"{path} has {text!r}")


class Started(unittest.TestCase):
    def start(self, directory, *arguments, **variables):
        """The program, traced; it has said that it is ready."""
        said = directory / "said"
        with open(said, "wb") as out:
            process = subprocess.Popen([LEAKS, *arguments], stdout=out, cwd=directory,
                                       env=environment(True, MTRACE_OUT="%n.mtrace", **variables))
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        wait_for(said, "ready")
        return process


class Running(Started):
    def test_busy(self):
        with scratch() as directory:
            process = self.start(directory, "busy")
            for _ in range(2):  # asked again it looks again
                result = mtracer("leaks", "--json", process.pid)
                report = json.loads(result.stdout)
                self.assertEqual(result.status, 1, result)
                self.assertTrue(report["leaks"]["classified"])
                self.assertEqual(report["trace"]["state"], "running")
                rows = {row["function"]: row for row in report["rows"]}
                self.assertEqual(rows["lose"]["current_bytes"], 1000)
                self.assertEqual(rows["lose"]["current_blocks"], 10)
            self.assertIsNone(process.poll())
            process.send_signal(signal.SIGTERM)
            process.wait()
            # Killed afterwards: what was found while it ran still stands.
            result = mtracer("leaks", directory / "asking.mtrace")
            self.assertEqual(result.status, 1, result)
            self.assertIn(b"after the start", result.stdout)

    def test_a_pid_is_taken_for_its_trace(self):
        """By every command that reads one, as it is: nothing is asked of the process."""
        with scratch() as directory:
            process = self.start(directory, "idle")
            trace = directory / "asking.mtrace"
            for command in (["report", "--json"], ["info", "--json"], ["tree", "--json"], ["annotate", "--json"],
                            ["export", "--format", "folded"]):
                by_pid, by_path = (mtracer(*command, operand) for operand in (process.pid, trace))
                self.assertEqual(by_pid.status, 0, by_pid)
                if b"run_ns" not in by_pid.stdout:  # which goes on
                    self.assertEqual(by_pid.stdout, by_path.stdout)
            report = json.loads(mtracer("report", "--json", process.pid).stdout)
            self.assertEqual((report["trace"]["pid"], report["trace"]["state"]), (process.pid, "running"))
            self.assertEqual(mtracer("annotate", process.pid, "lose").status, 0)
            self.assertEqual(mtracer("diff", process.pid, trace).status, 0)
            (directory / str(process.pid)).mkdir()  # what has that name goes first
            result = run([MTRACER, "report", str(process.pid)], cwd=directory)
            self.assertEqual(result.status, 2)
            self.assertIn(b"no trace", result.stderr)
            process.kill()
            process.wait()
            result = mtracer("report", process.pid)
            self.assertEqual((result.status, result.stderr),
                             (2, f"mtracer: process {process.pid}: no such process\n".encode()))

    def test_no_process_for_the_search(self):
        with scratch() as directory:
            process = self.start(directory, "limited")
            result = mtracer("leaks", process.pid)
            self.assertEqual(result.status, 0, result)
            self.assertIn(b"RLIMIT_NPROC", result.stdout)
            self.assertNotIn(b"no leaks", result.stdout)
            self.assertEqual(mtracer("leaks", "--strict", process.pid).status, 2)

    def test_idle(self):
        with scratch() as directory:
            process = self.start(directory, "idle")
            result = mtracer("leaks", "--wait", "1", process.pid)
            self.assertEqual(result.status, 2, result)
            self.assertEqual(result.stderr.decode(), f"mtracer: process {process.pid}: no allocation "
                             "within 1 s, which is when it checks for leaks; increase --wait\n")

    def test_deleted(self):
        with scratch() as directory:
            process = self.start(directory, "idle")
            (directory / "asking.mtrace").unlink()
            result = mtracer("leaks", process.pid)
            self.assertEqual(result.status, 2, result)
            self.assertIn(b"was deleted", result.stderr)

    def test_untraced(self):
        process = subprocess.Popen(["sleep", "60"])
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        result = mtracer("leaks", process.pid)
        self.assertEqual(result.status, 2, result)
        self.assertEqual(result.stderr.count(b"\n"), 1)
        self.assertIn(b"not traced", result.stderr)

    @unittest.skipUnless(os.geteuid() == 0, "only root can become somebody else")
    def test_forbidden(self):
        process = subprocess.Popen(["sleep", "60"])
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        done = subprocess.run([MTRACER, "leaks", str(process.pid)], user=65534, group=65534,
                              capture_output=True, check=False, env=environment(False))
        self.assertEqual(done.returncode, 2)
        self.assertEqual(done.stderr.count(b"\n"), 1)
        self.assertIn(b"fs.suid_dumpable", done.stderr)


class Control(Started):
    """start, stop, mark and reset-peak, by pid and by path."""

    def ask(self, *arguments, status=0):
        result = mtracer(*arguments)
        self.assertEqual(result.status, status, result)
        return (result.stderr if status else result.stdout).decode()

    def totals(self, process):
        return json.loads(mtracer("report", "--json", process.pid).stdout)["totals"]

    def allocations(self, process):
        return self.totals(process)["allocations"]

    def marks(self, process):
        return [mark["label"] for mark in json.loads(mtracer("timeline", "--json", process.pid).stdout)["marks"]]

    def test_start_and_stop(self):
        with scratch() as directory:
            process = self.start(directory, "busy", MTRACE_START="0")
            trace = directory / "asking.mtrace"
            self.assertEqual(self.allocations(process), 0)
            self.assertIn("records from its next allocation on", self.ask("start", process.pid))
            wait_until(lambda: self.allocations(process) > 10, "it records")
            self.assertIn("already recording", self.ask("start", trace))
            self.assertIn("records no new", self.ask("stop", trace))
            self.ask("mark", process.pid, "stopped")  # taken by an event, which isn't recorded any more
            count = self.allocations(process)
            self.ask("mark", process.pid, "later")
            self.assertEqual(self.allocations(process), count)
            self.assertIn("was not recording", self.ask("stop", process.pid))
            self.assertEqual(self.marks(process), ["stopped", "later"])

    def snapshots(self, process):
        return [one["label"] for one in json.loads(mtracer("info", "--json", process.pid).stdout)["snapshots"]]

    def test_snapshots(self):
        """From outside, and what grew between two of them, by number or path."""
        with scratch() as directory:
            process = self.start(directory, "busy")
            trace = directory / "asking.mtrace"
            self.assertEqual(self.ask("snapshot", process.pid, "before"), f"process {process.pid}: snapshot kept\n")
            wait_until(lambda: self.allocations(process) > 1000, "it goes on")
            self.ask("snapshot", trace, "the one after")
            self.assertEqual(self.snapshots(process), ["before", "the one after"])
            result = json.loads(mtracer("diff", "--json", f"{process.pid}@before", f"{trace}@the one after").stdout)
            self.assertGreater(result["totals"]["delta_allocations"], 0)
            self.assertEqual(result["totals"]["delta_allocations"], sum(r["delta_allocations"] for r in result["rows"]))
            self.assertEqual(self.ask("snapshot", trace, "before", status=2),
                             f"mtracer: process {process.pid}: has a snapshot 'before' already\n")
            for label in "peak", "end", "", "x" * 128:
                self.assertEqual(self.ask("snapshot", trace, label, status=2).count("\n"), 1)
            self.assertEqual(self.snapshots(process), ["before", "the one after"])
            process.kill()
            process.wait()
            self.assertEqual(mtracer("report", f"{trace}@before").status, 0)

    def test_no_room(self):
        """Said where it is, and nothing that is there is dropped."""
        with scratch() as directory:
            process = self.start(directory, "busy", MTRACE_SNAPSHOTS="1", MTRACE_TIMELINE="16")
            self.ask("snapshot", process.pid, "a")
            self.assertEqual(self.ask("snapshot", process.pid, "b", status=2),
                             f"mtracer: process {process.pid}: has no room for more than 1 snapshot "
                             "(MTRACE_SNAPSHOTS, or the disk)\n")
            self.assertEqual(self.snapshots(process), ["a"])
            for i in range(8):
                self.ask("mark", process.pid, f"{i}")
            self.assertEqual(self.ask("mark", process.pid, "8", status=2),
                             f"mtracer: process {process.pid}: has no room for more marks (MTRACE_TIMELINE)\n")
            self.assertEqual(self.marks(process), [f"{i}" for i in range(8)])

    def test_no_points(self):
        with scratch() as directory:
            for variables in {"MTRACE_TIMELINE": "0"}, {"MTRACE_SAMPLE": "1KiB"}:
                process = self.start(directory, "busy", **variables)
                self.assertIn("keeps no points of its curve, so no marks",
                              self.ask("mark", process.pid, "none", status=2))
                self.ask("snapshot", process.pid, "kept")  # needs none
                self.assertEqual(self.snapshots(process), ["kept"])

    def test_snapshots_of_many(self):
        with scratch() as directory:
            process = self.start(directory, "busy")
            asking = [subprocess.Popen([MTRACER, "snapshot", "-q", "--wait", "60", str(process.pid), f"{i % 8}"],
                                       stderr=subprocess.DEVNULL) for i in range(10)]
            self.assertEqual(sorted(one.wait() for one in asking), [0] * 8 + [2] * 2)  # a label can be taken once
            self.assertEqual(sorted(self.snapshots(process)), [f"{i}" for i in range(8)])

    def test_marks_of_many(self):
        """Requests at once wait for each other; none is lost."""
        with scratch() as directory:
            process = self.start(directory, "busy")
            asking = [subprocess.Popen([MTRACER, "mark", "-q", "--wait", "60", str(process.pid), f"{i}"])
                      for i in range(10)]
            self.assertEqual([one.wait() for one in asking], [0] * 10)
            self.assertEqual(sorted(self.marks(process)), [f"{i}" for i in range(10)])

    def test_reset_peak(self):
        with scratch() as directory:
            process = self.start(directory, "peaked")
            self.assertGreater(self.totals(process)["peak_bytes"], 100000)
            self.assertIn("peaks reset to what it holds now", self.ask("reset-peak", process.pid))
            self.assertIn(self.totals(process)["peak_bytes"], range(1000, 10000))
            notes = json.loads(mtracer("info", "--json", process.pid).stdout)["trace"]["notes"]
            self.assertIn("reset_peak", {note["key"] for note in notes})

    def test_nobody_answers(self):
        with scratch() as directory:
            process = self.start(directory, "idle")
            self.assertEqual(self.ask("mark", "--wait", "1", process.pid, "late", status=2),
                             f"mtracer: process {process.pid}: no allocation within 1 s, which is when it makes "
                             "the mark; increase --wait\n")
            self.assertIn("records no new", self.ask("stop", process.pid))
            self.assertIn("empty", self.ask("mark", process.pid, "", status=2))
            self.assertIn("has 128 bytes", self.ask("mark", process.pid, "x" * 128, status=2))
            self.assertIn("No such file", self.ask("stop", directory / "none", status=2))
            # Neither root can write to a program that runs.
            for file in "/bin/true", os.path.realpath(sys.executable):
                self.assertIn("not a trace", self.ask("stop", file, status=2))
            process.kill()
            process.wait()
            self.assertIn("has ended", self.ask("stop", directory / "asking.mtrace", status=2))
            self.assertIn("no such process", self.ask("stop", process.pid, status=2))


class OneStep(unittest.TestCase):
    def leaks_run(self, *arguments):
        return mtracer("run", "-q", "--leaks-exit-code", "42", "-o", "%n.%p.mtrace", *arguments)

    def setUp(self):
        self.directory = scratch()
        os.chdir(self.directory.__enter__())
        self.addCleanup(self.directory.__exit__, None, None, None)
        self.addCleanup(os.chdir, "/")

    def test_leaks(self):
        result = self.leaks_run("--", LEAKS, "exit", "3")
        self.assertEqual(result.status, 42, result)
        self.assertEqual(result.stdout, b"ready\n")
        self.assertIn(b"lost 1000 B in 10 blocks of 100 B on average", result.stderr)

    def test_no_leaks(self):
        result = self.leaks_run("--", LEAKS, "clean", "3")
        self.assertEqual((result.status, result.stderr), (3, b""))

    def test_suppressed(self):
        with open("keep.supp", "w") as f:
            f.write("leak:lose\n")
        result = self.leaks_run("--suppressions", "keep.supp", "--", LEAKS, "exit", "3")
        self.assertEqual((result.status, result.stderr), (3, b""))

    def test_started_by_a_script(self):
        result = self.leaks_run("--", "sh", "-c", f"{LEAKS} exit 0; exit 5")
        self.assertEqual(result.status, 42, result)

    def test_killed(self):
        result = self.leaks_run("--", LEAKS, "abort")
        self.no_verdict(result, 2, b"signal 6 (Aborted)")

    def no_verdict(self, result, status, why):
        self.assertEqual(result.status, status, result)
        lines = [line for line in result.stderr.splitlines() if b"no verdict on leaks: " in line]
        self.assertEqual(len(lines), 1, result)
        self.assertIn(why, lines[0])

    def test_no_verdict(self):
        """Never fine by silence; and whether the program itself failed makes no difference."""
        for status in "0", "3":
            self.no_verdict(self.leaks_run("--", LEAKS, "leave", status), 2, b"_exit()")
            self.no_verdict(self.leaks_run("--no-start", "--", LEAKS, "clean", status), 2, b"mtrace_start()")
            self.no_verdict(self.leaks_run("--sample", "1KiB", "--", LEAKS, "exit", status), 2, b"sampled")
            self.no_verdict(self.leaks_run("-o", "/nonexistent/x", "--", LEAKS, "exit", status), 2, b"there is no trace")
            self.no_verdict(self.leaks_run("--no-verdict-exit-code", "7", "--", LEAKS, "leave", status), 7, b"_exit()")
            self.no_verdict(self.leaks_run("--no-verdict-exit-code", "0", "--", LEAKS, "leave", status), int(status),
                            b"_exit()")

    def test_ways_out(self):
        """Those that run no destructors look, too; but not on a handler's own stack, and not for a forked child."""
        for how in "_exit", "quick_exit":
            result = self.leaks_run("--", LEAKS, how, "3")
            self.assertEqual(result.status, 42, result)
            self.assertIn(b"lost 1000 B in 10 blocks of 100 B on average", result.stderr)
        self.no_verdict(self.leaks_run("--", LEAKS, "handler", "3"), 2, b"_exit()")
        result = self.leaks_run("--", LEAKS, "forked", "3")
        self.assertEqual((result.status, result.stderr), (3, b""))
        said = [mtracer("leaks", trace).stdout for trace in Path(".").glob("*.mtrace")]
        self.assertEqual(len([text for text in said if b"no verdict: a forked child that ends with _exit()" in text]), 1, said)

    def test_untraceable(self):
        Path("p.c").write_text("int main(void) { return 0; }\n")
        subprocess.run(["gcc", "-static", "-o", "static", "p.c"], check=True)
        subprocess.run(["gcc", "-fsanitize=address", "-o", "sanitized", "p.c"], check=True)
        self.no_verdict(self.leaks_run("--", "./static"), 2, b"there is no trace")
        self.no_verdict(self.leaks_run("--", "./sanitized"), 2, b"it ran untraced")

    def test_own_malloc(self):
        Path("p.c").write_text("""#include <stddef.h>
static char memory[100000]; static size_t used;
void *malloc(size_t n) { used += (n + 15) / 16 * 16; return memory + used - (n + 15) / 16 * 16; }
void *calloc(size_t n, size_t s) { return malloc(n * s); }
void *realloc(void *p, size_t n) { (void)p; return malloc(n); }
void free(void *p) { (void)p; }
int main(void) { return malloc(100) == NULL; }
""")
        subprocess.run(["gcc", "-fno-builtin", "-rdynamic", "-o", "own", "p.c"], check=True)
        self.no_verdict(self.leaks_run("--", "./own"), 2, b"malloc bypasses the library")

    def test_tree(self):
        """Programs count; those that went on as others don't."""
        clean, leave = f"{LEAKS} clean 0", f"{LEAKS} leave 0"
        self.assertEqual(self.leaks_run("--", "bash", "-c", f"(exit 0); {clean}; exec {clean}").status, 0)
        self.no_verdict(self.leaks_run("--", "bash", "-c", f"{leave}; exit 0"), 2, b"asking")
        result = self.leaks_run("--", "bash", "-c", f"{leave}; {LEAKS} exit 0; exit 0")
        self.assertEqual(result.status, 42, result)
        self.assertIn(b"no verdict", result.stderr)

    def test_mistakes(self):
        for code in "0", "256", "x":
            result = mtracer("run", "--leaks-exit-code", code, "--", "true")
            self.assertEqual(result.status, 2, result)
        for arguments in ["--no-verdict-exit-code", "3"], ["--leaks-exit-code", "1", "--no-verdict-exit-code", "256"]:
            result = mtracer("run", *arguments, "--", "true")
            self.assertEqual((result.status, result.stderr.count(b"\n")), (2, 1), result)
        for arguments in (["--leaks-exit-code", "1", "--no-reachable"], ["--suppressions", "x"],
                          ["--leaks-exit-code", "1", "--suppressions", "nothing.supp"]):
            result = mtracer("run", *arguments, "--", "true")
            self.assertEqual((result.status, result.stderr.count(b"\n")), (2, 1), result)


class NoVerdict(unittest.TestCase):
    def test_turned_off(self):
        with scratch() as directory:
            run([LEAKS, "exit", "0"], MTRACE_OUT=str(directory / "t"), MTRACE_REACHABLE="0")
            result = mtracer("leaks", directory / "t")
            self.assertEqual(result.status, 0, result)
            self.assertIn(b"unclassified", result.stdout)
            self.assertEqual(mtracer("leaks", "--strict", directory / "t").status, 2)

    def test_nothing_recorded(self):
        with scratch() as directory:
            run([LEAKS, "exit", "0"], MTRACE_OUT=str(directory / "t"), MTRACE_START="0")
            result = mtracer("leaks", directory / "t")
            self.assertNotIn(b"no leaks", result.stdout)
            self.assertIn(b"never called mtrace_start()", result.stdout)
            self.assertEqual(mtracer("leaks", "--strict", directory / "t").status, 2)

    def test_some_did_not_look(self):
        with scratch() as directory:
            for name, how in ("a", "clean"), ("b", "leave"):
                run([LEAKS, how, "0"], MTRACE_OUT=str(directory / f"{name}.mtrace"))
            result = mtracer("leaks", directory)
            self.assertNotIn(b"no leaks", result.stdout)
            self.assertIn(b"no verdict on all", result.stdout)


unittest.main(verbosity=2)
