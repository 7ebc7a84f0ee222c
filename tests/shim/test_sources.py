# SPDX-License-Identifier: MIT
"""Sources that were edited after the program was built: identified by their sum where there is one, else by their time."""
import os
import shutil
import unittest

from tracing import mtracer, run, scratch, skip, traces

MAIN = """
#include "lib/kept.h"
int main(void)
{
    return keep(1000) == 0;
}
"""
KEPT = """
#include <stdlib.h>
static void *kept;
static inline int keep(int size)
{
    kept = malloc(size);
    return kept != 0;
}
"""
YEAR = 365 * 24 * 3600
NEWER, OTHER = "is newer than the program", "is not what the program was built from"


class Sources(unittest.TestCase):
    def setUp(self):
        context = scratch()
        self.directory = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)

    def build(self, *command, folder="."):
        """Compiles by relative paths, from a directory beside them, and traces the program."""
        if not shutil.which(command[0]):
            skip(f"no {command[0]}")
        (self.directory / "src/lib").mkdir(parents=True)
        (self.directory / "src/main.c").write_text(MAIN)
        self.kept = self.directory / "src/lib/kept.h"
        self.kept.write_text(KEPT)
        done = run([*command, "-g", "-O0", "-o", self.directory / "app", f"{folder}/main.c"],
                   traced=False, cwd=self.directory / "src")
        if done.status != 0:
            skip(f"{command} fails here")
        self.assertEqual(run([self.directory / "app"], cwd=self.directory).status, 0)
        [self.trace] = traces(self.directory, "app")
        self.built = os.stat(self.directory / "app").st_mtime

    def warning(self):
        result = mtracer("annotate", self.trace.path, "keep")
        self.assertEqual(result.status, 0, result)
        self.assertIn(b"kept = malloc(size);", result.stdout)
        return [line for line in result.stderr.decode().splitlines() if "kept.h" in line]

    def touch(self, years):
        os.utime(self.kept, (self.built + years * YEAR,) * 2)

    def edit(self):
        self.kept.write_text(KEPT + "/* more */\n")

    def check_by_sum(self):
        self.assertEqual(self.warning(), [])
        self.touch(1)  # as a checkout does
        self.assertEqual(self.warning(), [])
        self.edit()
        for years in 1, -1:  # whatever its date
            self.touch(years)
            [line] = self.warning()
            self.assertIn(OTHER, line)

    def test_sums(self):
        self.build("clang", "-gdwarf-5")
        self.check_by_sum()

    def test_sums_by_another_path(self):
        """The table has "./../src/lib/kept.h"."""
        self.build("clang", "-gdwarf-5", folder="./../src")
        self.check_by_sum()

    def test_sums_compressed(self):
        self.build("clang", "-gdwarf-5", "-gz=zlib")
        self.check_by_sum()

    def test_sums_in_wide_tables(self):
        self.build("clang", "-gdwarf-5", "-gdwarf64")
        # elfutils 0.192 doesn't, of clang 19's: eu-addr2line says ??:0.
        if b"kept = malloc(size);" not in mtracer("annotate", self.trace.path, "keep").stdout:
            self.skipTest("this elfutils reads no lines of 64-bit tables")
        self.check_by_sum()

    def check_by_time(self):
        self.assertEqual(self.warning(), [])
        self.edit()
        self.touch(-1)
        self.assertEqual(self.warning(), [])
        self.touch(1)
        [line] = self.warning()
        self.assertIn(NEWER, line)

    def test_no_sums(self):
        self.build("clang", "-gdwarf-4")
        self.check_by_time()

    def test_gcc(self):
        self.build("gcc", "-gdwarf-5")
        self.check_by_time()


if __name__ == "__main__":
    unittest.main(verbosity=2)
