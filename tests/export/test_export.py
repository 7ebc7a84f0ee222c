# SPDX-License-Identifier: MIT
"""test_export.py - exported traces have the figures of reports, line by line, as the readers of the formats see them.

usage: test_export.py FORMAT

Traces are those of tests/golden, some with names and stacks that are hard on a format, and of real programs. Each format
is read by a few lines here, which know what the format says and nothing of mtracer, and by its own reader where there is
one: callgrind_annotate, heaptrack_print, ms_print, go tool pprof.
"""
import collections
import csv
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from packages import missing
from tracing import Trace, environment, mtracer, run, scratch, skip

REPORTED = ("at_peak_bytes", "current_bytes", "current_blocks", "allocated_bytes", "allocations", "temporary")

PROGRAMS = {
    "python3": ["-c", "import json\nkept = [json.loads('[%s]' % (i * '1,' + '1')) for i in range(60)]"],
    "perl": ["-e", 'my %h; $h{$_ % 97} .= "x" x $_ for 1 .. 2000; print scalar(keys %h), "\\n"'],
    "git": ["--exec-path"],
}

# Names and stacks that formats have a meaning for, or none. The first byte of a name is no blank, as the statement ends there.
HOSTILE = [b"a;b c", b"operator new[](unsigned long)", b"(1) first", b"fn=(2) x", b"calls=3 4", b'quote"back\\slash',
           b"latin-\xe9\xff", b"\xe2\x80\xaeturned", b"</script><img src=x>", b"tab\there", b"=1+1", b"x" * 5000, b"12 34"]


def hostile(path):
    """A trace of all of these, each below the other, and of recursion 900 deep, direct and not."""
    lines = [b"program /opt/a;b c/app", b'argument app"', b"argument two;words here", b"module app 0x400000 0x400000 0x420000 exe /opt/app"]
    for i, name in enumerate(HOSTILE):
        lines += [b"frame f%d app 0x%x" % (i, 0x410001 + 16 * i), b"symbol f%d %d /src/a;b.c %s" % (i, i, name),
                  b"site s%d whole heap %s" % (i, b" ".join(b"f%d" % k for k in range(i, -1, -1))), b"alloc s%d %d %d" % (i, 16 + i, i + 1)]
    lines += [b"site direct whole heap " + b" ".join([b"f0"] * 900), b"alloc direct 100 3",
              b"site mutual whole heap " + b" ".join([b"f1 f2"] * 450), b"alloc mutual 200 2", b"free mutual 200",
              b"site both whole heap f5 f1 f2 f1 f3", b"temporary both 64 7"]
    path.write_bytes(b"\n".join(lines) + b"\n")


def make_traces(directory):
    hostile(directory / "hostile.trace")
    made = {}
    for description in [*Path(os.environ["TEST_GOLDEN"]).glob("*.trace"), directory / "hostile.trace"]:
        made[description.stem] = directory / f"{description.stem}.mtrace"
        subprocess.run([os.environ["TEST_MAKE_TRACE"], description, made[description.stem]], check=True)
    for program, arguments in PROGRAMS.items():
        if not shutil.which(program):
            continue
        made[program] = directory / f"{program}.mtrace"
        result = run([program, *arguments], MTRACE_OUT=str(made[program]), PYTHONMALLOC="malloc", timeout=300)
        assert result.status == 0, result
    return made


# ---- what a report says, and what an export must

DECEPTIVE = "[\ufffd\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]"


def clean(text):
    """As texts are printed: bytes that are no UTF-8, and marks that turn the order of the text, as question marks; and any
    blanks alike.
    """
    return re.sub(r"\s+", " ", re.sub(DECEPTIVE, "?", text)) if text else ""


def where(row):
    """What lines are compared by: functions only where the line isn't known."""
    return f"{clean(row['file'])}:{row['line']}" if row["file"] and row["line"] else clean(row["function"])


def expected(trace, by="line", *options, key=where):
    sums = {measure: collections.Counter() for measure in REPORTED}
    for row in Trace(trace).report(by, *options)["rows"]:
        for measure in REPORTED:
            sums[measure][key(row)] += row[measure]
    return without_nothing(sums)


def without_nothing(sums):
    return {measure: {k: n for k, n in counter.items() if n} for measure, counter in sums.items()}


def same(name, wanted, got):
    for measure in got:
        if wanted[measure] != got[measure]:
            lines = sorted(set(wanted[measure]) | set(got[measure]))
            wrong = [(k, wanted[measure].get(k), got[measure].get(k)) for k in lines
                     if wanted[measure].get(k) != got[measure].get(k)]
            raise AssertionError(f"{name}: {measure}: (line, report, export) {wrong[:5]!r}")


def totals_of(trace):
    totals = Trace(trace).totals()
    return dict(totals, at_peak_bytes=totals["peak_bytes"])


def export(trace, form, *options):
    result = mtracer("export", "--format", form, *options, trace)
    assert result.status == 0, result
    return result.stdout


def place(function, file, line):
    return f"{clean(file)}:{line}" if file and line else clean(function)


def folded_name(row):
    return re.sub("[ _]+", "_", clean(row["function"]).replace(";", ":"))


# ---- the formats

def read_folded(text):
    """By flamegraph.pl's grammar: {leaf: sum}."""
    sums = collections.Counter()
    for line in text.decode().splitlines():
        stack, number = re.fullmatch(r"(\S+) (\d+)", line).groups()
        assert all(stack.split(";")), line
        sums[re.sub("_+", "_", stack.split(";")[-1])] += int(number)
    return dict(sums)


def check_folded(name, trace):
    wanted = expected(trace, "function", key=folded_name)
    for measure in REPORTED:
        got = {measure: read_folded(export(trace, "folded", "--measure", measure))}
        same(name, wanted, got)


def check_csv(name, trace):
    sums = {measure: collections.Counter() for measure in REPORTED}
    for row in csv.DictReader(export(trace, "csv").decode().splitlines()):
        assert None not in row and None not in row.values(), row
        for measure in REPORTED:
            sums[measure][place(row["function"], row["file"], row["line"])] += int(row[measure])
        assert int(row["peak_bytes"]) >= max(int(row["at_peak_bytes"]), int(row["current_bytes"])), row
    same(name, expected(trace), without_nothing(sums))


DHAT_FRAME = re.compile(r"0x[0-9A-F]+: (.*?)(?: \(([^()]*):(\d+)\)| \(in [^()]*\))?", re.DOTALL)


def check_dhat(name, trace):
    """What dh_view.js asks for: its fields, and no two stacks alike."""
    data = json.loads(export(trace, "dhat"))
    sums = {measure: collections.Counter() for measure in REPORTED[:5]}
    fields = {"at_peak_bytes": "gb", "current_bytes": "eb", "current_blocks": "ebk", "allocated_bytes": "tb", "allocations": "tbk"}
    for field in ("mode", "verb", "tu", "Mtu", "cmd", "pid", "te", "tg", "tuth"):
        assert field in data, field
    assert data["dhatFileVersion"] == 2 and data["bklt"] is True and data["bkacc"] is False
    assert data["te"] > 0 and 0 <= data["tg"] <= data["te"]
    assert len({tuple(stack["fs"]) for stack in data["pps"]}) == len(data["pps"])
    for stack in data["pps"]:
        assert stack["fs"] and all(0 < frame < len(data["ftbl"]) for frame in stack["fs"]), stack
        assert stack["mb"] >= max(stack["gb"], stack["eb"]) and stack["mbk"] <= stack["tbk"], stack
        leaf = place(*DHAT_FRAME.fullmatch(data["ftbl"][stack["fs"][0]]).groups())
        for measure, field in fields.items():
            sums[measure][leaf] += stack[field]
    same(name, expected(trace), without_nothing(sums))


def check_speedscope(name, trace):
    """By file-format-spec.ts of speedscope 1.x."""
    data = json.loads(export(trace, "speedscope", "--measure", "current_bytes"))
    names = {"at peak": "at_peak_bytes", "current": "current_bytes", "current blocks": "current_blocks", "allocated": "allocated_bytes",
             "allocations": "allocations", "temporary": "temporary"}
    frames, sums = data["shared"]["frames"], {}
    assert data["$schema"] == "https://www.speedscope.app/file-format-schema.json"
    assert data["profiles"][data["activeProfileIndex"]]["name"] == "current"
    for frame in frames:
        assert isinstance(frame["name"], str) and set(frame) <= {"name", "file", "line"}, frame
    for profile in data["profiles"]:
        assert profile["type"] == "sampled" and profile["unit"] in ("bytes", "none"), profile["name"]
        assert len(profile["samples"]) == len(profile["weights"]), profile["name"]
        assert (profile["startValue"], profile["endValue"]) == (0, sum(profile["weights"]))
        counter = collections.Counter()
        for stack, weight in zip(profile["samples"], profile["weights"]):
            leaf = frames[stack[-1]]
            counter[place(leaf["name"], leaf.get("line") and leaf["file"], leaf.get("line"))] += weight
        if profile["name"] in names:
            sums[names[profile["name"]]] = dict(counter)
    same(name, expected(trace), sums)


def check_json(name, trace):
    """By what mtracer(1) says of it."""
    data = json.loads(export(trace, "json"))
    assert (data["schema"], data["version"]) == ("mtracer stacks", 1)
    assert data["totals"] == Trace(trace).totals()
    sums = {measure: collections.Counter() for measure in REPORTED}
    for stack in data["stacks"]:
        leaf = data["frames"][stack["frames"][0]]
        assert all(data["frames"][f]["module"] < len(data["modules"]) for f in stack["frames"])
        assert stack["peak_bytes"] >= max(stack["at_peak_bytes"], stack["current_bytes"]), stack
        for measure in REPORTED:
            sums[measure][place(leaf["function"], leaf["file"], leaf["line"])] += stack[measure]
    same(name, expected(trace), without_nothing(sums))


# ---- massif

def massif_tree(lines, total):
    """(bytes, text, children) of a tree whose lines come from an iterator; the sums are right."""
    depth, children, size, text = re.fullmatch(r"( *)n(\d+): (\d+) (.*)", next(lines)).groups()
    below = [massif_tree(lines, total) for _ in range(int(children))]
    assert all(len(depth) + 1 == child[3] for child in below), text
    assert sum(child[0] for child in below) <= int(size), text
    for child in below:
        assert child[1].startswith("in ") or child[0] * 100 >= total, child[:2]
    return int(size), text, below, len(depth)


def massif_snapshots(text):
    lines = iter(text.splitlines())
    assert re.match("desc: ", next(lines)) and re.match("cmd: ", next(lines)) and next(lines) == "time_unit: ms"
    for number, line in enumerate(lines):
        assert (line, next(lines), next(lines)) == ("#-----------", f"snapshot={number}", "#-----------")
        values = dict(next(lines).split("=") for _ in range(5))
        assert values["mem_heap_extra_B"] == values["mem_stacks_B"] == "0"
        heap, kind = int(values["mem_heap_B"]), values["heap_tree"]
        tree = None if kind == "empty" else massif_tree(lines, heap)
        assert tree is None or tree[0] == heap and tree[1].startswith("(heap allocation functions)")
        yield int(values["time"]), heap, kind, tree


def massif_leaves(tree):
    """What a tree says of each line, and of all that it doesn't name."""
    sums, rest = collections.Counter(), 0
    for size, text, _, _ in tree[2]:
        if text.startswith("in "):
            assert re.fullmatch(r"in (1 place, |\d+\+? places, all )below massif's threshold \(1\.00%\)", text), text
            rest = size
        else:
            sums[place(*DHAT_FRAME.fullmatch(text).groups())] += size
    return sums, rest


def check_massif(name, trace):
    """The curve is the timeline's, and the trees of the peak and of the end are the report's."""
    snapshots = list(massif_snapshots(export(trace, "massif").decode(errors="replace")))
    totals, wanted = totals_of(trace), expected(trace)
    assert snapshots[0][:3] == (0, 0, "empty") and all(a[0] <= b[0] for a, b in zip(snapshots, snapshots[1:]))
    assert [s[1] for s in snapshots if s[2] == "peak"] == [totals["peak_bytes"]], name
    assert snapshots[-1][1] == totals["current_bytes"], name
    for measure, tree in (("at_peak_bytes", next(s[3] for s in snapshots if s[2] == "peak")), ("current_bytes", snapshots[-1][3])):
        sums, rest = massif_leaves(tree)
        assert sum(sums.values()) + rest == sum(wanted[measure].values()), (name, measure)
        for line, size in sums.items():
            assert wanted[measure][line] - rest <= size <= wanted[measure][line], (name, measure, line)
    points = collections.Counter(p["current_bytes"] for p in timeline(trace) if p["kind"] != "end")
    assert not points - collections.Counter(s[1] for s in snapshots), name


def timeline(trace):
    result = mtracer("timeline", "--json", trace)
    return json.loads(result.stdout)["points"] if result.status == 0 else []


def ms_print_reads(name, trace, directory):
    out = directory / "massif.out"
    export(trace, "massif", "--out", out)
    done = subprocess.run(["ms_print", str(out)], capture_output=True)
    assert done.returncode == 0 and not done.stderr, (name, done.stderr[:500])
    totals = totals_of(trace)
    table = [line.split() for line in done.stdout.decode(errors="replace").splitlines() if re.match(r" *\d+ +[\d,]+ +[\d,]+ +[\d,]+ +0 +0$", line)]
    most = max(int(row[2].replace(",", "")) for row in table)
    assert most == totals["peak_bytes"] and int(table[-1][2].replace(",", "")) == totals["current_bytes"], f"{name}: {most} {totals}"


# ---- pprof

def varint(data, at):
    number = shift = 0
    while True:
        number |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return number, at


def message(data):
    """{field: [values]} of a protocol buffer with numbers and bytes alone."""
    fields, at = collections.defaultdict(list), 0
    while at < len(data):
        key, at = varint(data, at)
        value, at = varint(data, at)
        if key & 7 == 2:
            value, at = data[at:at + value], at + value
            assert len(value) <= len(data)
        else:
            assert key & 7 == 0, key
        fields[key >> 3].append(value)
    return fields


def packed(data):
    at, numbers = 0, []
    while at < len(data):
        number, at = varint(data, at)
        numbers.append(number - (1 << 64) if number >> 63 else number)
    return numbers


def first(fields, number):
    return fields[number][0] if fields[number] else 0


def check_pprof(name, trace):
    """By profile.proto."""
    profile = message(gzip.decompress(export(trace, "pprof", "--measure", "allocated_bytes")))
    strings = [text.decode() for text in profile[6]]
    assert strings[0] == "" and len(set(strings)) == len(strings) or name == "hostile"
    types = [strings[first(message(kind), 1)] for kind in profile[1]]
    assert strings[profile[14][0]] == "alloc_space"
    functions = {first(f, 1): f for f in map(message, profile[5])}
    locations = {first(location, 1): location for location in map(message, profile[4])}
    mappings = {first(m, 1): m for m in map(message, profile[3])}
    assert 0 not in functions and 0 not in locations and 0 not in mappings
    for location in locations.values():
        if first(location, 2):
            mapping = mappings[first(location, 2)]
            assert first(mapping, 2) <= first(location, 3) < first(mapping, 3), "an address outside of its mapping"
    names = dict(zip(types, ("at_peak_bytes", "current_bytes", "current_blocks", "allocated_bytes", "allocations", "temporary")))
    sums = {measure: collections.Counter() for measure in REPORTED}
    sampled = "allocations_error" in totals_of(trace)
    for sample in map(message, profile[2]):
        stack, values = packed(sample[1][0]), packed(sample[2][0])
        assert len(values) == len(types) and all(number in locations for number in stack)
        line = message(locations[stack[0]][4][0])
        function = functions[first(line, 1)]
        leaf = place(strings[first(function, 2)], strings[first(function, 4)], first(line, 2))
        for kind, value in zip(types, values):
            if kind in names:
                sums[names[kind]][leaf] += value
        check_size_label(strings, dict(zip(types, values)), sampled, [message(label) for label in sample.get(3, [])])
    same(name, expected(trace), without_nothing(sums))


def check_size_label(strings, values, sampled, labels):
    """The size of the blocks where it is known: where there is one, and no estimate."""
    wanted = [("bytes", values["alloc_space"], "bytes")] if values["alloc_objects"] == 1 and not sampled else []
    assert [(strings[first(l, 1)], first(l, 3), strings[first(l, 4)]) for l in labels] == wanted, (values, labels)


def pprof_reads(name, trace, directory):
    """go tool pprof -top: as many bytes as the report has."""
    out = directory / "out.pb.gz"
    export(trace, "pprof", "--out", out)
    done = subprocess.run(["go", "tool", "pprof", "-top", "-unit=B", "-nodecount=1000000", str(out)], check=True, capture_output=True,
                          text=True, env=environment(False, HOME=str(directory)))
    total = re.search(r" of (\d+)B total", done.stdout)
    assert int(total[1] if total else 0) == totals_of(trace)["at_peak_bytes"], f"{name}: {done.stdout[:500]}"


# ---- callgrind

EVENTS = ("at_peak_bytes", "current_bytes", "current_blocks", "allocated_bytes", "allocations", "temporary")


def check_callgrind(name, trace):
    """By cl-format.xml: own costs by line, and inclusive ones by function as viewers add them up."""
    own = {measure: collections.Counter() for measure in EVENTS}
    inclusive = {measure: collections.Counter() for measure in EVENTS}
    names, file, function, callee, called = {}, None, None, None, False
    for line in export(trace, "callgrind").decode(errors="replace").splitlines():
        if match := re.fullmatch(r"(ob|fl|fn|fi|fe|cob|cfi|cfn)=\((\d+)\)(?: (.*))?", line):
            what, number, text = match.groups()
            table = {"ob": 0, "cob": 0, "fn": 1, "cfn": 1}.get(what, 2)
            if text is not None:
                assert (table, number) not in names
                names[table, number] = text
            text = names[table, number]
            file = text if what in ("fl", "fi", "fe") else file
            function = text if what == "fn" else function
            callee = text if what == "cfn" else callee if what.startswith("c") else None
        elif re.fullmatch(r"calls=\d+ \d+", line):
            called = True
        elif match := re.fullmatch(r"(\d+)((?: \d+){6})", line):
            for measure, cost in zip(EVENTS, map(int, match[2].split())):
                if not called:
                    own[measure][place(function, file if file != "???" else None, int(match[1]))] += cost
                else:
                    inclusive[measure][clean(callee)] += cost
            called = False
        elif line.startswith("summary:"):
            summary = [int(number) for number in line.split()[1:]]
        else:
            assert re.fullmatch(r"|# callgrind format|(version|creator|pid|cmd|positions|event|events): ?.*", line), line
    assert summary == [sum(own[measure].values()) for measure in EVENTS]
    same(name, expected(trace), without_nothing(own))
    wanted = expected(trace, "function", "--cumulative", key=lambda row: clean(row["function"]))
    for measure in EVENTS:
        for called, cost in inclusive[measure].items():
            most = wanted[measure].get(called, 0)
            if called.startswith("["):
                continue  # no function
            # The report also has the stacks on which a function is but a wrapper (of the C library's, in real programs).
            assert cost == most or name in PROGRAMS and cost < most, (name, measure, called, cost, most)


def callgrind_annotate_reads(name, trace, directory):
    out = directory / "callgrind.out"
    export(trace, "callgrind", "--out", out)
    text = subprocess.run(["callgrind_annotate", "--tree=both", "--inclusive=yes", "--threshold=100", str(out)], check=True,
                          capture_output=True).stdout.decode(errors="replace")
    totals = totals_of(trace)
    line = re.search(r"^(.*)PROGRAM TOTALS(?: \(calculated\))?$", text, re.MULTILINE)[1]
    numbers = [int(n.replace(",", "")) for n in re.sub(r"\([^)]*\)", "", line).replace(".", "0").split()]
    assert numbers == [totals[measure] for measure in EVENTS], f"{name}: {line} {totals}"


# ---- heaptrack

def check_heaptrack(name, trace):
    """By AccumulatedTraceData::read(), record by record."""
    strings, ips, stacks, infos = [None], [None], [None], []
    sums = {measure: collections.Counter() for measure in REPORTED}
    live, blocks, total, last, peak, at_peak = collections.Counter(), collections.Counter(), 0, 0, 0, {}
    for line in export(trace, "heaptrack").split(b"\n"):
        kind, _, rest = line.partition(b" ")
        if kind == b"s":
            size, _, text = rest.partition(b" ")
            assert int(size, 16) == len(text), line
            strings.append(text.decode(errors="replace"))
            continue
        fields = [int(field, 16) for field in rest.split()] if kind in b"i t a + - c R" else []
        if kind == b"i":
            assert len(fields) % 3 == 2 and fields[1] < len(strings), line
            ips.append(place(strings[fields[2]], strings[fields[3]], fields[4]))
        elif kind == b"t":
            assert fields[0] < len(ips) and fields[1] < len(stacks), line
            stacks.append(ips[fields[0]])
        elif kind == b"a":
            infos.append((fields[0], stacks[fields[1]]))
        elif kind == b"+":
            size, leaf = infos[fields[0]]
            sums["allocations"][leaf] += 1
            sums["allocated_bytes"][leaf] += size
            live[leaf] += size
            blocks[leaf] += 1
            total, last = total + size, fields[0]
            if total > peak:
                peak, at_peak = total, dict(live)
        elif kind == b"-":
            size, leaf = infos[fields[0]]
            live[leaf] -= size
            blocks[leaf] -= size > 0 or fields[0] > 0
            total -= size
            sums["temporary"][leaf] += last == fields[0]
            last = 0
    sums["at_peak_bytes"], sums["current_bytes"], sums["current_blocks"] = at_peak, live, blocks
    same(name, expected(trace), without_nothing(sums))


def heaptrack_print_reads(name, trace, directory):
    out = directory / "heaptrack.export.gz"
    export(trace, "heaptrack", "--out", out)
    totals = totals_of(trace)
    for cost, measure in (("peak", "at_peak_bytes"), ("leaked", "current_bytes"), ("allocations", "allocations"), ("temporary", "temporary")):
        flames = directory / "flames"
        subprocess.run(["heaptrack_print", "--flamegraph-cost-type", cost, "-F", str(flames), "--disable-builtin-suppressions",
                        "--disable-embedded-suppressions", str(out)], check=True, capture_output=True)
        got = sum(int(line.rsplit(b" ", 1)[1]) for line in flames.read_bytes().splitlines() if line)
        assert got == totals[measure], f"{name}: {measure}: heaptrack_print {got}, report {totals[measure]}"


READERS = {"callgrind": ("callgrind_annotate", callgrind_annotate_reads), "heaptrack": ("heaptrack_print", heaptrack_print_reads),
           "massif": ("ms_print", ms_print_reads),
           "pprof": ("go", pprof_reads)}


def main(form):
    tool, reads = READERS.get(form, (None, None))
    with scratch() as directory:
        for name, trace in make_traces(directory).items():
            globals()[f"check_{form}"](name, trace)
            if tool and shutil.which(tool):
                reads(name, trace, directory)
    if tool and not shutil.which(tool):
        skip(f"{missing(tool)} (the rest was checked)")


if __name__ == "__main__":
    main(sys.argv[1])
