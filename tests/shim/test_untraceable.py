# SPDX-License-Identifier: MIT
"""Programs that can't be traced: they run as ever, and the user is told why there is nothing to see."""
import json
import subprocess
import unittest

from programs import Program
from tracing import LIBRARY, mtracer, run, same_behaviour, scratch, traces


ALLOCATES = """
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
int main()
{
    std::string text(100, 'x');
    int *numbers = new int[10];
    void *p = reallocarray(nullptr, 10, 10), *q = aligned_alloc(64, 128);
    p = reallocarray(p, 200, 20);
    std::puts(strdup(text.c_str()));
    std::free(p);
    std::free(q);
    delete[] numbers;
}
"""


LOADS = """
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(int argc, char **argv)
{
    void *before = malloc(100), *library = dlopen(argv[1], atoi(argv[2]));
    if (!library)
        printf("%s\\n", dlerror());
    free(before);
    free(strdup(argv[argc - 1]));
    puts("done");
    return 5;
}
"""


class Untraceable(unittest.TestCase):
    def setUp(self):
        context = scratch()
        self.directory = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)

    def preload(self, name):
        native = run([Program(name).path], traced=False)
        traced = run([Program(name).path], cwd=self.directory)
        self.assertEqual((native.status, native.stdout), (traced.status, traced.stdout))
        return native

    def under_run(self, name):
        native = run([Program(name).path], traced=False)
        result = mtracer("run", "--out", self.directory / "t.mtrace", "--", Program(name).path)
        self.assertEqual((result.status, result.stdout), (native.status, native.stdout))
        return result.stderr.decode()

    def test_static_preloaded(self):
        same_behaviour(self.preload("static"), run([Program("static").path]))
        self.assertEqual(traces(self.directory), [])

    def test_static_under_run(self):
        self.assertIn("static", self.under_run("static"))

    def test_own_malloc_preloaded(self):
        """The trace exists and says why it is empty."""
        self.preload("own_malloc")
        [trace] = traces(self.directory)
        self.assertEqual(trace.totals()["allocations"], 0)
        info = mtracer("info", trace.path)
        self.assertEqual(info.status, 0)
        self.assertIn("malloc", info.stdout.decode())
        self.assertTrue(json.loads(mtracer("info", trace.path, "--json").stdout))

    def test_own_malloc_under_run(self):
        self.assertIn("malloc", self.under_run("own_malloc"))

    def test_allocator_linked_in(self):
        """An allocator's archive in the program: all calls stay there, those of the C library's functions, too."""
        (self.directory / "program.cc").write_text(ALLOCATES)
        for archive in "libjemalloc.a", "libtcmalloc_minimal.a":
            program = self.directory / archive.partition(".")[0]
            made = subprocess.run(["g++", "-g", "program.cc", "-o", program, "-l:" + archive, "-pthread", "-ldl"],
                                  cwd=self.directory, capture_output=True, check=False)
            if made.returncode != 0:
                continue
            with self.subTest(archive=archive):
                same_behaviour(run([program], traced=False), run([program], cwd=self.directory))
                [trace] = traces(self.directory, program.name)
                self.assertEqual(trace.totals()["allocations"], 0)
                self.assertFalse(trace.report()["trace"]["complete"])
                result = mtracer("run", "--quiet", "--out", self.directory / "t.mtrace", "--", program)
                self.assertIn(b"brings its own malloc", result.stderr)

    def test_loaded_late(self):
        """By dlopen, or linked behind the C library: malloc is that one's then, and that is what is said."""
        (self.directory / "program.c").write_text(LOADS)
        native = run(["cc", "program.c", "-o", "program", "-ldl"], traced=False, cwd=self.directory)
        self.assertEqual(native.status, 0, native)
        ways = ["2", str(2 | 8), str(2 | 256), str(2 | 8 | 256)]  # RTLD_NOW with RTLD_DEEPBIND, RTLD_GLOBAL
        for way in ways:
            with self.subTest(way=way):
                result = run([self.directory / "program", LIBRARY, way], traced=False, cwd=self.directory)
                self.assertEqual((result.status, result.stdout), (5, b"done\n"), result)
                self.assertRegex(result.stderr.decode(), r"\Alibmtrace: [^\n]*after the C library[^\n]*running untraced[^\n]*\n\Z")
                self.assertEqual(traces(self.directory), [])
        # Preloaded, it is the first, and is only loaded once more.
        result = run([self.directory / "program", LIBRARY, ways[0]], cwd=self.directory)
        self.assertEqual((result.status, result.stdout, result.stderr), (5, b"done\n", b""))
        self.assertEqual(len(traces(self.directory)), 1)

    def test_script(self):
        """A script's interpreter is what is traced."""
        script = self.directory / "script"
        script.write_text("#!/bin/sh\necho \"$#\"\nexit 4\n")
        script.chmod(0o755)
        native = run([script, "a", "b"], traced=False)
        result = mtracer("run", "--out", self.directory / "t.mtrace", "--", script, "a", "b")
        self.assertEqual((result.status, result.stdout), (native.status, native.stdout))

    def test_missing_program(self):
        result = mtracer("run", "--out", self.directory / "t.mtrace", "--", "/no/such/program")
        self.assertIn(result.status, (126, 127, 2))
        self.assertRegex(result.stderr.decode(), r"\Amtracer: [^\n]*/no/such/program[^\n]*\n\Z")


if __name__ == "__main__":
    unittest.main(verbosity=2)
