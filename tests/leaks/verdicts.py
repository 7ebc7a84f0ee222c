# SPDX-License-Identifier: MIT
"""verdicts - what becomes of the blocks of each case, by the sources' own word and by tools.

A verdict is {kind: [bytes, blocks]}; verdicts are {case: verdict}, where a case is the innermost function of a stack that the source
has a comment for (cases.h).
"""
import json
import re
from pathlib import Path
from xml.etree import ElementTree

from programs import BUILT, SOURCES
from tracing import mtracer, run

PROGRAMS = {"kinds": "kinds.c", "registers": "registers.c", "kinds_cxx": "kinds_cxx.cc", "alive": "alive.c"}
SITUATIONS = {"situations": "situations.c", "situations_cxx": "situations_cxx.cc", "situations_threads": "situations_threads.c",
              "unreadable": "unreadable.c", "allocating": "allocating.cc"}
MEMCHECK_KINDS = {"Leak_DefinitelyLost": "lost", "Leak_IndirectlyLost": "indirect",
                  "Leak_PossiblyLost": "possible", "Leak_StillReachable": "reachable"}

# Above 4 GiB: where addresses are as small as valgrind's own choice, an integer of 32 bits points into a large block by chance.
VALGRIND = ["valgrind", "--leak-check=full", "--aspace-minaddr=0x180000000"]

LSAN_FOUND = 23  # its exit status where something is lost


def add(verdicts, case, kind, size, blocks):
    total = verdicts.setdefault(case, {}).setdefault(kind, [0, 0])
    total[0] += size
    total[1] += blocks


def expected(program):
    """What the source says: `CASE name(...) // lost 40/1, indirect 80/2`, or `// freed`."""
    verdicts = {}
    for line in (SOURCES / {**PROGRAMS, **SITUATIONS}[program]).read_text().splitlines():
        found = re.match(r".*?(\w+)\([^()]*\) // (freed|(?:\w+ \d+/\d+(?:, )?)+)$", line)
        if found:
            verdicts[found.group(1)] = {}
        for kind, size, blocks in re.findall(r"(\w+) (\d+)/(\d+)", found.group(2) if found else ""):
            add(verdicts, found.group(1), kind, int(size), int(blocks))
    return verdicts


def case_of(functions, cases):
    """The innermost function that is a case; C++ names come with their namespaces, and maybe parameters."""
    for function in functions:
        name = re.sub(r"\(anonymous namespace\)::", "", function or "").split("(")[0].split("::")[-1]
        if name in cases:
            return name
    return None


def from_json(report, cases):
    verdicts = {}
    for row in report["rows"]:
        case = case_of([frame["function"] for frame in row["stack"]], cases)
        if case:
            add(verdicts, case, row["kind"], row["current_bytes"], row["current_blocks"])
    return verdicts


def by_mtracer(program, directory, built=None):
    """Runs it traced, and reads the verdict. Returns (verdicts, the whole report)."""
    trace = directory / f"{program}.mtrace"
    ended = mtracer("run", "-q", "-o", trace, "--", built or BUILT / program)
    if ended.status != 0:
        raise AssertionError(f"{program}: {ended}")
    return verdict_of(program, trace)


def verdict_of(program, trace, *options):
    result = mtracer("leaks", "--all", "--by", "site", "--json", "--no-builtin", *options, trace)
    report = json.loads(result.stdout)
    return from_json(report, expected(program)), report


def by_memcheck(program, directory, built, *options):
    xml = directory / f"{program}.xml"
    ended = run([*VALGRIND, "--show-leak-kinds=all", "--xml=yes",
                 f"--xml-file={xml}", "--num-callers=50", "--fair-sched=yes", *options, built],
                traced=False, timeout=280)
    if ended.status != 0:
        raise AssertionError(f"valgrind {program}: {ended}")
    cases, verdicts = expected(program), {}
    for error in ElementTree.parse(xml).getroot().iter("error"):
        kind = MEMCHECK_KINDS.get(error.findtext("kind"))
        case = case_of([f.findtext("fn") for f in error.find("stack").iter("frame")], cases)
        if not kind or not case:
            continue
        text = error.findtext("xwhat/text").replace(",", "")
        size = re.search(r"\((\d+) direct", text) or re.search(r"(\d+) bytes", text)
        add(verdicts, case, kind, int(size.group(1)), int(error.findtext("xwhat/leakedblocks")))
    return verdicts


def by_lsan(program, built):
    """By a build with -fsanitize=leak; None where it doesn't work. Direct leaks are lost ones."""
    ended = run([built], traced=False, LSAN_OPTIONS="fast_unwind_on_malloc=0:allocator_may_return_null=1")
    text = ended.stderr.decode(errors="replace")
    if "LeakSanitizer has encountered a fatal error" in text:
        return None
    if ended.status not in (0, LSAN_FOUND):
        raise AssertionError(f"{built}: {ended}")
    cases, verdicts = expected(program), {}
    for block in re.split(r"\n\n", text):
        head = re.search(r"(Direct|Indirect) leak of (\d+) byte\(s\) in (\d+) object", block)
        case = case_of(re.findall(r"#\d+ 0x[0-9a-f]+ in (.+?)(?: \S+:\d+| \(\S+\))", block), cases)
        if head and case:
            add(verdicts, case, "lost" if head.group(1) == "Direct" else "indirect",
                int(head.group(2)), int(head.group(3)))
    return verdicts
