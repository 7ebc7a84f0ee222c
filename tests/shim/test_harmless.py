# SPDX-License-Identifier: MIT
"""The program behaves as without the library, whatever it does with processes, memory, limits and its terminal."""
import os
import shutil
import subprocess
import unittest

from programs import BUILT
from tracing import environment, mtracer, only_trace, run, same_behaviour, scratch

IN_MUSL = {"fstat64", "lstat64", "getrlimit64", "setrlimit64", "open64", "pthread_getname_np", "pthread_setname_np"}  # though not standard


class Harmless(unittest.TestCase):
    def setUp(self):
        context = scratch()
        self.directory = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)

    def both(self, *command, **variables):
        """Runs the program both ways, which must look the same."""
        native = run(command, traced=False, cwd=self.directory)
        same_behaviour(native, run(command, cwd=self.directory, **variables))
        return native

    def test_scan_is_no_child(self):
        """What looks for leaks is a process that nobody can find by waiting, and sends no signal."""
        for how in ("waitpid", "wait3", "wait4", "waitid", "nowait", "syscall", "blocking"):
            for _ in range(3):
                with self.subTest(how=how):
                    self.both(BUILT / "reaping", how)

    def test_scan_for_others_is_no_child(self):
        """Nor when somebody asks the running program."""
        for how in ("waitpid", "nowait", "blocking"):
            with self.subTest(how=how), subprocess.Popen(
                    [BUILT / "reaping", how, "1000"], cwd=self.directory, stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT, env=environment(True)) as child:
                while child.poll() is None:
                    mtracer("leaks", str(child.pid), "--wait", "1")
                self.assertEqual((child.returncode, child.stdout.read()), (0, b""))

    def test_address_space(self):
        """A program that limits itself later is worse off by 16 MiB at the most."""
        self.both(BUILT / "limited", "16")

    def test_locked_memory(self):
        """All of a process counts that locks its memory: a small one may lock 8 MiB, the usual limit, and is below it. What
        the kernel refuses later is the tracer's loss alone, and what the tracer takes later isn't locked."""
        for arguments in ["8192"], ["8192", "full"], ["8192", "threads"]:
            for start in "1", "0":
                with self.subTest(arguments=arguments, start=start):
                    self.both(BUILT / "locked", *arguments, MTRACE_START=start)

    def test_size(self):
        """Bytes of address space more than without: at the most 4 MiB.

        In one of 150 runs the kernel lays the heap's first kilobytes across a multiple of 2 MiB, and the slots of a
        second such piece take 256 KiB more; so the least of five runs counts."""
        def size(traced):
            result = run(["/bin/cat", "/proc/self/statm"], traced=traced, cwd=self.directory)
            return int(result.stdout.split()[0]) * os.sysconf("SC_PAGE_SIZE")

        self.assertLess(min(size(True) for _ in range(5)) - size(False), 4 << 20)

    def test_empty_thread_block(self):
        """A child that shares the memory has nothing of a thread's, not even errno."""
        for mmap in "0", "1":
            with self.subTest(mmap=mmap):
                native = self.both(BUILT / "empty_block", MTRACE_MMAP=mmap)
                self.assertGreater(native.stdout.count(b": 0\n"), 12)  # not all will do in any C library

    def test_other_c_library(self):
        """A program of musl's below a traced script: its loader takes the library, and finds all that it must."""
        library = environment(True)["LD_PRELOAD"]
        listed = subprocess.run(["nm", "-D", "--undefined-only", library], capture_output=True, check=True, text=True)
        must = {line.split()[1].split("@")[0] for line in listed.stdout.splitlines() if line.split()[0] == "U"}
        self.assertEqual({name for name in must if name.startswith(("_dl_", "_r_", "__sbrk", "__libc", "__register", "gnu_"))
                          or name.endswith(("64", "_np", "addr1", "_leaf"))} - IN_MUSL, set())
        if not shutil.which("musl-gcc"):
            self.skipTest("no musl-gcc here")
        source, program = self.directory / "p.c", self.directory / "p"
        source.write_text("#include <stdlib.h>\nint main(void) { free(malloc(10)); return 3; }\n")
        subprocess.run(["musl-gcc", source, "-o", program], check=True)
        result = self.both("sh", "-c", f"{program}; echo $?; {program} | cat")
        self.assertEqual(result.stdout, b"3\n")

    def least_stack(self, traced):
        """Bytes of an alternate stack that a handler needs to allocate for the first time, a multiple of 16."""
        wrong, right = 1024, 32768
        while right - wrong > 16:
            size = (wrong + right) // 2 // 16 * 16
            if run([BUILT / "altstack", size], traced=traced, cwd=self.directory).status == 0:
                right = size
            else:
                wrong = size
        return right

    def test_alternate_stack(self):
        self.assertLessEqual(self.least_stack(True) - self.least_stack(False), 512)

    def test_audited(self):
        """The loader has next to no thread storage left for a library that comes under LD_AUDIT, or late."""
        auditor = str(BUILT / "libauditor.so")
        native = run([BUILT / "growing", "6"], traced=False, LD_AUDIT=auditor)
        same_behaviour(native, run([BUILT / "growing", "6"], cwd=self.directory, LD_AUDIT=auditor))
        only_trace(self.directory)

    def test_loaded_late(self):
        library = environment(True)["LD_PRELOAD"]
        result = run(["/usr/bin/python3", "-c", f"import ctypes; ctypes.CDLL('{library}'); print('fine')"], traced=False,
                     cwd=self.directory)
        self.assertEqual((result.status, result.stdout), (0, b"fine\n"))

    def test_terminal(self):
        """Nothing is said on a terminal that isn't said elsewhere."""
        for variables in ({}, {"MTRACE_VERBOSE": "0"}, {"MTRACE_OUT": "sub/t.mtrace"}):
            with self.subTest(variables=variables):
                command = ["script", "-qec", f"env {{}} {BUILT}/growing 6", self.directory / "typescript"]
                shown = [run([*command[:2], command[2].format(preload), command[3]], traced=False, cwd=self.directory,
                             **variables)
                         for preload in ("", "LD_PRELOAD=" + environment(True)["LD_PRELOAD"])]
                if "MTRACE_OUT" in variables:  # untraced: one line
                    self.assertRegex(shown[1].stdout, rb"\Alibmtrace: [^\n]*; running untraced\r\n[^\n]*\r\n\Z")
                else:
                    same_behaviour(*shown)


if __name__ == "__main__":
    unittest.main()
