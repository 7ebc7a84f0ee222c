# SPDX-License-Identifier: MIT
"""Programs built with sanitizers, which replace malloc themselves: the library stays out, and says so in one line."""
import os
import re
import shutil
import subprocess
import unittest

from tracing import LIBRARY, mtracer, run, scratch, skip, traces

SOURCE = """
#include <stdio.h>
#include <stdlib.h>
#include <pthread.h>
static void *work(void *arg) { free(malloc(10)); return arg; }
int main(void)
{
    pthread_t thread;
    char *p = calloc(10, 10);
    p = realloc(p, 1000);
    pthread_create(&thread, NULL, work, NULL);
    pthread_join(thread, NULL);
    printf("read %d\\n", p[3]);
    free(p);
    return 3;
}
"""
LIBRARY_SOURCE = """
#include <stdlib.h>
char *made(void)
{
    char *p = malloc(10);
    for (int i = 0; i < 10; i++)
        p[i] = 0;
    return p;
}
"""
USER = """
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
extern char *made(void) __attribute__((weak));
static void *work(void *arg) { free(malloc(10)); return arg; }
int main(int argc, char **argv)
{
    void *early = malloc(77), *library = argc > 1 ? dlopen(argv[1], RTLD_NOW | RTLD_GLOBAL) : NULL;
    char *(*make)(void) = library ? (char *(*)(void))dlsym(library, "made") : made;
    char *p = make();
    pthread_t thread;
    pid_t child;
    p = realloc(p, 1000);
    pthread_create(&thread, NULL, work, NULL);
    pthread_join(thread, NULL);
    child = fork();
    if (child == 0) {
        free(early);
        _exit(0);
    }
    waitpid(child, NULL, 0);
    printf("read %d\\n", p[3]);
    free(p);
    free(early);
    return 3;
}
"""
OWN_MALLOC = """
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
static char memory[1 << 20];
static size_t used;
void *malloc(size_t size)
{
    void *p = memory + used;
    used += (size + 15) & ~(size_t)15;
    return p;
}
void free(void *p) { (void)p; }
int main(void)
{
    int (*volatile act)(int, const struct sigaction *, struct sigaction *) = sigaction;
    act(SIGUSR1, NULL, NULL);
    puts("fine");
    return 3;
}
"""
STATIC = [("gcc", "address", "-static-libasan"), ("gcc", "thread", "-static-libtsan"), ("gcc", "leak", "-static-liblsan"),
          ("clang", "address"), ("clang", "thread"), ("clang", "memory"), ("clang", "leak"), ("clang", "dataflow"),
          ("clang", "hwaddress")]
SHARED = [("gcc", "address"), ("gcc", "thread"), ("gcc", "leak"), ("clang", "address", "-shared-libasan")]
NO_MATTER = [("gcc", "undefined"), ("clang", "undefined")]
LINE = r"\Alibmtrace: [^\n]*anitizer[^\n]*untraced[^\n]*\n\Z"
TOO_LATE = b"ASan runtime does not come first in initial library list"


def runtime_folder():
    """Where clang keeps its shared run-time systems, which its programs don't know."""
    path = subprocess.run(["clang", "-print-file-name=libclang_rt.asan-x86_64.so"], stdout=subprocess.PIPE, check=False)
    return path.stdout.decode().rpartition("/")[0]


class Sanitizers(unittest.TestCase):
    def setUp(self):
        context = scratch()
        self.directory = context.__enter__()
        self.addCleanup(context.__exit__, None, None, None)
        self.paths = {"LD_LIBRARY_PATH": runtime_folder()}
        (self.directory / "program.c").write_text(SOURCE)

    def programs(self, kinds):
        """Those that this system's compilers can make, and that run."""
        for compiler, sanitizer, *flags in kinds:
            path = self.directory / "-".join([compiler, sanitizer, *flags])
            command = [compiler, "-g", f"-fsanitize={sanitizer}", *flags, "program.c", "-o", path, "-pthread"]
            made = shutil.which(compiler) and subprocess.run(
                command, cwd=self.directory, capture_output=True, check=False).returncode == 0
            if made and run([path], traced=False, **self.paths).status == 3:
                yield path

    def assert_left_alone(self, result):
        self.assertEqual((result.status, result.stdout), (3, b"read 0\n"), result)
        self.assertRegex(result.stderr.decode(), LINE)
        self.assertEqual(traces(self.directory), [])

    def test_static(self):
        for program in self.programs(STATIC):
            with self.subTest(program=program.name):
                self.assert_left_alone(run([program], cwd=self.directory))

    def test_shared(self):
        """Behind another library ASan refuses to start, and says that itself."""
        for program in self.programs(SHARED):
            with self.subTest(program=program.name):
                result = run([program], cwd=self.directory, **self.paths)
                if TOO_LATE in result.stderr:
                    self.assertEqual(traces(self.directory), [])
                    result = run([program], cwd=self.directory, ASAN_OPTIONS="verify_asan_link_order=0", **self.paths)
                self.assert_left_alone(result)

    def users(self, linked, kinds):
        """Programs that aren't built with a sanitizer themselves but use a library that is, and that library."""
        (self.directory / "library.c").write_text(LIBRARY_SOURCE)
        (self.directory / "user.c").write_text(USER)
        for compiler, sanitizer, *flags in filter(lambda kind: shutil.which(kind[0]), kinds):
            name = "-".join([compiler, sanitizer])
            library, user = self.directory / f"lib{name}.so", self.directory / f"user-{name}"
            with_it = [library, f"-Wl,-rpath,{self.directory}"] if linked else []
            made = [subprocess.run(command, cwd=self.directory, capture_output=True, check=False).returncode for command in (
                [compiler, "-g", f"-fsanitize={sanitizer}", *flags, "-shared", "-fPIC", "library.c", "-o", library],
                [compiler, "-g", "user.c", *with_it, "-o", user, "-pthread", "-ldl"])]
            command = [user] if linked else [user, library]
            if made == [0, 0] and run(command, traced=False, **self.orderless()).status == 3:
                yield command

    def orderless(self):
        return {"ASAN_OPTIONS": "verify_asan_link_order=0", **self.paths}

    def test_through_a_library(self):
        """Then the run-time system stands far behind in the order in which names are looked up: what it takes from behind itself may be
        before it by one more library that is needed."""
        for command in self.users(True, SHARED):
            with self.subTest(program=command[0].name):
                self.assert_left_alone(run(command, cwd=self.directory, **self.orderless()))
                result = mtracer("run", "--out", self.directory / "t.mtrace", "--", *command, **self.orderless())
                self.assertEqual((result.status, result.stdout), (3, b"read 0\n"), result)
                self.assertRegex(result.stderr.decode(), r"\Amtracer: [^\n]*sanitizer[^\n]*untraced\n\Z")
                self.assertEqual(list(self.directory.glob("*.mtrace")), [])

    def test_loaded_later(self):
        """By dlopen() it replaces nothing: the program is traced."""
        for command in self.users(False, SHARED):
            with self.subTest(program=command[0].name):
                result = run(command, cwd=self.directory, **self.orderless())
                self.assertEqual((result.status, result.stdout, result.stderr), (3, b"read 0\n", b""), result)
                self.assertEqual(len(traces(self.directory, command[0].name)), 2)

    def test_needs_no_loader(self):
        """A library that does (by a call of __tls_get_addr) brings it before the libraries of the program's libraries, and ASan there calls
        NULL."""
        told = subprocess.run(["readelf", "-d", LIBRARY], stdout=subprocess.PIPE, check=True).stdout.decode()
        needed = re.findall(r"NEEDED.*\[(.*)\]", told)
        self.assertIn("libc.so.6", needed)
        self.assertEqual([name for name in needed if name.startswith("ld-")], [])

    def test_runtime_preloaded_first(self):
        for program in self.programs(SHARED):
            listing = run(["ldd", program], traced=False, **self.paths).stdout.decode()
            [runtime] = re.findall(r"=> (\S*(?:san|clang_rt)\S*) ", listing)
            with self.subTest(program=program.name):
                self.assert_left_alone(run([program], cwd=self.directory, LD_PRELOAD=f"{runtime}:{LIBRARY}", **self.paths))

    def test_under_run(self):
        for program in self.programs(STATIC + SHARED):
            with self.subTest(program=program.name):
                result = mtracer("run", "--out", self.directory / "t.mtrace", "--", program, **self.paths)
                self.assertEqual((result.status, result.stdout), (3, b"read 0\n"), result)
                self.assertRegex(result.stderr.decode(), r"\Amtracer: [^\n]*sanitizer[^\n]*untraced\n\Z")
                self.assertEqual(list(self.directory.glob("*.mtrace")), [])

    def test_runtime_preloaded_under_run(self):
        """As people do it with plug-ins that are built with ASan, in a program that isn't."""
        path = subprocess.run(["gcc", "-print-file-name=libasan.so"], stdout=subprocess.PIPE, check=False)
        runtime = os.path.realpath(path.stdout.decode().strip())
        native = run(["/bin/echo", "word"], traced=False, LD_PRELOAD=runtime)
        if native.stderr or not os.path.isabs(runtime) or ".so." not in runtime:
            self.skipTest("no ASan for gcc: package libasan8")
        result = mtracer("run", "--out", self.directory / "t.mtrace", "--", "/bin/echo", "word", LD_PRELOAD=runtime)
        self.assertEqual((result.status, result.stdout), (native.status, native.stdout), result)
        self.assertRegex(result.stderr.decode(), r"\Amtracer: [^\n]*sanitizer[^\n]*untraced\n\Z")

    def test_own_malloc_is_no_sanitizer(self):
        """A program that isn't position-independent and takes the address of a function of the C library has an entry
        for it, as if it defined it."""
        (self.directory / "own.c").write_text(OWN_MALLOC)
        for compiler in filter(shutil.which, ("gcc", "clang")):
            program = self.directory / f"own-{compiler}"
            subprocess.run([compiler, "-O1", "-fno-builtin", "-fno-pie", "-no-pie", "own.c", "-o", program], cwd=self.directory,
                           check=True)
            with self.subTest(compiler=compiler):
                result = run([program], cwd=self.directory)
                self.assertEqual((result.status, result.stdout, result.stderr), (3, b"fine\n", b""))
                [trace] = traces(self.directory, program.name)
                self.assertIn(b"the program defines its own malloc", mtracer("info", trace.path).stdout)

    def test_undefined_behaviour_is_no_matter(self):
        """Its sanitizer has no allocator."""
        programs = list(self.programs(NO_MATTER))
        if not programs:
            skip("no compiler has UBSan: package libubsan1")
        for program in programs:
            self.assertEqual(run([program], cwd=self.directory).stderr, b"")
        self.assertEqual(len(traces(self.directory)), len(programs))


if __name__ == "__main__":
    unittest.main(verbosity=2)
