# SPDX-License-Identifier: MIT
"""The MTRACE_* variables: where traces go, and that a bad value costs one line and the trace, nothing else."""
import json
import os
import re
import socket
import unittest

from programs import Program
from tracing import MTRACER, Trace, mtracer, run, scratch, traces

PROGRAM = Program("growing")
COMMAND = [PROGRAM.path, "6"]
OUTPUT = b"allocations 64, next descriptor 3\n"

BAD_VALUES = [
    ("MTRACE_DEPTH", "0"), ("MTRACE_DEPTH", "1025"), ("MTRACE_DEPTH", "-1"),
    ("MTRACE_DEPTH", "12x"), ("MTRACE_DEPTH", "99999999999999999999"),
    ("MTRACE_START", "2"), ("MTRACE_START", "yes"), ("MTRACE_FOLLOW", "no"),
    ("MTRACE_MMAP", "2"), ("MTRACE_SLACK", "yes"), ("MTRACE_REACHABLE", "x"), ("MTRACE_VERBOSE", "loud"),
    ("MTRACE_SAMPLE", "-5"), ("MTRACE_TIMELINE", "many"),
    ("MTRACE_OUT", "%q.mtrace"), ("MTRACE_OUT", "trace%"), ("MTRACE_DEPHT", "12"),
]
BAD_PATHS = ["/nowhere/at/all/t", ".", "/dev/null", "/", "x" * 5000, "x" * 300 + "/t"]


class Environment(unittest.TestCase):
    def setUp(self):
        context = scratch()
        self.directory = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)

    def start(self, **variables):
        result = run(COMMAND, cwd=self.directory, **variables)
        self.assertEqual((result.status, result.stdout), (0, OUTPUT))
        return result.stderr.decode()

    def files(self):
        return sorted(path.name for path in self.directory.iterdir())

    def assert_refused(self, message, *words):
        """The message is one line that names the words."""
        self.assertRegex(message, r"\A[^\n]+\n\Z")
        for word in words:
            self.assertIn(word, message)

    def assert_traced(self, name):
        row = PROGRAM.row(Trace(self.directory / name), "leaf")
        self.assertEqual(row["allocations"], 64)

    def test_bad_values(self):
        for name, value in BAD_VALUES:
            with self.subTest(name=name, value=value[:40]):
                self.assert_refused(self.start(**{name: value}), name)
                self.assertEqual(self.files(), [])

    def test_bad_paths(self):
        for path in BAD_PATHS:
            with self.subTest(path=path[:40]):
                self.assert_refused(self.start(MTRACE_OUT=path), path[:20])
                self.assertEqual(self.files(), [])

    def test_path(self):
        host = socket.gethostname()
        self.assertEqual(self.start(MTRACE_OUT="t-%n-%h-%%-%p"), "")
        [name] = self.files()
        self.assertRegex(name, f"^t-growing-{re.escape(host)}-%-[0-9]+$")
        self.assert_traced(name)
        self.assertEqual(os.stat(self.directory / name).st_mode & 0o777, 0o600)

    def test_umask(self):
        """It doesn't say what the owner of a trace may do."""
        for umask in (0o777, 0o400, 0):
            with self.subTest(umask=oct(umask)):
                before = os.umask(umask)
                try:
                    self.start(MTRACE_OUT="t.mtrace")
                finally:
                    os.umask(before)
                self.assertEqual(os.stat(self.directory / "t.mtrace").st_mode & 0o777, 0o600)
                (self.directory / "t.mtrace").unlink()

    def test_default_path(self):
        self.start()
        self.assertRegex(self.files()[0], r"^growing\.[0-9]+\.mtrace$")

    def test_older_trace_is_replaced(self):
        for _ in range(3):
            self.start(MTRACE_OUT="t.mtrace")
            self.assertEqual(self.files(), ["t.mtrace"])
            self.assert_traced("t.mtrace")

    def test_other_file_is_not_replaced(self):
        precious = self.directory / "precious"
        for content in (b"a thesis", b""):
            with self.subTest(content=content):
                precious.write_bytes(content)
                self.assert_refused(self.start(MTRACE_OUT="precious"), "precious")
                self.assertEqual(precious.read_bytes(), content)

    @unittest.skipIf(os.getuid() == 0 and not os.path.exists("/usr/bin/setpriv"), "needs a plain user")
    def test_file_that_cannot_be_read(self):
        """It may be somebody's trace or not; what is wrong is the permission, and every part says so."""
        os.chmod(self.directory, 0o777)
        self.start(MTRACE_OUT="t.mtrace")
        os.chmod(self.directory / "t.mtrace", 0)
        other = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] if os.getuid() == 0 else []
        result = run([*other, *COMMAND], cwd=self.directory, MTRACE_OUT=str(self.directory / "t.mtrace"))
        self.assertEqual((result.status, result.stdout), (0, OUTPUT))
        self.assertIn(b"permission denied", result.stderr)
        self.assertNotIn(b"not a trace", result.stderr)
        for arguments in (["report"], ["annotate"], ["info", "t.mtrace"], ["pack", "-o", "t.mtrace", "t.mtrace"]):
            result = run([*other, MTRACER, *arguments], traced=False, cwd=self.directory)
            self.assertEqual((result.status, result.stderr.lower()),
                             (2, b"mtracer: t.mtrace: permission denied\n"), arguments)

    def test_symbolic_link_is_not_followed(self):
        target = self.directory / "target"
        target.write_bytes(b"kept")
        (self.directory / "link").symlink_to("target")
        self.assert_refused(self.start(MTRACE_OUT="link"), "link")
        self.assertEqual(target.read_bytes(), b"kept")

    def test_directory_without_permission(self):
        """Root may write anywhere, but not into /proc."""
        self.assert_refused(self.start(MTRACE_OUT="/proc/sys/kernel/t.mtrace"), "t.mtrace")

    def test_depth(self):
        """Stacks are cut, the innermost frames kept; lines stay exact."""
        for depth in ("1", "3", "1024"):
            with self.subTest(depth=depth):
                self.start(MTRACE_DEPTH=depth, MTRACE_OUT="t.mtrace")
                self.assert_traced("t.mtrace")
        self.start(MTRACE_DEPTH="1", MTRACE_OUT="t.mtrace")
        whole = Trace(self.directory / "t.mtrace").functions("--cumulative")
        self.assertNotIn("left", whole)

    def test_unstarted(self):
        self.start(MTRACE_START="0", MTRACE_OUT="t.mtrace")
        trace = Trace(self.directory / "t.mtrace")
        self.assertEqual(PROGRAM.row(trace, "leaf")["allocations"], 0)
        self.assertEqual(trace.totals()["current_bytes"], 0)
        self.assertEqual(json.loads(mtracer("info", "--json", self.directory / "t.mtrace").stdout)["recording"]["foreign_frees"], 0)

    def test_verbose(self):
        message = self.start(MTRACE_VERBOSE="1", MTRACE_OUT="t.mtrace")
        self.assertIn("t.mtrace", message)

    def test_empty_values(self):
        """As if they weren't set, also those that nobody knows."""
        for name in ("OUT", "DEPTH", "START", "FOLLOW", "SAMPLE", "REACHABLE", "MMAP", "SLACK", "TIMELINE", "VERBOSE",
                     "DEPHT"):
            with self.subTest(name=name):
                self.assertEqual(self.start(**{"MTRACE_" + name: ""}), "")
                [name] = self.files()
                self.assert_traced(name)
                (self.directory / name).unlink()

    def test_options_of_run(self):
        """`mtracer run` knows each variable as an option."""
        trace = self.directory / "o.mtrace"
        result = mtracer("run", "--out", trace, "--depth", "1", "--", *COMMAND)
        self.assertEqual((result.status, result.stdout), (0, OUTPUT))
        self.assert_traced("o.mtrace")
        self.assertNotIn("left", Trace(trace).functions("--cumulative"))

    def test_variables_of_others(self):
        """Variables of no meaning to us change nothing."""
        self.start(MALLOC_TRACE="glibc.trace", MALLOC_CONF="abort_conf:true,nonsense:1")
        self.assertEqual(len(self.files()), 1)
        self.assertEqual(len(traces(self.directory)), 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
