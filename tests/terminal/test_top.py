# SPDX-License-Identifier: MIT
"""test_top.py - mtracer top on a pseudo terminal with a screen behind it, on terminals that can do less, and on none."""
import contextlib
import fcntl
import json
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest
from pathlib import Path

import tracing

try:
    import pyte
except ImportError:
    print("python3-pyte is not installed")
    sys.exit(tracing.SKIP)

MTRACER = os.environ["TEST_MTRACER"]
WATCHED = os.environ["TEST_WATCHED"]
NCURSES = bool(os.environ.get("TEST_NCURSES"))
WAIT = 60  # seconds, on a busy machine


def environment(**variables):
    env = {name: value for name, value in os.environ.items()
           if name not in ("NO_COLOR", "COLUMNS", "LINES", "LC_ALL", "LANG", "LC_CTYPE", "MTRACE_OUT")}
    env.update({"TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}, **variables)
    return {name: value for name, value in env.items() if value is not None}


class Terminal:
    """A command on a terminal, and what its screen shows."""

    def __init__(self, *command, columns=80, lines=24, cwd=None, **variables):
        self.screen = pyte.Screen(columns, lines)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.terminal, inside = pty.openpty()
        self.set_size(columns, lines)
        self.before = termios.tcgetattr(inside)
        self.process = subprocess.Popen(["setsid", "--ctty", *map(str, command)], env=environment(**variables), cwd=cwd,
                                        stdin=inside, stdout=inside, stderr=inside)
        self.inside = inside

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self.inside)
        os.close(self.terminal)

    def set_size(self, columns, lines):
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def resize(self, columns, lines):
        self.screen.resize(lines, columns)
        self.set_size(columns, lines)

    def read(self, seconds=0.1):
        while select.select([self.terminal], [], [], seconds)[0]:
            part = os.read(self.terminal, 65536)
            self.raw += part
            # pyte doesn't know xterm's private window sequences (CSI ... t)
            self.stream.feed(re.sub(rb"\x1b\[[0-9;]*t", b"", part))
            seconds = 0.02

    @property
    def lines(self):
        return [line.rstrip() for line in self.screen.display]

    @property
    def text(self):
        return "\n".join(self.lines)

    def wait_for(self, pattern, flags=re.MULTILINE):
        end = time.monotonic() + WAIT
        while not re.search(pattern, self.text, flags):
            self.read()
            if time.monotonic() > end:
                raise AssertionError(f"no {pattern!r} within {WAIT} s in\n{self.text}\n{self.raw[-500:]!r}")
        return self.text

    def press(self, keys):
        os.write(self.terminal, keys.encode())

    def end(self):
        """The exit status, with the terminal as it was before."""
        end = time.monotonic() + WAIT
        while self.process.poll() is None and time.monotonic() < end:
            self.read()
        self.read()
        status = self.process.wait(1)
        after = termios.tcgetattr(self.inside)
        if after != self.before:
            raise AssertionError(f"the terminal isn't as it was: {self.before} {after}")
        if b"\x1b[?1049h" in self.raw and self.raw.rfind(b"\x1b[?1049l") < self.raw.rfind(b"\x1b[?1049h"):
            raise AssertionError("the screen wasn't left")
        return status


UP, DOWN, PAGE_DOWN, END, ENTER, ESCAPE = "\x1bOA", "\x1bOB", "\x1b[6~", "\x1bOF", "\r", "\x1b"


@contextlib.contextmanager
def watched(directory, name="a.mtrace", program=WATCHED):
    """The program, traced and ready."""
    env = dict(tracing.environment(True), MTRACE_OUT=str(Path(directory) / name))
    with subprocess.Popen([str(program)], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.tell = lambda line: (process.stdin.write(line.encode() + b"\n"), process.stdin.flush(),
                                     process.stdout.readline())
        process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()


# Stands in for a shell: what is stopped is a job of the terminal.
JOB = """
import os, signal, sys
signal.signal(signal.SIGTTOU, signal.SIG_IGN)
job = os.fork()
if not job:
    os.setpgid(0, 0)
    os.tcsetpgrp(0, os.getpid())
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)
    os.execvp(sys.argv[1], sys.argv[1:])
sys.exit(os.waitstatus_to_exitcode(os.waitpid(job, 0)[1]))
"""


class Top(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.directory)

    def top(self, *arguments, **keywords):
        return Terminal(MTRACER, "top", "--interval", "0.2", *arguments, cwd=self.directory, **keywords)


@unittest.skipUnless(NCURSES, "built without ncurses")
class Screen(Top):
    def test_rows_and_keys(self):
        with watched(self.directory) as program, self.top(program.pid) as t:
            t.wait_for(r"^97\.7 KiB .* hold_for_the_start$|^ *97\.7 KiB.*hold_for_the_start")
            self.assertIn(f"({program.pid})", t.lines[0])
            self.assertIn("running", t.lines[0])
            self.assertRegex(t.text, r"heap +\d+(\.\d+)? KiB in \d+ blocks?, peak")
            self.assertRegex(t.text, r"RSS +\d+(\.\d+)? MiB")
            self.assertRegex(t.text, r"by line, sorted by current, growth over")
            self.assertIn("quit", t.lines[-1])
            program.tell("g 2000000")
            t.wait_for(r"^ *1\.91 MiB +\+1\.91 MiB .*grow")
            t.press("z")
            t.wait_for(r"^ *1\.91 MiB {12,}.*grow")
            t.press(ENTER)
            t.wait_for(r"at grow +watched\.c:\d+")
            self.assertRegex(t.text, r">\s+\d+\s+void \*p = malloc\(size\);")
            self.assertRegex(t.text, r"by main +watched\.c:\d+")
            t.press(ESCAPE)
            t.wait_for("sorted by")
            t.press("f")
            t.wait_for("by function")
            t.press("m")
            t.wait_for("by module")
            t.press("s")
            t.wait_for("by site")
            t.press("l")
            t.wait_for("by line")
            t.press(">")
            t.wait_for("sorted by growth")
            t.press("p")
            t.wait_for("sorted by own peak")
            t.press("<<<")
            t.wait_for("sorted by growth")
            t.press("?")
            t.wait_for("measure growth from now on")
            t.press(ESCAPE)
            t.wait_for("sorted by")
            t.press("/start")
            t.wait_for(r"1 of \d+ with start")
            self.assertNotRegex(t.text, r"\d .*grow$")
            t.press(ENTER)
            t.wait_for("quit")
            t.press(ESCAPE)
            t.wait_for(r"grow$")
            t.press(" ")
            t.wait_for("paused")
            t.press(" ")
            t.wait_for(r"^(?!.*paused).*running.*")
            t.press("q")
            self.assertEqual(t.end(), 0)

    def test_the_cursor_stays_on_its_row(self):
        with watched(self.directory) as program, self.top(program.pid) as t:
            t.wait_for("hold_for_the_start")
            t.press(DOWN)
            t.read(0.5)
            chosen = [line for y, line in enumerate(t.lines) if t.screen.buffer[y][0].reverse and y]
            self.assertEqual(len(chosen), 1)
            name = chosen[0].split()[-1]
            program.tell("g 5000000")
            t.wait_for(r"\+4\.77 MiB")
            chosen = [line for y, line in enumerate(t.lines) if t.screen.buffer[y][0].reverse and y]
            self.assertEqual([line.split()[-1] for line in chosen], [name])
            for keys in (END, PAGE_DOWN, UP, "\x1b[5~", "\x1bOH", "jjkk", "\x1b[200~", "\xff\x00\x01"):
                t.press(keys)
            t.read(0.3)
            t.press("q")
            self.assertEqual(t.end(), 0)

    def test_sizes(self):
        with watched(self.directory) as program, self.top(program.pid) as t:
            t.wait_for("hold_for_the_start")
            for columns, lines in ((160, 50), (40, 10), (20, 5), (8, 3), (1, 1), (300, 100), (80, 24)):
                t.resize(columns, lines)
                for keys in ("", ENTER, ESCAPE, "?", ESCAPE, "/x", ESCAPE):
                    t.press(keys)
                    t.read(0.1)
            t.wait_for("hold_for_the_start")
            self.assertEqual(len(t.lines), 24)
            t.resize(200, 30)
            t.wait_for(r"own peak +at peak +allocated +allocs +temp +where +function")
            t.press("q")
            self.assertEqual(t.end(), 0)

    def test_terminals_and_locales(self):
        with watched(self.directory) as program:
            for term in ("linux", "vt100", "screen", "xterm"):
                for locale in ("C", "C.UTF-8", "xx_XX.UTF-8"):
                    with self.subTest(term=term, locale=locale), \
                            self.top(program.pid, TERM=term, LC_ALL=locale) as t:
                        t.wait_for("hold_for_the_start")
                        if locale == "C":
                            self.assertTrue(all(byte < 0x80 for byte in t.raw))
                        t.press("q")
                        self.assertEqual(t.end(), 0)

    def test_without_colour(self):
        with watched(self.directory) as program, self.top(program.pid, NO_COLOR="1") as t:
            t.wait_for("hold_for_the_start")
            self.assertNotRegex(t.raw, rb"\x1b\[(3|4)[0-9]m")
            t.press("q")
            self.assertEqual(t.end(), 0)

    def test_names_that_are_hard_on_terminals(self):
        odd = Path(self.directory, os.fsdecode(b"x\x1b[2J\xff\n\xe6\xbc\xa2\xe2\x80\xae\xcc\x81"))
        shutil.copy(WATCHED, odd)
        with watched(self.directory, program=odd) as program, self.top(program.pid) as t:
            program.tell("t")
            t.wait_for("hold_for_the_start")
            t.press("t")
            t.wait_for(r"\?\[2J.*\(tid")
            self.assertIn("x?[2J", t.lines[0])
            self.assertIn("quit", t.lines[-1])
            self.assertTrue(t.lines[0].endswith(tuple("0123456789s")), t.lines[0])
            t.press("q")
            self.assertEqual(t.end(), 0)

    def test_signals(self):
        with watched(self.directory) as program:
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT):
                with self.subTest(number=number), self.top(program.pid) as t:
                    t.wait_for("hold_for_the_start")
                    t.process.send_signal(number)
                    self.assertEqual(t.end(), -number)
            self.assertIsNone(program.poll())

    def test_stopped_and_continued(self):
        with watched(self.directory) as program, \
                Terminal(sys.executable, "-c", JOB, MTRACER, "top", "--interval", "0.2", program.pid) as t:
            t.wait_for("hold_for_the_start")
            job = int(Path(f"/proc/{t.process.pid}/task/{t.process.pid}/children").read_text())

            def send(number, state):
                os.kill(job, number)
                end = time.monotonic() + WAIT
                while (Path(f"/proc/{job}/stat").read_text().rpartition(")")[2].split()[0] == "T") != (state == "T"):
                    t.read()
                    self.assertLess(time.monotonic(), end, t.text)

            send(signal.SIGTSTP, "T")
            t.read()
            self.assertEqual(termios.tcgetattr(t.inside), t.before)
            self.assertGreater(t.raw.rfind(b"\x1b[?1049l"), t.raw.rfind(b"\x1b[?1049h"))
            t.screen.reset()
            send(signal.SIGCONT, "S")
            t.wait_for("hold_for_the_start")
            send(signal.SIGSTOP, "T")  # nothing is known of it beforehand
            termios.tcsetattr(t.inside, termios.TCSANOW, t.before)
            t.screen.reset()
            send(signal.SIGCONT, "S")
            t.wait_for("hold_for_the_start")
            t.press("q")
            self.assertEqual(t.end(), 0)

    def test_the_terminal_goes(self):
        with watched(self.directory) as program:
            t = self.top(program.pid)
            t.wait_for("hold_for_the_start")
            os.close(t.inside)
            os.close(t.terminal)
            self.assertIn(t.process.wait(WAIT), (0, -signal.SIGHUP))

    def test_the_end_of_the_program(self):
        with watched(self.directory) as program, self.top(program.pid) as t:
            t.wait_for("hold_for_the_start")
            program.stdin.write(b"q 0\n")
            program.stdin.flush()
            program.wait()
            t.wait_for(r"ended")
            self.assertIn("hold_for_the_start", t.text)
            t.press("q")
            self.assertEqual(t.end(), 0)
        with self.top("a.mtrace") as t:
            t.wait_for("ended")
            t.press("q")
            self.assertEqual(t.end(), 0)

    def test_a_program_that_is_started(self):
        with self.top("--program-output", "out", "--", "/bin/sh", "-c", f"echo 'g 70000\nq 3' | {WATCHED}") as t:
            t.wait_for(r"ended: exit 3")
            t.press("q")
            self.assertEqual(t.end(), 3)
            self.assertEqual(Path(self.directory, "out").read_text(), "ready\ndone\n")

    def test_left_early(self):
        with self.top("--", "/bin/sh", "-c", f"(sleep 3; echo 'q 4') | {WATCHED}") as t:
            t.wait_for("hold_for_the_start")
            t.press("q")
            self.assertEqual(t.end(), 4)
            self.assertIn(b"waiting for /bin/sh to end", t.raw)

    def test_interrupted(self):
        with self.top("--", WATCHED + "-none") as t:
            self.assertEqual(t.end(), 127)
        with self.top("--", "/bin/sh", "-c", f"sleep 100 | {WATCHED}") as t:
            t.wait_for("hold_for_the_start")
            t.press("\x03")
            self.assertEqual(t.end(), 128 + signal.SIGINT)
        with self.top("--", "/bin/sh", "-c", f"sleep 100 | {WATCHED}") as t:
            t.wait_for("hold_for_the_start")
            t.process.send_signal(signal.SIGTERM)
            self.assertEqual(t.end(), 128 + signal.SIGTERM)


class Figures(Top):
    """They are those of report."""

    def once(self, *arguments):
        return json.loads(subprocess.run([MTRACER, "top", "--once", "--json", "--interval", "0.1", *map(str, arguments)],
                                         check=True, stdout=subprocess.PIPE, cwd=self.directory).stdout)

    def report(self, *arguments):
        return json.loads(subprocess.run([MTRACER, "report", "--json", *map(str, arguments)], check=True,
                                         stdout=subprocess.PIPE, cwd=self.directory).stdout)

    def compare(self, frame, report):
        self.assertEqual(frame["totals"].pop("allocations_per_s"), 0)
        self.assertEqual(frame["totals"], report["totals"])
        for row in frame["rows"]:
            self.assertEqual(row.pop("growth_bytes"), 0)
            self.assertEqual(row.pop("allocations_per_s"), 0)
        self.assertEqual(frame["rows"], report["rows"])

    def test_of_a_stopped_program(self):
        with watched(self.directory) as program:
            program.tell("g 100000")
            program.tell("t")
            program.send_signal(signal.SIGSTOP)
            for by in ("line", "function", "file", "module", "site", "thread"):
                for sort in ("current_bytes", "allocated_bytes", "allocations", "name"):
                    with self.subTest(by=by, sort=sort):
                        self.compare(self.once("--by", by, "--sort", sort, program.pid),
                                     self.report("--by", by, "--sort", sort, program.pid))
            program.send_signal(signal.SIGCONT)

    def test_of_one_that_ended(self):
        with watched(self.directory) as program:
            program.tell("g 100000")
        self.compare(self.once("a.mtrace"), self.report("--sort", "current_bytes", "a.mtrace"))
        self.compare(self.once(), self.report("--sort", "current_bytes"))

    def test_of_a_family(self):
        with watched(self.directory, "%n.%p.mtrace") as program:
            program.tell("g 100000")
            alone = self.once(program.pid)
            program.tell("f")
            time.sleep(0.5)
            frame = self.once(program.pid)
            self.assertEqual(frame["processes_running"], 2)
            self.compare(frame, self.report("--sort", "current_bytes", "."))
            self.assertEqual(self.once("--no-children", program.pid)["totals"], alone["totals"])
            self.assertEqual(self.once(".")["totals"], frame["totals"] | {"allocations_per_s": 0.0})
            program.tell("k")
            frame = self.once(program.pid)
            self.assertEqual(frame["processes_running"], 1)
            self.assertEqual(frame["totals"], alone["totals"])

    @unittest.skipUnless(NCURSES, "built without ncurses")
    def test_children_come_and_go(self):
        with watched(self.directory, "%n.%p.mtrace") as program, self.top(program.pid) as t:
            t.wait_for("hold_for_the_start")
            program.tell("f")
            t.wait_for("2 processes")
            t.wait_for(r"\+2\.86 MiB")
            program.tell("k")
            t.wait_for("1 ended")
            self.assertNotRegex(t.text, r"\+2\.86 MiB")
            t.press("q")
            self.assertEqual(t.end(), 0)


class Frames(Top):
    """What is printed where there is no screen."""

    def test_a_pipe_and_a_dumb_terminal(self):
        program = ["--", "/bin/sh", "-c", f"(sleep 1; echo 'q 5') | {WATCHED}"]
        done = subprocess.run([MTRACER, "top", "--interval", "0.2", *program], cwd=self.directory, env=environment(),
                              stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, check=False)
        self.assertEqual(done.returncode, 5)
        self.assertGreater(done.stdout.count(b"sorted by current"), 2)
        self.assertIn(b"ended: exit 5", done.stdout)
        self.assertNotIn(b"\x1b", done.stdout)
        for term in ("dumb", None, "no-such-terminal"):
            with self.subTest(term=term), self.top(*program, TERM=term) as t:
                self.assertEqual(t.end(), 5)
                self.assertIn(b"ended: exit 5", t.raw)
                self.assertNotIn(b"\x1b", t.raw)
        for arguments in (["--plain"], ["--once"]):
            with self.subTest(arguments=arguments), self.top(*arguments, *program, LC_ALL="C") as t:
                self.assertEqual(t.end(), 5)
                self.assertIn(b"hold_for_the_start", t.raw)
                self.assertTrue(all(byte < 0x80 for byte in t.raw))

    def test_a_program_that_is_over_at_once(self):
        done = subprocess.run([MTRACER, "top", "--once", "--json", "--out", "x.mtrace", "--", WATCHED], stdin=subprocess.DEVNULL,
                              cwd=self.directory, stdout=subprocess.PIPE, check=False)
        self.assertEqual(done.returncode, 0)
        self.assertIn("hold_for_the_start", [row["function"] for row in json.loads(done.stdout)["rows"]])

    def test_what_is_no_trace(self):
        for arguments, why in ((["/dev/null"], "not a regular file"), (["999999999"], "no such process"),
                               ([str(os.getpid())], "not traced"), ([self.directory], "no traces"),
                               (["none.mtrace"], "No such file"), (["--json", "x"], "--once"),
                               (["--interval", "x", "x"], "seconds"), (["--sort", "x", "x"], "--sort"),
                               (["a", "b"], "behind '--'"), (["--"], "missing"), (["--out", "x", "y"], "program")):
            done = subprocess.run([MTRACER, "top", *arguments], cwd=self.directory, capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertRegex(done.stderr, f"^mtracer: .*{why}.*\n$")


if __name__ == "__main__":
    unittest.main(verbosity=2)
