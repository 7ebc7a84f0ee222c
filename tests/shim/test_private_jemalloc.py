# SPDX-License-Identifier: MIT
"""The tracer's private heap: invisible to the program, deaf to its configuration."""
import os
import subprocess
import unittest

from tracing import run

HOST, GUEST = os.environ["TEST_HOST"], os.environ["TEST_GUEST"]
FORBIDDEN = {"getenv", "secure_getenv", "readlink", "readlinkat", "sbrk", "brk", "mmap", "munmap",
             "pthread_create", "dlsym", "malloc", "free", "calloc", "realloc", "atexit"}


def symbols(*options):
    output = subprocess.run(["nm", "-D", *options, GUEST], capture_output=True, check=True,
                            text=True).stdout
    return {line.split()[-1].split("@")[0] for line in output.splitlines()}


class PrivateJemalloc(unittest.TestCase):
    def test_exports(self):
        self.assertEqual(symbols("--defined-only"), {"guest_check"})

    def test_imports(self):
        self.assertEqual(symbols("--undefined-only") & FORBIDDEN, set())

    def test_needs_only_libc(self):
        output = subprocess.run(["readelf", "-d", GUEST], capture_output=True, check=True,
                                text=True).stdout
        needed = [line.split("[")[1].rstrip("]") for line in output.splitlines()
                  if "(NEEDED)" in line]
        self.assertEqual([name for name in needed if not name.startswith(("libc.", "ld-"))], [])

    def test_takes_nothing_before_it_is_asked(self):
        """Neither address space for its tree of pages, nor does anything run when the library is loaded."""
        output = subprocess.run(["size", "-A", GUEST], capture_output=True, check=True, text=True).stdout
        sizes = {fields[0]: int(fields[1]) for line in output.splitlines()
                 if (fields := line.split())[2:] and fields[1].isdigit()}
        self.assertLess(sizes[".bss"], 1 << 20)
        self.assertEqual(sizes.get(".init_array", 8), 8)  # the compiler's frame_dummy

    def check(self, **variables):
        result = run([HOST], traced=False, LD_PRELOAD=GUEST, **variables)
        self.assertEqual((result.status, result.stdout, result.stderr), (0, b"guest 0\n", b""))

    def test_works(self):
        self.check()

    def test_ignores_the_programs_options(self):
        self.check(MALLOC_CONF="narenas:7,stats_print:true,abort_conf:true,nonsense:1",
                   MTJE_MALLOC_CONF="narenas:7", JE_MALLOC_CONF="narenas:7")


if __name__ == "__main__":
    unittest.main(verbosity=2)
