# SPDX-License-Identifier: MIT
"""New processes: what each one's trace holds, and that none of them hangs."""
import os
import pathlib
import shutil
import tempfile
import unittest

from programs import Program
from tracing import LONG, Trace, mtracer, only_trace, run, same_behaviour, scratch, traces

PROGRAM = Program("processes")
WENT_ON_AS = 7528  # in the header (FORMAT.md)


class Processes(unittest.TestCase):
    def setUp(self):
        context = scratch()
        self.directory = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)

    def start(self, *arguments, **variables):
        """Runs the program both ways and returns the traces, oldest first."""
        command = [PROGRAM.path, *arguments]
        same_behaviour(run(command, traced=False, cwd=self.directory),
                       run(command, cwd=self.directory, **variables))
        return traces(self.directory, "processes")

    def counts(self, trace, line):
        row = PROGRAM.row(trace, line)
        return row["allocations"], row["allocated_bytes"], row["current_bytes"]

    def with_line(self, found, line):
        """Of the traces, those that know allocations of the line."""
        return [trace for trace in found if self.counts(trace, line)[0]]

    def test_fork(self):
        found = self.start("fork")
        self.assertEqual(len(found), 2)
        [child] = self.with_line(found, "child")
        [parent] = self.with_line(found, "parent")
        self.assertEqual(self.counts(parent, "kept"), (1, 1000, 1000))
        self.assertEqual(self.counts(parent, "freed"), (1, 2000, 0))
        self.assertEqual(self.counts(parent, "child"), (0, 0, 0))
        self.assertEqual(self.counts(child, "kept")[2], 1000)
        self.assertEqual(self.counts(child, "freed")[2], 0)
        self.assertEqual(self.counts(child, "child")[1:], (300, 300))
        self.assertEqual(self.counts(child, "parent"), (0, 0, 0))
        for trace in found:
            self.assertEqual(trace.state(), "exited")

    def test_fork_not_followed(self):
        self.start("fork", MTRACE_FOLLOW="0")
        parent = only_trace(self.directory)
        self.assertEqual(self.counts(parent, "freed"), (1, 2000, 0))
        self.assertEqual(self.counts(parent, "child"), (0, 0, 0))

    def test_generations(self):
        found = self.start("generations")
        self.assertEqual(len(found), 3)
        self.assertEqual(len(self.with_line(found, "generation")), 2)
        both = self.with_line(found, "both generations")
        self.assertEqual([self.counts(trace, "both generations") for trace in both],
                         [(1, 10, 10)] * 2)

    def storm(self, forks, **variables):
        result = run([PROGRAM.path, "storm", forks], cwd=self.directory, timeout=500, **variables)
        self.assertEqual((result.status, result.stdout, result.stderr), (0, b"done storm\n", b""))

    def test_storm(self):
        """Forks at any moment of three allocating threads; each child has its own trace."""
        forks = 1000 if LONG else 200
        self.storm(forks)
        found = traces(self.directory, "processes")
        self.assertEqual(len(found), forks + 1)
        for trace in found[::max(1, forks // 10)]:
            count = self.counts(trace, "storm")[0]
            self.assertIn(count, (0, 100))

    def test_storm_not_followed(self):
        self.storm(5000 if LONG else 1000, MTRACE_FOLLOW="0")
        parent = only_trace(self.directory)
        self.assertGreater(self.counts(parent, "churn")[0], 0)
        self.assertEqual(self.counts(parent, "churn")[2], 0)

    def test_exec(self):
        """The program before exec and the one after it are one process with two traces."""
        found = self.start("exec")
        self.assertEqual(len(found), 2)
        [before] = self.with_line(found, "before")
        [after] = self.with_line(found, "after")
        self.assertEqual(self.counts(before, "before"), (1, 500, 500))
        self.assertEqual(self.counts(before, "after"), (0, 0, 0))
        self.assertEqual(self.counts(after, "after"), (1, 70, 70))
        self.assertEqual(self.counts(after, "before"), (0, 0, 0))
        self.assertEqual(before.state(), "exited")
        self.assertEqual(after.state(), "exited")
        self.assertEqual(before.report()["trace"]["went_on_as"], str(PROGRAM.path))
        self.assertIn(f"went on as {PROGRAM.path} (exec): {after.path.name}\n", mtracer("info", before.path).stdout.decode())
        self.assertNotIn("continued", mtracer("info", after.path).stdout.decode())
        unnamed = before.path.with_name("unnamed.mtrace")  # as fexecve leaves it: the next trace has the name
        unnamed.write_bytes(before.path.read_bytes())
        with unnamed.open("r+b") as file:
            file.seek(WENT_ON_AS)
            self.assertEqual(file.read(1), b"/")
            file.seek(WENT_ON_AS)
            file.write(b"\0")
        self.assertEqual(Trace(unnamed).info()["trace"]["went_on_as"], str(PROGRAM.path.resolve()))
        unnamed.unlink()
        after.path.unlink()
        self.check_went_on(Trace(before.path), PROGRAM.path)

    def test_exec_to_one_path(self):
        """A path without %p: the second program must not overwrite the first one's trace."""
        self.start("exec", MTRACE_OUT="one.mtrace")
        found = sorted(path.name for path in self.directory.iterdir())
        self.assertEqual(len(found), 2, found)
        self.assertEqual(found[0], "one.mtrace")
        self.assertTrue(found[1].startswith("one.mtrace."), found)

    def test_exec_not_followed(self):
        self.start("exec", MTRACE_FOLLOW="0")
        trace = only_trace(self.directory)
        self.assertEqual(self.counts(trace, "before"), (1, 500, 500))
        self.check_went_on(trace, PROGRAM.path)

    def check_went_on(self, trace, program):
        """Nothing else than the trace says what became of the process."""
        self.assertEqual((trace.state(), trace.info()["trace"]["went_on_as"]), ("exited", program and str(program)))
        self.assertIn(f"went on as {program or 'another program'} (exec)\n", mtracer("info", trace.path).stdout.decode())

    def exec_untraced(self, *arguments, **variables):
        directory = pathlib.Path(tempfile.mkdtemp(dir=self.directory))
        command = [PROGRAM.path, *arguments]
        same_behaviour(run(command, traced=False, cwd=directory),
                       run(command, cwd=directory, **{"MTRACE_FOLLOW": "0", **variables}))
        return only_trace(directory, "processes")

    def check_untraced(self, program, *arguments, **variables):
        with self.subTest(arguments=arguments):
            self.check_went_on(self.exec_untraced(*arguments, **variables), program)

    def test_exec_untraced(self):
        """By every way, each of which failed before; nothing is known of a descriptor's program."""
        for way in ("execve", "execv", "execvp", "execvpe", "execl", "execlp", "execle", "execveat", "syscall", "fexecve"):
            self.check_untraced(None if way == "fexecve" else "/bin/false", "exec_by", way, "/bin/false")

    def test_exec_by_name(self):
        self.check_untraced("false", "exec_by", "execvp", "false")

    def test_exec_of_long_path(self):
        path = self.directory / ("a" * 250) / ("b" * 250) / "true"
        path.parent.mkdir(parents=True)
        path.symlink_to("/bin/true")
        self.check_untraced(str(path)[:383], "exec_by", "execv", path)

    def test_exec_from_elsewhere(self):
        for where in ("handler", "thread"):
            self.check_untraced("/bin/false", "exec_from", where, "/bin/false")

    def test_exec_among_failing_ones(self):
        for _ in range(20 if LONG else 5):
            trace = self.exec_untraced("exec_from", "among", "/bin/false")
            self.assertEqual(trace.state(), "exited")
            self.assertIn(trace.info()["trace"]["went_on_as"], ("/bin/false", "/nonexistent", None))

    def test_exec_of_static(self):
        """What no library can be preloaded into, whatever the environment says."""
        static = Program("static").path
        self.check_untraced(static, "exec_by", "execv", static, MTRACE_FOLLOW="1")

    @unittest.skipUnless(os.geteuid() == 0, "only root may give files away")
    def test_exec_of_privileged(self):
        program = self.directory / "privileged"
        shutil.copy("/bin/false", program)
        os.chown(program, 65534, 65534)
        program.chmod(0o4755)
        self.check_untraced(program, "exec_by", "execv", program, MTRACE_FOLLOW="1")

    def test_exec_arguments(self):
        for way in ("execl", "execlp", "execle"):
            with self.subTest(way=way):
                self.exec_untraced("exec_with", way)

    def test_exec_that_failed(self):
        """Who comes back from exec hasn't gone on, whether it then exits or is killed; nor has a parent whose child did."""
        for arguments, state in (("exec_by", "none", ""), "exited"), (("exec_by", "killed", ""), "died"), (("vfork_killed",), "died"):
            with self.subTest(arguments=arguments):
                trace = self.exec_untraced(*arguments)
                self.assertEqual((trace.state(), "went_on_as" in trace.info()["trace"]), (state, False))

    def check_child_program(self, how):
        found = self.start(how)
        [child] = self.with_line(found, "after")
        self.assertEqual(self.counts(child, "after"), (1, 70, 70))
        return found

    def test_vfork(self):
        found = self.check_child_program("vfork")
        [parent] = self.with_line(found, "vfork")
        self.assertEqual(self.counts(parent, "vfork"), (1, 500, 500))
        self.assertEqual(self.counts(parent, "after vfork"), (1, 600, 0))
        self.assertEqual(len(found), 2)

    def test_spawn(self):
        self.assertEqual(len(self.check_child_program("spawn")), 2)

    def test_system(self):
        self.check_child_program("system")

    def test_raw_clone(self):
        """It runs no handlers, so it isn't traced; its parent must not notice."""
        parent = self.only(self.start("rawclone"))
        self.assertEqual(self.counts(parent, "kept raw"), (1, 1000, 1000))
        self.assertEqual(self.counts(parent, "raw parent"), (1, 50, 0))
        self.assertEqual(self.counts(parent, "raw child"), (0, 0, 0))
        self.assertEqual(parent.state(), "exited")

    def test_clone_in_memory(self):
        parent = self.only(self.start("inmemory"))
        self.assertEqual(self.counts(parent, "shared churn"), (100, 30000, 0))
        self.assertEqual(self.counts(parent, "shared"), (1, 4000, 4000))
        self.assertEqual(self.counts(parent, "after shared"), (1, 60, 0))
        self.assertEqual(parent.state(), "exited")

    def test_session(self):
        [last] = self.with_line(self.start("session"), "session")
        self.assertEqual(self.counts(last, "session"), (1, 90, 90))
        self.assertEqual(self.counts(last, "before session"), (1, 80, 80))

    def test_namespaces(self):
        """A child that is process 1 of a namespace; its /proc is another one's."""
        found = self.start("namespaces")
        [parent] = self.with_line(found, "unshared") or [None]
        if not parent:
            self.skipTest("no namespaces here")
        self.assertEqual(self.counts(parent, "unshared"), (1, 46, 46))
        [child] = self.with_line(found, "number one")
        self.assertEqual(self.counts(child, "number one"), (1, 45, 45))

    def test_tree(self):
        """Hundreds of processes at a time: one trace each, all can be read, and added up."""
        width, depth = 6, 4 if LONG else 3
        found = self.start("tree", width, depth)
        count = sum(width ** generation for generation in range(depth + 1))
        self.assertEqual(len(found), count)
        merged = self.directory / "all.mtrace"
        result = mtracer("merge", "-o", merged, *(trace.path for trace in found))
        self.assertEqual(result.status, 0, result)
        self.assertEqual(self.counts(Trace(merged), "tree"), (count, 70 * count, 70 * count))

    def test_exec_with_own_environment(self):
        """LD_PRELOAD is a variable as any other: who leaves it out isn't followed."""
        self.assertEqual(self.counts(self.only(self.start("bare")), "bare"), (1, 500, 500))

    def only(self, found):
        self.assertEqual(len(found), 1)
        return found[0]

    def test_daemon(self):
        found = self.start("daemon")
        # The process in the middle allocates nothing: it may do without a trace.
        self.assertIn(len(found), (2, 3))
        [daemon] = self.with_line(found, "daemon")
        self.assertEqual(self.counts(daemon, "daemon"), (1, 90, 90))


if __name__ == "__main__":
    unittest.main(verbosity=2)
