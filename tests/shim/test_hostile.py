# SPDX-License-Identifier: MIT
"""Hostile surroundings: what fails there costs data at the most, never the program."""
import json
import os
import subprocess
import unittest
from pathlib import Path

from programs import BUILT, Program
from tracing import environment, mtracer, only_trace, run, same_behaviour, scratch, traces

PROGRAM = Program("growing")
LEVELS = "14"  # 16384 stacks: a trace of more than 64 KiB


def can_mount():
    done = subprocess.run(["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"],
                          capture_output=True, check=False)
    return done.returncode == 0


class Hostile(unittest.TestCase):
    def setUp(self):
        context = scratch()
        self.directory = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)

    def both(self, *preparations, **variables):
        """Runs the program both ways, which must look the same. Returns its trace."""
        command = [PROGRAM.path, LEVELS, *preparations]
        same_behaviour(run(command, traced=False, cwd=self.directory),
                       run(command, cwd=self.directory, **variables))
        return only_trace(self.directory)

    def assert_whole(self, trace):
        self.assertEqual(PROGRAM.row(trace, "leaf")["allocations"], 2 ** int(LEVELS))
        self.assertIs(trace.report()["trace"]["complete"], True)

    def assert_partial(self, trace):
        """Not all could be recorded, and the report says so."""
        row = PROGRAM.row(trace, "leaf")
        self.assertLess(row["allocations"], 2 ** int(LEVELS))
        totals = trace.totals()
        self.assertEqual((totals["allocations"], totals["allocated_bytes"]),
                         (2 ** int(LEVELS), 8 * 2 ** int(LEVELS)))
        self.assertEqual((totals["current_bytes"], totals["current_blocks"]), (0, 0))
        self.assertIs(trace.report()["trace"]["complete"], False)
        people = mtracer("report", trace.path)
        self.assertEqual(people.status, 0)
        info = mtracer("info", trace.path, "--json")
        self.assertEqual(info.status, 0)
        self.assertTrue(json.loads(info.stdout))

    def test_plain(self):
        self.assert_whole(self.both())

    def test_closed_descriptors(self):
        self.assert_whole(self.both("closefrom"))

    def test_occupied_descriptors(self):
        """The program's files take the numbers that the tracer had, and get none of its bytes."""
        self.assert_whole(self.both("closefrom", "occupy"))

    def test_close_range(self):
        self.assert_whole(self.both("close_range", "occupy"))

    def test_dup2(self):
        """Over the tracer's descriptor: the number is the program's from then on."""
        self.assert_whole(self.both("dup2"))

    def test_no_free_descriptor(self):
        """Not one file may be opened any more, by the tracer neither."""
        self.assert_whole(self.both("occupy"))

    def test_changed_directory(self):
        self.assert_whole(self.both("closefrom", "chdir"))

    def test_descriptor_limit(self):
        self.assert_whole(self.both("nofile"))

    def test_no_descriptor_in_sight(self):
        """A program that looks at all numbers up to the limit finds none of the tracer's."""
        look = "import os; print([fd for fd in range(3, os.sysconf('SC_OPEN_MAX')) if is_open(fd)])"
        script = ('ulimit -S -n 1024; "$0" -c "$1" && "$2" "$3" closefrom')
        is_open = "def is_open(fd):\n  try: os.fstat(fd)\n  except OSError: return False\n  return True\n"
        command = ["sh", "-c", script, "/usr/bin/python3", is_open + look, PROGRAM.path, LEVELS]
        native = run(command, traced=False, cwd=self.directory)
        same_behaviour(native, run(command, cwd=self.directory))
        self.assertTrue(native.stdout.startswith(b"[]"), native)
        self.assert_whole(only_trace(self.directory, "growing"))

    def test_file_size_limit(self):
        """Growing beyond the limit would raise SIGXFSZ."""
        self.assert_partial(self.both("fsize"))

    def test_address_space_limit(self):
        for limit in ("address", "data"):
            with self.subTest(limit=limit):
                command = [PROGRAM.path, LEVELS, limit]
                native = run(command, traced=False, cwd=self.directory)
                traced = run(command, cwd=self.directory)
                same_behaviour(native, traced)

    def eaten(self, limit, traced, directory):
        """What malloc gives in KiB until it fails, and what was said."""
        command = ["sh", "-c", f'ulimit {limit} && LD_PRELOAD="$2" exec "$0" "$1" eat', PROGRAM.path, "6",
                   environment(True)["LD_PRELOAD"] if traced else ""]
        result = run(command, traced=False, cwd=directory)
        self.assertEqual(result.status, 0, result)
        self.assertLessEqual(result.stderr.count(b"\n"), 1)
        return int(result.stdout.split()[1]), result.stderr

    def test_memory_is_left(self):
        """Most of the memory that a limit allows is the program's; of very little it is nearly all."""
        for limit, least in (("-v 16384", 0.5), ("-d 16384", 0.6), ("-v 49152", 0.8), ("-d 24576", 0.7),
                             ("-v 65536", 0.2), ("-d 49152", 0.3), ("-v 262144", 0.65), ("-d 262144", 0.75)):
            with self.subTest(limit=limit), scratch() as directory:
                native, traced = self.eaten(limit, False, directory), self.eaten(limit, True, directory)
                self.assertGreater(traced[0], least * native[0])
                found = traces(directory)
                self.assertEqual(len(found), b"running untraced" not in traced[1])
                for trace in found:
                    bytes_known = PROGRAM.row(trace, "eaten")["allocated_bytes"]
                    # At a limit of data there may be none left for the slots of the last blocks.
                    self.assertLessEqual(bytes_known >> 10, traced[0])
                    self.assertGreater(bytes_known >> 10, traced[0] // 2)

    def test_cgroup(self):
        """A limit of memory leaves what the program itself needs."""
        groups = Path("/sys/fs/cgroup/memory")
        limit = groups / f"mtrace-test-{os.getpid()}" / "memory.limit_in_bytes"
        try:
            limit.parent.mkdir()
        except OSError:
            self.skipTest("no memory cgroups of the first version here, or not ours")
        self.addCleanup(limit.parent.rmdir)
        limit.write_text(str(16 << 20))
        command = ["sh", "-c", 'echo $$ >"$0" && exec "$@"', limit.parent / "cgroup.procs", PROGRAM.path, LEVELS]
        same_behaviour(run(command, traced=False, cwd=self.directory), run(command, cwd=self.directory))
        self.assert_whole(only_trace(self.directory, "growing"))

    def test_limits_from_the_start(self):
        """The limits are there before the tracer is."""
        for limits in ("-f 0", "-f 32", "-n 4", "-v 65536", "-s 64"):
            with self.subTest(limits=limits), scratch() as directory:
                command = ["sh", "-c", f'ulimit {limits} && exec "$0" 10', PROGRAM.path]
                native = run(command, traced=False, cwd=directory)
                traced = run(["env", "LD_PRELOAD=" + environment(True)["LD_PRELOAD"], *command],
                             traced=False, cwd=directory)
                self.assertEqual((native.status, native.stdout), (traced.status, traced.stdout))
                self.assertEqual(native.status, 0)

    def test_full_disk(self):
        """A disk that fills up while the program runs, and one that is full before."""
        if not can_mount():
            self.skipTest("no user namespaces here")
        native = run([PROGRAM.path, LEVELS], traced=False)
        for size in ("256k", "64k", "16k", "4k"):
            with self.subTest(size=size), scratch() as elsewhere:
                script = (f'mount -t tmpfs -o size={size} none /mnt && cd /mnt && '
                          'LD_PRELOAD="$1" "$2" "$3"; status=$?; cp /mnt/* "$0"; exit $status')
                result = run(["unshare", "-rm", "sh", "-c", script, self.directory,
                              environment(True)["LD_PRELOAD"], PROGRAM.path, LEVELS], traced=False,
                             XDG_STATE_HOME=str(elsewhere))
                self.assertEqual((result.status, result.stdout), (0, native.stdout))
                if size in ("256k", "64k"):
                    self.assert_partial(only_trace(self.directory))
                    only_trace(self.directory).path.unlink()
                else:
                    self.assert_whole(only_trace(elsewhere / "libmtrace"))
                self.assertEqual(traces(self.directory), [])

    def test_full_disk_threads(self):
        """Lanes that have no room count in the sites: the totals are those of a run with room."""
        if not can_mount():
            self.skipTest("no user namespaces here")
        run([BUILT / "threads"], cwd=self.directory)
        [whole] = traces(self.directory, "threads")
        for size in ("84k", "96k", "112k", "128k", "192k"):
            with self.subTest(size=size), scratch() as directory:
                script = (f'mount -t tmpfs -o size={size} none /mnt && cd /mnt && '
                          'LD_PRELOAD="$1" "$2"; status=$?; cp /mnt/* "$0"; exit $status')
                result = run(["unshare", "-rm", "sh", "-c", script, directory,
                              environment(True)["LD_PRELOAD"], BUILT / "threads"], traced=False)
                self.assertEqual((result.status, result.stdout), (0, b"done\n"))
                totals = only_trace(directory).totals()
                for measure in ("allocations", "allocated_bytes", "current_bytes", "current_blocks"):
                    self.assertEqual(totals[measure], whole.totals()[measure], measure)

    def test_missing_libunwind(self):
        """A libunwind that can't be loaded: one line, and the program runs untraced."""
        library = self.directory / "libunwind-x86_64.so.8"
        library.write_bytes(b"not a library")
        result = run([PROGRAM.path, "4"], cwd=self.directory, LD_LIBRARY_PATH=str(self.directory))
        self.assertEqual((result.status, result.stdout),
                         (0, b"allocations 16, next descriptor 3\n"))
        self.assertRegex(result.stderr.decode(), r"\A[^\n]*libunwind[^\n]*\n\Z")
        self.assertEqual(traces(self.directory), [])

    def test_no_proc(self):
        """As in a chroot. The program's own path may be unknown then, and so its lines."""
        if not can_mount():
            self.skipTest("no user namespaces here")
        native = run([PROGRAM.path, LEVELS], traced=False)
        script = ('mount -t tmpfs none /proc && cd "$0" && LD_PRELOAD="$1" exec "$2" "$3"')
        result = run(["unshare", "-rm", "sh", "-c", script, self.directory,
                      environment(True)["LD_PRELOAD"], PROGRAM.path, LEVELS], traced=False)
        self.assertEqual((result.status, result.stdout), (0, native.stdout))
        totals = only_trace(self.directory).totals()
        self.assertGreaterEqual(totals["allocations"], 2 ** int(LEVELS))

    def test_standard_streams_closed(self):
        """Closed standard streams stay closed: the trace must not become descriptor 0, 1 or 2."""
        for streams in ("<&-", ">&-", "<&- >&- 2>&-"):
            with self.subTest(streams=streams), scratch() as directory:
                command = ["sh", "-c", f'"$0" 10 {streams}; echo status $?', PROGRAM.path]
                native = run(command, traced=False, cwd=directory)
                traced = run(command, cwd=directory)
                same_behaviour(native, traced)
                self.assertGreaterEqual(len(traces(directory, "growing")), 1)
                for trace in traces(directory, "growing"):
                    self.assertEqual(PROGRAM.row(trace, "leaf")["allocations"], 1024)

    def test_broken_stderr(self):
        """A note to a closed pipe would raise SIGPIPE."""
        read, write = os.pipe()
        os.close(read)
        with subprocess.Popen([PROGRAM.path, "10"], cwd=self.directory, stdout=subprocess.PIPE,
                              stderr=write, env=environment(True, MTRACE_VERBOSE="1")) as child:
            os.close(write)
            output = child.communicate(timeout=60)[0]
        self.assertEqual((child.returncode, output),
                         (0, b"allocations 1024, next descriptor 3\n"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
