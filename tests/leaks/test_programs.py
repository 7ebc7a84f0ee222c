# SPDX-License-Identifier: MIT
"""Real programs: what is lost agrees with memcheck's "definitely lost" and "indirectly lost", to the byte.

Memcheck knows which words were never written, and passes them over. In python3 they lead from one lost block to another, as
they may anywhere: what memcheck calls definitely lost is indirect here then, and only the sum is equal.
"""
import json
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from packages import missing
from tracing import mtracer, run, scratch
from verdicts import VALGRIND

SQL = "create table t(a, b);" + "".join(f"insert into t values({i}, 'text {i}');" for i in range(500)) + \
      "select count(*), sum(length(b)) from t group by a % 7;"
PYTHON = "import json, re; json.dumps({str(i): [i] * 5 for i in range(500)})"
PERL = "my %h; $h{$_} = [$_, $_] for 1..500; my $r = [1]; push @$r, $r; print scalar keys %h"
XML = "<a>" + "".join(f"<b c='{i}'>text</b>" for i in range(500)) + "</a>"

UNWRITTEN = ("python3",)


def cc1():
    done = subprocess.run(["gcc", "-print-prog-name=cc1"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "cc1"


def programs(directory):
    """{name: command}"""
    (directory / "a.xml").write_text(XML)
    (directory / "a.c").write_text("struct a { int b[10]; };\nint f(struct a *a) { return a->b[3]; }\n")
    return {
        "python3": ["/usr/bin/python3", "-c", PYTHON],
        "perl": ["perl", "-e", PERL],
        "sqlite3": ["sqlite3", ":memory:", SQL],
        "git": ["git", "init", "-q", directory / "repository"],
        "xmllint": ["xmllint", "--noout", directory / "a.xml"],
        "bash": ["bash", "-c", "for i in 1 2 3; do x=$x$i; done; echo $x"],
        "curl": ["curl", "-s", f"file://{directory}/a.xml"],
        "cc1": [cc1(), "-quiet", directory / "a.c", "-o", "/dev/null"],
        "ls": ["ls", "-la", "/usr/lib"],
    }


def number(pattern, text):
    found = re.search(pattern + r":? *([\d,]+) bytes", text)
    return int(found.group(1).replace(",", "")) if found else 0  # not said: all was freed


def by_memcheck(command, directory):
    log = directory / "log"
    done = run([*VALGRIND, f"--log-file={log}", *command], traced=False, timeout=280,
               PYTHONMALLOC="malloc", PYTHONHASHSEED="0")
    text = log.read_text()
    return done.status, (number("definitely lost", text), number("indirectly lost", text))


def by_mtracer(command, directory):
    trace = directory / "trace"
    done = mtracer("run", "-q", "--no-follow", "-o", trace, "--", *command, PYTHONMALLOC="malloc",
                   PYTHONHASHSEED="0")
    report = json.loads(mtracer("leaks", "--json", "--no-builtin", trace).stdout)
    leaks = report["leaks"]
    assert leaks["classified"], leaks["why_unclassified"]
    return done.status, (leaks["lost_bytes"], leaks["indirect_bytes"])


@unittest.skipUnless(shutil.which("valgrind"), missing("valgrind"))
class Programs(unittest.TestCase):
    pass


def make(name):
    def test(self):
        with scratch() as directory:
            command = programs(directory)[name]
            if not shutil.which(str(command[0])):
                self.skipTest(missing(command[0]))
            theirs = by_memcheck(command, directory)
            shutil.rmtree(directory / "repository", ignore_errors=True)
            ours = by_mtracer(command, directory)
            if name in UNWRITTEN:
                ours, theirs = ((status, sum(lost)) for status, lost in (ours, theirs))
            self.assertEqual(ours, theirs)
    return test


with tempfile.TemporaryDirectory() as somewhere:
    for program in programs(Path(somewhere)):
        setattr(Programs, f"test_{program}", make(program))

unittest.main(verbosity=2)
