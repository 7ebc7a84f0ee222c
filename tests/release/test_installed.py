# SPDX-License-Identifier: MIT
"""An installation, moved to a directory of its own: all of it is there, and works from there."""
import os
import shutil
import subprocess
import unittest
from pathlib import Path

from tracing import Trace, environment, only_trace, run, scratch

BUILD, PREFIX = Path(os.environ["TEST_BUILD"]), os.environ["TEST_PREFIX"]

PROGRAM = r"""
#include <libmtrace.h>
#include <stdio.h>
#include <stdlib.h>

int main(void)
{
	MTRACE_START();
	char *block = malloc(1000);
	MTRACE_STOP();
	printf("%d %d\n", block != NULL, mtrace_start != NULL);
	return 0;
}
"""


def pkg_config(root, *options):
    """pkg-config's answer about the installation below root."""
    [file] = root.rglob("libmtrace.pc")
    done = subprocess.run(["pkg-config", f"--define-variable=prefix={root}{PREFIX}", *options, "libmtrace"], text=True,
                          env=environment(False, PKG_CONFIG_PATH=str(file.parent)), capture_output=True, check=True)
    return done.stdout.split()


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        context = scratch()
        cls.root = context.__enter__()
        cls.addClassCleanup(context.__exit__, None, None, None)
        subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", cls.root],
                       stdout=subprocess.DEVNULL, check=True)
        cls.prefix = Path(f"{cls.root}{PREFIX}")

    def test_files(self):
        names = {path.name for path in self.prefix.rglob("*") if path.is_file()}
        wanted = {"mtracer", "libmtrace.so", "libmtrace_jemalloc.so", "libmtrace_mimalloc.so", "libmtrace_tcmalloc.so",
                  "libmtrace.h", "mtrace-gdb.py", "mtrace.rs", "mtrace.py", "libmtrace.pc", "mtracer.1", "mtrace-format.5", "libmtrace.7",
                  "mtracer.bash", "_mtracer", "mtracer.fish"}
        self.assertEqual(wanted - names, set())

    def test_the_command_finds_the_library_beside_it(self):
        with scratch() as directory:
            done = run([self.prefix / "bin/mtracer", "run", "--quiet", "--", "/bin/true"], traced=False, cwd=directory)
            self.assertEqual((done.status, done.stderr), (0, b""))
            only_trace(directory)

    @unittest.skipUnless(shutil.which("pkg-config"), "pkg-config is missing")
    def test_a_program_that_controls_the_tracing(self):
        [preload] = pkg_config(self.root, "--variable=preload")
        with scratch() as directory:
            source = Path(directory) / "controls.c"
            source.write_text(PROGRAM)
            subprocess.run(["gcc", "-g", source, "-o", directory / "controls", *pkg_config(self.root, "--cflags", "--libs")],
                           check=True)
            native = run([directory / "controls"], traced=False, cwd=directory)
            self.assertEqual((native.status, native.stdout), (0, b"1 0\n"))
            traced = run([directory / "controls"], traced=False, cwd=directory, LD_PRELOAD=preload, MTRACE_START="0")
            self.assertEqual((traced.status, traced.stdout), (0, b"1 1\n"))
            rows = Trace(only_trace(directory).path).lines(source)
            self.assertEqual([row["allocated_bytes"] for row in rows.values()], [1000])


if __name__ == "__main__":
    unittest.main()
