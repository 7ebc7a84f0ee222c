# SPDX-License-Identifier: MIT
"""A process and its children, each judged by itself: as the source says, and as memcheck and LeakSanitizer say of each.

Compiled by gcc and clang, optimized and not, where these are there.
"""
import json
import re
import shutil
import unittest

from packages import missing
from programs import BUILT, SOURCES
from tracing import mtracer, run, scratch
from verdicts import LSAN_FOUND, VALGRIND, add, case_of, from_json

COMPILERS = ("gcc", "clang")
MEMCHECK = {"definitely lost": "lost", "indirectly lost": "indirect", "possibly lost": "possible",
            "still reachable": "reachable"}
EACH = ("parent", "holds", "leaks", "grandchild", "drops", "frees", "cuts", "ends", "in_thread")
EXECUTED = ("executed", "spawned")
UNJUDGED = {
    "executes": "was replaced by",
    "ends": "a forked child that ends with _exit() is not checked",
}
# LeakSanitizer looks for the stack of the thread that forked by the number that the thread had in the parent.
LSAN = {"in_thread": {"held_by_thread": {"lost": [42, 1]}}}


def expected():
    """What the source says: {process: verdicts}."""
    verdicts = {process: {} for process in (*EACH, *EXECUTED)}
    for line in (SOURCES / "forks.c").read_text().splitlines():
        found = re.match(r"[A-Z].*?(\w+)\([^()]*\) // (\w+: .*)$", line)
        told = dict(part.split(": ") for part in found.group(2).split("; ")) if found else {}
        for process, verdict in verdicts.items():
            text = told.get(process, told.get("each", "") if process in EACH else "")
            for kind, size, blocks in re.findall(r"(\w+) (\d+)/(\d+)", text):
                add(verdict, found.group(1), kind, int(size), int(blocks))
    return verdicts


CASES = {case for verdict in expected().values() for case in verdict}
CASES |= {"lost_before_exec"}  # of a process that nobody judges


def processes(ended):
    """{pid: names}, in their order: a pid that executes has two."""
    names = {}
    for name, pid in re.findall(r"(\w+) (\d+)", ended.stdout.decode()):
        names.setdefault(int(pid), []).append(name)
    return names


def by_mtracer(built, directory):
    """{process: (verdicts, why there is none)}"""
    ended = mtracer("run", "-q", "-o", directory / "%p.mtrace", "--", built)
    if ended.status != 0:
        raise AssertionError(f"{built}: {ended}")
    names, verdicts = processes(ended), {}
    for trace in directory.glob("*.mtrace*"):
        result = mtracer("leaks", "--all", "--by", "site", "--json", "--no-builtin", trace)
        report = json.loads(result.stdout)
        name = names[report["trace"]["pid"]][1 if trace.name.endswith(".2") else 0]
        verdicts[name] = from_json(report, CASES), report["leaks"]["why_unclassified"]
    return verdicts


def verdict_of(log):
    verdict = {}
    for record in log.replace(",", "").split("\n\n"):
        head = re.search(r"(\d+)(?: \((\d+) direct \d+ indirect\))? bytes in (\d+) blocks are (\w+ \w+) in loss", record)
        case = case_of(re.findall(r"(?:at|by) 0x[0-9A-F]+: (\S+)", record), CASES)
        if head and case:
            add(verdict, case, MEMCHECK[head.group(4)], int(head.group(2) or head.group(1)), int(head.group(3)))
    return verdict


def by_memcheck(built, directory):
    """Children write to the log of whom they were forked from, each line with its own pid."""
    ended = run([*VALGRIND, "--show-leak-kinds=all", "--trace-children=yes", "--num-callers=50",
                 f"--log-file={directory}/%p.log", built], traced=False, timeout=280)
    if ended.status != 0:
        raise AssertionError(f"valgrind {built}: {ended}")
    lines = {}
    for log in directory.glob("*.log"):
        for pid, line in re.findall(r"^==(\d+)== ?(.*)$", log.read_text(), re.M):
            lines.setdefault(int(pid), []).append(line)
    return {names[-1]: verdict_of("\n".join(lines[pid])) for pid, names in processes(ended).items()}


def told_by_lsan(verdict):
    """What is left where only lost blocks are told."""
    told = {case: {kind: sizes for kind, sizes in kinds.items() if kind in ("lost", "indirect")}
            for case, kinds in verdict.items()}
    return {case: kinds for case, kinds in told.items() if kinds}


def by_lsan(built):
    """None where it doesn't work. A process that ends by _exit() or executes another program isn't judged."""
    ended = run([built], traced=False, LSAN_OPTIONS=f"fast_unwind_on_malloc=0:exitcode={LSAN_FOUND}")
    text = ended.stderr.decode(errors="replace")
    if "LeakSanitizer has encountered a fatal error" in text:
        return None
    names = processes(ended)
    verdicts = {name[-1]: {} for name in names.values()}
    for pid, report in re.findall(r"^==(\d+)==ERROR: LeakSanitizer(.*?)^SUMMARY", text, re.M | re.S):
        for record in report.split("\n\n"):
            head = re.search(r"(Direct|Indirect) leak of (\d+) byte\(s\) in (\d+) object", record)
            case = case_of(re.findall(r"#\d+ 0x[0-9a-f]+ in (\w+)", record), CASES)
            if head and case:
                add(verdicts[names[int(pid)][-1]], case, "lost" if head.group(1) == "Direct" else "indirect",
                    int(head.group(2)), int(head.group(3)))
    return verdicts


class Forks(unittest.TestCase):
    maxDiff = None

    def built(self, compiler, level, more=""):
        built = BUILT / f"forks-{compiler}{level}{more}"
        if not built.exists():
            self.skipTest(missing(compiler))
        return built

    def check(self, compiler, level):
        wanted = expected()
        with scratch() as directory:
            verdicts = by_mtracer(self.built(compiler, level), directory)
        self.assertEqual({*verdicts}, {*EACH, *EXECUTED, *UNJUDGED})
        for process, (verdict, why) in verdicts.items():
            with self.subTest(process=process):
                if process in UNJUDGED:
                    self.assertIn(UNJUDGED[process], why)
                    self.assertTrue(all({*kinds} == {"unclassified"} for kinds in verdict.values()), verdict)
                    self.assertIn("lost_before", verdict)
                else:
                    self.assertIsNone(why)
                    self.assertEqual(verdict, wanted[process])

    def compare(self, verdicts, wanted, known=None):
        """Where a tool is known to err, it may, or be right by now."""
        for process, verdict in wanted.items():
            got, wrong = verdicts.get(process), (known or {}).get(process, {})
            with self.subTest(process=process):
                if got != {**verdict, **wrong}:
                    self.assertEqual(got, verdict)

    @unittest.skipUnless(shutil.which("valgrind"), missing("valgrind"))
    def check_memcheck(self, compiler, level):
        with scratch() as directory:
            verdicts = by_memcheck(self.built(compiler, level), directory)
        self.compare(verdicts, expected())

    def check_lsan(self, compiler, level):
        verdicts = by_lsan(self.built(compiler, level, "-lsan"))
        if verdicts is None:
            self.skipTest("it gives up")
        wanted = {process: told_by_lsan(verdict) for process, verdict in expected().items() if process != "ends"}
        self.compare(verdicts, wanted, LSAN)


for c in COMPILERS:
    for o in ("-O0", "-O2"):
        for by, function in ("", "check"), ("_memcheck", "check_memcheck"), ("_lsan", "check_lsan"):
            setattr(Forks, f"test_{c}{o.replace('-', '_')}{by}",
                    lambda self, f=function, c=c, o=o: getattr(self, f)(c, o))

unittest.main(verbosity=2)
