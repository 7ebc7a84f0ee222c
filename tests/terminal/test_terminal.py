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
import unittest
from pathlib import Path

MTRACER = os.environ["TEST_MTRACER"]
PROGRAM = os.environ["TEST_PROGRAM"]


def on_terminal(command, columns=100, lines=50, **variables):
    """(all output, exit status) on a pseudo terminal."""
    env = {name: value for name, value in os.environ.items()
           if name not in ("PAGER", "LESS", "NO_COLOR", "COLUMNS", "DEBUGINFOD_URLS")}
    env.update(TERM="xterm", LC_ALL="C.UTF-8", **variables)
    terminal, inside = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
    # Not by a fork of this process, in which servers' threads run.
    process = subprocess.Popen(["setsid", "--ctty", *command], env=env, stdin=inside, stdout=inside, stderr=inside)
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

    def test_width(self):
        for columns in (40, 60, 80, 132):
            text, status = on_terminal([MTRACER, "annotate", "--all", self.trace], columns,
                                       PAGER="", NO_COLOR="1")
            self.assertEqual(status, 0)
            for line in text.splitlines():
                if re.match(r".{0,60}\d+  ", line) and "peak" not in line:
                    self.assertLessEqual(len(line), columns, line)


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
            self.assertIn("in the time given", text)


if __name__ == "__main__":
    unittest.main(verbosity=2)
