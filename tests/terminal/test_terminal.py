# SPDX-License-Identifier: MIT
"""test_terminal.py - what mtracer does on a terminal only: colour, a pager, the terminal's width, a progress line; and
that debuginfod servers can't keep it waiting."""
import fcntl
import os
import pty
import re
import signal
import socket
import struct
import subprocess
import tempfile
import termios
import threading
import time
import unicodedata
import unittest
from pathlib import Path

MTRACER = os.environ["TEST_MTRACER"]
PROGRAM = os.environ["TEST_PROGRAM"]


def on_terminal(command, columns=100, lines=50, stderr=None, **variables):
    """(all output, exit status) on a pseudo terminal; of stderr too, unless it goes elsewhere."""
    env = {name: value for name, value in os.environ.items()
           if name not in ("PAGER", "LESS", "NO_COLOR", "COLUMNS", "DEBUGINFOD_URLS")}
    env.update(TERM="xterm", LC_ALL="C.UTF-8", **variables)
    terminal, inside = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    # Not by a fork of this process, in which servers' threads run.
    process = subprocess.Popen(["setsid", "--ctty", *command], env=env, stdin=inside, stdout=inside,
                               stderr=inside if stderr is None else stderr)
    os.close(inside)
    output = b""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:
            break
        if not part:
            break
        output += part
    os.close(terminal)
    return output.decode(), process.wait()


def width(line):
    """Columns that a line takes."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


class Traced(unittest.TestCase):
    """With a trace of a small program."""

    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory()
        cls.trace = str(Path(cls.directory.name) / "a.mtrace")
        subprocess.run([MTRACER, "run", "--quiet", "--out", cls.trace, "--", PROGRAM], check=True)

    @classmethod
    def tearDownClass(cls):
        cls.directory.cleanup()


class Terminal(Traced):
    def test_colour(self):
        for command in ("report", "annotate", "tree"):
            text, status = on_terminal([MTRACER, command, self.trace], PAGER="")
            self.assertEqual(status, 0)
            self.assertIn("\033[", text)
            text, _ = on_terminal([MTRACER, command, self.trace], PAGER="", NO_COLOR="1")
            self.assertNotIn("\033", text)
            piped = subprocess.run([MTRACER, command, self.trace], capture_output=True, check=True)
            self.assertNotIn(b"\033", piped.stdout)

    def test_pager(self):
        mark = Path(self.directory.name) / "mark"
        pager = f"tee {mark}"
        for command in (["annotate"], ["tree"]):
            mark.unlink(missing_ok=True)
            text, status = on_terminal([MTRACER, *command, self.trace], PAGER=pager)
            self.assertEqual(status, 0)
            self.assertIn("\033[", mark.read_text())
            self.assertIn("slab", text)
            mark.unlink()
            on_terminal([MTRACER, *command, "--no-pager", self.trace], PAGER=pager)
            self.assertFalse(mark.exists())
            on_terminal([MTRACER, *command, "--json", self.trace], PAGER=pager)
            self.assertFalse(mark.exists())
            env = dict(os.environ, PAGER=pager)
            subprocess.run([MTRACER, *command, self.trace], env=env, check=True, stdout=subprocess.DEVNULL)
            self.assertFalse(mark.exists())

    def test_pager_that_is_left_early(self):
        text, status = on_terminal([MTRACER, "annotate", "--all", self.trace], PAGER="head -n 1")
        self.assertIn(status, (0, -signal.SIGPIPE))
        self.assertNotIn("error", text)

    def test_pager_that_is_none(self):
        _, status = on_terminal([MTRACER, "tree", self.trace], PAGER="/nonexistent/pager")
        self.assertIn(status, (0, -signal.SIGPIPE))

    def test_pager_is_as_wide_as_the_terminal(self):
        text, _ = on_terminal([MTRACER, "annotate", "--all", self.trace], 60, PAGER="cat -", NO_COLOR="1")
        self.assertEqual([line for line in text.splitlines() if width(line) > 60], [])

    def test_columns_from_the_environment(self):
        text, _ = on_terminal([MTRACER, "report", self.trace], 200, PAGER="", NO_COLOR="1", COLUMNS="70")
        self.assertEqual([line for line in text.splitlines() if width(line) > 70], [])
        self.assertIn("--wide", text)

    def test_wide(self):
        piped = subprocess.run([MTRACER, "report", self.trace], capture_output=True, text=True, check=True).stdout
        for command in ("report", "report --wide"):
            text, _ = on_terminal([MTRACER, *command.split(), self.trace], 400 if "wide" not in command else 50,
                                  PAGER="", NO_COLOR="1", stderr=subprocess.DEVNULL)
            self.assertEqual(text.splitlines(), piped.splitlines())
        env = dict(os.environ, COLUMNS="50")
        again = subprocess.run([MTRACER, "report", self.trace], env=env, capture_output=True, text=True, check=True)
        self.assertEqual(again.stdout, piped)

    def test_a_run_fits(self):
        text, status = on_terminal([MTRACER, "run", "--out", str(Path(self.directory.name) / "%n.%p.mtrace"), "--",
                                    PROGRAM], 60, NO_COLOR="1", MTRACE_VERBOSE="0")
        self.assertEqual(status, 0)
        lines = [line for line in text.splitlines() if not line.startswith("mtracer:")]
        self.assertEqual([line for line in lines if width(line) > 60], [])

    def test_what_a_run_adds_fits(self):
        """The leaks of a run, and the table of its allocators."""
        for options, shown in (["--leaks-exit-code", "3"], "lost "), (["--allocator", "glibc,glibc"], "heap peak"):
            for columns in 60, 80:
                with self.subTest(options=options, columns=columns):
                    text, _ = on_terminal([MTRACER, "run", *options, "--out", str(Path(self.directory.name) / "%n.%p.mtrace"),
                                           "--", PROGRAM], columns, NO_COLOR="1", MTRACE_VERBOSE="0")
                    self.assertIn(shown, text)
                    for line in text.splitlines():
                        if not line.startswith("mtracer:"):
                            self.assertLessEqual(width(line), columns, line)


VIEWS = ["report", "report --limit 0 --sort allocated_bytes", "report --by site --limit 0", "report --by function -c",
         "report --by file", "report --by module", "report --by thread", "report --no-wrappers --limit 0",
         "tree --min-percent 0", "tree --callers --lines --min-percent 0", "tree --no-wrappers --min-percent 0",
         "leaks --all --frames 0 --stacks 0", "leaks --by site", "annotate --all", "annotate --limit 0", "info"]


class Width(Traced):
    """No line of text is longer than the terminal."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.traces = [cls.trace]
        (Path(cls.directory.name) / "golden").mkdir()
        for description in sorted(Path(os.environ["TEST_GOLDEN"], "good").glob("*.trace")):
            cls.traces.append(str(Path(cls.directory.name) / "golden" / (description.stem + ".mtrace")))
            subprocess.run([os.environ["TEST_MAKE_TRACE"], description, cls.traces[-1]], check=True)

    def check(self, columns, *command):
        text, status = on_terminal([MTRACER, *command], columns, stderr=subprocess.DEVNULL, PAGER="", NO_COLOR="1")
        self.assertIn(status, (0, 1, 2))
        for line in text.splitlines():
            self.assertLessEqual(width(line), columns, f"{' '.join(command)}: {line}")
        return text

    def test_every_view_of_every_trace(self):
        for columns in (80, 100, 132, 200):
            for trace in self.traces:
                for view in VIEWS:
                    self.check(columns, *view.split(), trace)

    def test_a_narrow_terminal(self):
        for trace in self.traces:
            for view in VIEWS:
                self.check(40, *view.split(), trace)

    def test_a_function_and_its_neighbours(self):
        for columns in (80, 100, 132, 200):
            self.assertIn("share", self.check(columns, "tree", "--peek", ".", self.trace))

    def test_two_runs(self):
        golden = str(Path(self.directory.name) / "golden")
        for columns in (80, 100, 132, 200):
            for by in ("line", "function", "site"):
                self.check(columns, "diff", "--by", by, "--limit", "0", "--fail-over", "1%",
                           f"{golden}/before.mtrace", f"{golden}/after.mtrace")
                self.check(columns, "diff", "--by", by, "--limit", "0", f"{golden}/app.mtrace", self.trace)

    def test_a_directory(self):
        for columns in (80, 100, 132, 200):
            for view in VIEWS:
                self.check(columns, *view.split(), str(Path(self.directory.name) / "golden"))

    def test_help(self):
        names = re.findall(r"^  (\w+)  ", self.check(80, "help"), re.MULTILINE)
        self.assertIn("report", names)
        for name in names:
            self.check(80, "help", name)

    def test_what_is_needed_most_stays(self):
        titles = self.check(80, "report", self.trace).split("at peak", 1)[1].splitlines()[0]
        for title in ("share", "current", "allocs", "where", "function"):
            self.assertIn(title, titles)


class Server:
    """Takes connections, and never answers."""

    def __enter__(self):
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen(50)
        self.taken = []
        threading.Thread(target=self.take, daemon=True).start()
        return f"http://127.0.0.1:{self.socket.getsockname()[1]}"

    def take(self):
        try:
            while True:
                self.taken.append(self.socket.accept())
        except OSError:
            pass

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


class Debuginfod(Traced):
    def test_asks_only_when_told_to(self):
        with Server() as url:
            started = time.monotonic()
            env = dict(os.environ, DEBUGINFOD_URLS=url)
            subprocess.run([MTRACER, "report", "--no-wrappers", self.trace], env=env, check=True,
                           stdout=subprocess.DEVNULL, timeout=30)
            self.assertLess(time.monotonic() - started, 5)

    def test_gives_up_and_says_so(self):
        with Server() as url, tempfile.TemporaryDirectory() as cache:
            started = time.monotonic()
            text, status = on_terminal(
                [MTRACER, "report", "--no-wrappers", "--debuginfod", "--debuginfod-time", "2", self.trace],
                PAGER="", DEBUGINFOD_URLS=url, DEBUGINFOD_CACHE_PATH=cache)
            self.assertEqual(status, 0)
            self.assertLess(time.monotonic() - started, 15)
        self.assertIn("ran ", text)
        if "debuginfod" in text:  # libdebuginfod is there, and a module lacks debug information
            self.assertIn("\rasking debuginfod", text)
            self.assertIn("within --debuginfod-time", text)


if __name__ == "__main__":
    unittest.main(verbosity=2)
