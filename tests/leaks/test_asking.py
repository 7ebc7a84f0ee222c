"""Leaks of a running process, of a whole run in one step, and what is said where there is no verdict."""
import json
import os
import signal
import subprocess
import time
import unittest

from programs import BUILT
from tracing import MTRACER, environment, mtracer, run, scratch

LEAKS = BUILT / "asking"


def wait_for(path, text):
    for _ in range(1000):
        if path.exists() and text in path.read_text():
            return
        time.sleep(0.01)
    raise AssertionError(f"{path} has no {text!r}")


class Running(unittest.TestCase):
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

    def test_idle(self):
        with scratch() as directory:
            process = self.start(directory, "idle")
            result = mtracer("leaks", "--wait", "1", process.pid)
            self.assertEqual(result.status, 2, result)
            self.assertEqual(result.stderr.decode(), f"mtracer: process {process.pid}: made no allocation "
                             "within 1 s, and looks for leaks only then; --wait waits longer\n")

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
        self.assertIn(b"lost 1000 B in 10 blocks of 100 B", result.stderr)

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
        self.assertEqual(result.status, 128 + signal.SIGABRT, result)
        self.assertIn(b"no verdict", result.stderr)

    def test_mistakes(self):
        for code in "0", "256", "x":
            result = mtracer("run", "--leaks-exit-code", code, "--", "true")
            self.assertEqual(result.status, 2, result)
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


unittest.main(verbosity=2)
