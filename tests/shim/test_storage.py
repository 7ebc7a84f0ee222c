# SPDX-License-Identifier: MIT
"""Where the trace goes when it can't go where it should, and what happens to it while the program runs."""
import os
import re
import subprocess
import unittest

from programs import Program
from tracing import MTRACER, Trace, environment, mtracer, only_trace, run, same_behaviour, scratch

PROGRAM, PROCESSES, SANDBOX = Program("growing"), Program("processes"), Program("sandbox")
LEVELS = "12"
OUTPUT = f"allocations {2 ** int(LEVELS)}, next descriptor 3\n".encode()


def can_mount():
    done = subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"],
                          capture_output=True, check=False)
    return done.returncode == 0


def line_of(result):
    """What the library said of the place, which must be one line at the most."""
    lines = [line for line in result.stderr.decode().splitlines()
             if not line.startswith("libmtrace: trace in ")]
    if len(lines) > 1:
        raise AssertionError(f"more than one line: {lines}")
    return lines[0] if lines else ""


class Storage(unittest.TestCase):
    def setUp(self):
        context = scratch()
        self.directory = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        self.directory.chmod(0o777)
        for name in ("state", "home", "temporary"):
            (self.directory / name).mkdir(mode=0o777)
            (self.directory / name).chmod(0o777)

    def places(self, *names):
        """Variables that lead to these directories of the test's, and to no others; and it is said which."""
        nowhere = str(self.directory / "missing" / "at all")
        variables = {"XDG_STATE_HOME": "state", "HOME": "home", "TMPDIR": "temporary"}
        places = {variable: str(self.directory / name) if name in names else
                  ("" if variable == "XDG_STATE_HOME" else nowhere)
                  for variable, name in variables.items()}
        return {"MTRACE_VERBOSE": "1", **places}

    def assert_whole(self, path, count=2 ** int(LEVELS)):
        trace = Trace(path)
        self.assertEqual(PROGRAM.row(trace, "leaf")["allocations"], count)
        self.assertIs(trace.report()["trace"]["complete"], True)
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)

    def named(self, line):
        """The path that the line says the trace is in."""
        found = re.search("the trace is in '(.*)'$", line)
        self.assertIsNotNone(found, line)
        return found[1]

    def start_in(self, how, places, *arguments):
        """Runs the program in a directory that can't be written to."""
        if not can_mount():
            self.skipTest("no user namespaces here")
        (self.directory / "here").mkdir(exist_ok=True)
        mount = {"read-only": "-o ro", "full": "-o size=4k,nr_inodes=10",
                 "no inodes": "-o nr_inodes=1"}[how]
        script = f'mount -t tmpfs {mount} none here && cd here && exec "$@"'
        return run(["unshare", "-rm", "sh", "-c", script, "sh",
                    *(arguments or ["env", "LD_PRELOAD=" + environment(True)["LD_PRELOAD"],
                                    PROGRAM.path, LEVELS])],
                   traced=False, cwd=self.directory, **places)

    def test_places(self):
        """Each place in its turn, for each reason."""
        for how, why in (("read-only", "Read-only"), ("full", "No space"), ("no inodes", "No space")):
            for name, folder in (("state", "state/libmtrace"),
                                 ("home", "home/.local/state/libmtrace"),
                                 ("temporary", "temporary")):
                with self.subTest(how=how, name=name):
                    result = self.start_in(how, self.places(name, "temporary"))
                    self.assertEqual((result.status, result.stdout), (0, OUTPUT))
                    line = line_of(result)
                    self.assertIn(why, line)
                    path = self.named(line)
                    self.assertEqual(os.path.dirname(path), str(self.directory / folder))
                    self.assert_whole(path)

    def test_small(self):
        """A short process takes what it needs and no more, on the disk too."""
        for command, most in ((["/bin/true"], 44), ([PROGRAM.path, "4"], 48), (["cat", "--version"], 52)):
            with self.subTest(command=command), scratch() as directory:
                run(command, cwd=directory)
                (path,) = directory.glob("*.mtrace")
                found = os.stat(path)
                self.assertLessEqual(found.st_size, most << 10)
                self.assertLessEqual(found.st_blocks * 512, most << 10)
                self.assertIs(Trace(path).report()["trace"]["complete"], True)

    def test_quiet(self):
        """Unasked, nothing is said of it."""
        result = self.start_in("read-only", {**self.places("state"), "MTRACE_VERBOSE": ""})
        self.assertEqual((result.status, result.stdout, result.stderr), (0, OUTPUT, b""))
        [path] = (self.directory / "state" / "libmtrace").iterdir()
        self.assert_whole(path)

    def test_tmp(self):
        result = self.start_in("read-only", self.places())
        self.assertEqual((result.status, result.stdout), (0, OUTPUT))
        path = self.named(line_of(result))
        self.addCleanup(os.unlink, path)
        self.assertEqual(os.path.dirname(path), "/tmp")
        self.assert_whole(path)

    def test_run_finds_it(self):
        """`mtracer run` looks at the same places."""
        for name in ("state", "home", "temporary"):
            with self.subTest(name=name):
                result = self.start_in("read-only", self.places(name),
                                       MTRACER, "run", "--", PROGRAM.path, LEVELS)
                self.assertEqual((result.status, result.stdout), (0, OUTPUT))
                self.assertRegex(result.stderr.decode(), r"(?s)the trace is in .*\npeak ")

    def test_run_beside_here(self):
        """A directory beside here is for all, but who can't write there isn't left without a trace."""
        if os.geteuid() != 0:
            self.skipTest("only root may")
        here = self.directory / "here"
        here.mkdir(mode=0o755)
        result = run([MTRACER, "run", "--out", "sub/%n.%p", "--", "sh", "-c",
                      'setpriv --reuid=65534 --clear-groups "$0" "$1"; true', PROGRAM.path, LEVELS], traced=False, cwd=here,
                     **{**self.places("temporary"), "MTRACE_VERBOSE": "0"})
        self.assertEqual((result.status, result.stdout), (0, OUTPUT))
        self.assertNotIn(b"untraced", result.stderr)
        self.assertRegex(sorted(path.name for path in (here / "sub").iterdir())[-1], r"^sh\.[0-9]+$")
        [path] = (self.directory / "temporary").iterdir()
        self.assertRegex(path.name, r"^growing\.[0-9]+$")
        self.assert_whole(path)

    def test_chosen_place(self):
        """An absolute path is where somebody will look: no other place is taken."""
        path = self.directory / "missing" / "t.mtrace"
        result = run([PROGRAM.path, LEVELS], cwd=self.directory, MTRACE_OUT=str(path),
                     **self.places("state", "temporary"))
        self.assertEqual((result.status, result.stdout), (0, OUTPUT))
        self.assertRegex(line_of(result), "cannot create.*No such file.*running untraced")
        self.assertEqual(list(self.directory.rglob("*mtrace")), [])

    def test_other_files_stay(self):
        """Neither here nor there is a file replaced that isn't a trace."""
        state = self.directory / "state" / "libmtrace"
        state.mkdir()
        result = run(
            ["unshare", "-rmpf", "sh", "-c", """
                for pid in 1 2 3 4 5 6 7 8 9; do echo precious >"$1/growing.$pid.mtrace"; done
                mount -t tmpfs -o ro none "$0" && cd "$0" || exit 9
                LD_PRELOAD="$2" "$3" "$4" """, self.directory / "home", state,
             environment(True)["LD_PRELOAD"], PROGRAM.path, LEVELS],
            traced=False, cwd=self.directory, **self.places("state"))
        if b"unshare:" in result.stderr:
            self.skipTest("no user namespaces here")
        self.assertEqual((result.status, result.stdout), (0, OUTPUT))
        path = self.named(line_of(result))
        self.assertRegex(path, r"growing\.[0-9]+\.mtrace\.2$")
        self.assert_whole(path)
        for pid in range(1, 10):
            self.assertEqual((state / f"growing.{pid}.mtrace").read_text(), "precious\n")

    def start_waiting(self, *arguments, before=(), **variables):
        """Starts the program, which waits for the end of its input when it has done its work."""
        child = subprocess.Popen([*before, PROGRAM.path, LEVELS, *arguments, "wait"],
                                 cwd=self.directory, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                 stderr=subprocess.PIPE, env=environment(not before, **variables))
        self.addCleanup(child.kill)
        return child

    def end(self, child):
        stdout, stderr = child.communicate(timeout=60)
        self.assertEqual((child.returncode, stdout), (0, OUTPUT))
        return stderr.decode()

    def test_memory(self):
        """No place at all: the trace is in memory, and can be read and asked while the process runs."""
        if not can_mount():
            self.skipTest("no user namespaces here")
        script = ('mount -t tmpfs -o ro none home && cd home && '
                  'mount --bind /tmp /tmp && mount -o remount,bind,ro /tmp && LD_PRELOAD="$0" exec "$@"')
        child = self.start_waiting(before=["unshare", "-rm", "sh", "-c", script,
                                           environment(True)["LD_PRELOAD"]], **self.places())
        path = re.search("in memory, readable as '(.*)'", child.stderr.readline().decode())[1]
        child.stdout.readline()
        self.assert_whole(path)
        asked = mtracer("leaks", str(child.pid), "--json", "--wait", "1")
        self.assertIn(b"no allocation within", asked.stderr)
        child.communicate(timeout=60)
        self.assertEqual(child.returncode, 0)

    def test_out_of_reach(self):
        """A daemon that drops its rights: the descriptor serves on, and without it the totals are right."""
        if os.geteuid() != 0:
            self.skipTest("only root may")
        for how in ("chroot", "setuid", "chroot setuid"):
            for closed in ("", "closefrom "):
                with self.subTest(how=how, closed=closed), scratch() as directory:
                    command = [PROGRAM.path, LEVELS, *(closed + how).split()]
                    same_behaviour(run(command, traced=False, cwd=directory), run(command, cwd=directory))
                    trace = only_trace(directory)
                    totals = trace.totals()
                    self.assertEqual((totals["allocations"], totals["current_bytes"]), (2 ** int(LEVELS), 0))
                    self.assertIs(trace.report()["trace"]["complete"], not closed)

    def test_deleted(self):
        """The file is as good as ever without its name; without a descriptor too it can't grow."""
        out = self.directory / "t.mtrace"
        for how in ("delete", "closefrom delete", "delete occupy"):
            with self.subTest(how=how):
                native = run([PROGRAM.path, LEVELS, *how.split()], traced=False)
                result = run([PROGRAM.path, LEVELS, *how.split()], MTRACE_OUT=str(out))
                same_behaviour(native, result)
                self.assertFalse(out.exists())

    def test_replaced(self):
        """What is at the path now is another file, even when the descriptor is lost."""
        out = self.directory / "t.mtrace"
        for how in ("replace", "closefrom replace", "replace closefrom occupy"):
            with self.subTest(how=how):
                result = run([PROGRAM.path, LEVELS, *how.split()], MTRACE_OUT=str(out))
                self.assertEqual((result.status, result.stderr), (0, b""))
                self.assertEqual(out.read_text(), "precious")
                out.unlink()

    def test_deleted_trace_goes_on(self):
        """It is read by a descriptor of the process, with all that came after the deletion."""
        child = self.start_waiting("delete", MTRACE_OUT=str(self.directory / "t.mtrace"))
        child.stdout.readline()
        folder = f"/proc/{child.pid}/fd"
        [path] = [f"{folder}/{fd}" for fd in os.listdir(folder)
                  if "t.mtrace" in os.readlink(f"{folder}/{fd}")]
        self.assert_whole(path)
        child.communicate(timeout=60)
        self.assertEqual(child.returncode, 0)

    def in_child(self, how, directory=None, **variables):
        """The child of a fork that changed its surroundings goes on to another place."""
        command = [PROCESSES.path, how, self.directory / "home"]
        native = run(command, traced=False, cwd=directory or self.directory, **variables)
        if b"skipped" in native.stdout:
            self.skipTest(native.stdout.decode())
        traced = run(command, cwd=directory or self.directory, **variables)
        self.assertEqual((traced.status, traced.stdout), (native.status, native.stdout))
        return line_of(traced)

    def assert_child(self, path):
        row = PROCESSES.row(Trace(path), "elsewhere")
        self.assertEqual((row["allocations"], row["current_bytes"]), (1, 40))

    def start_without(self, what):
        command = [SANDBOX.path, "without", what, "env", "LD_PRELOAD=" + environment(True)["LD_PRELOAD"],
                   PROGRAM.path, LEVELS]
        result = run(command, traced=False, cwd=self.directory, **self.places("state", "temporary"))
        self.assertEqual((result.status, result.stdout), (0, OUTPUT))
        return list(self.directory.rglob("*.mtrace")), result

    def test_no_fallocate(self):
        """A file system that can't reserve blocks: zeros are written instead."""
        [path], result = self.start_without("fallocate")
        self.assertEqual(line_of(result), "")
        self.assert_whole(path)

    def test_no_unnamed_files(self):
        """The trace has another name then, until it is whole."""
        for what in ("unnamed", "links"):
            with self.subTest(what=what):
                [path], result = self.start_without(what)
                self.assertEqual(line_of(result), "")
                self.assert_whole(path)
                self.assertEqual(list(self.directory.rglob("*.new")), [])
                path.unlink()

    def test_no_shared_mappings(self):
        """Nowhere can a file be mapped so that it is written to: no trace, and no file is left."""
        found, result = self.start_without("shared")
        self.assertRegex(line_of(result), "No such device; running untraced$")
        self.assertEqual(found, [])

    def test_chroot(self):
        (self.directory / "home" / "tmp").mkdir()
        line = self.in_child("chroot", **self.places("state"))
        self.assertIn("No such file or directory", line)
        path = self.named(line)
        self.assertEqual(os.path.dirname(path), "/tmp")
        self.assert_child(f"{self.directory}/home{path}")

    def test_empty_chroot(self):
        """As sshd does: nothing may be left in there, and where would it go?"""
        line = self.in_child("chroot", **self.places("state"))
        self.assertIn("the trace is in memory", line)
        self.assertEqual(list((self.directory / "home").iterdir()), [])

    def test_other_user(self):
        here = self.directory / "here"
        here.mkdir(mode=0o755)
        line = self.in_child("setuid", here, **self.places("temporary"))
        self.assertIn("Permission denied", line)
        path = self.named(line)
        self.assertEqual(os.path.dirname(path), str(self.directory / "temporary"))
        self.assert_child(path)

    def test_child_of_chosen_place(self):
        """A child goes on elsewhere even if MTRACE_OUT is absolute."""
        here = self.directory / "here"
        here.mkdir(mode=0o755)
        out = here / "%p.mtrace"
        line = self.in_child("setuid", MTRACE_OUT=str(out), **self.places("temporary"))
        self.assert_child(self.named(line))


if __name__ == "__main__":
    unittest.main(verbosity=2)
