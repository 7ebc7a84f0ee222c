# SPDX-License-Identifier: MIT
"""test_html.py - a page has the figures of `report`, `timeline`, `leaks`, `annotate` and `diff`, and shows them in a browser.

usage: test_html.py figures|large|browser

`figures` and `large` read the data that is in the page; `browser` reads what Chromium shows of it (driver/browser.py).
"""
import base64
import collections
import hashlib
import json
import re
import subprocess
import sys
import os
from pathlib import Path

import browser
from packages import missing
from test_export import expected, make_traces, place, same, totals_of, where, without_nothing
from tracing import Trace, mtracer, run, scratch, skip

MEASURES = ("at_peak_bytes", "current_bytes", "lost_bytes", "peak_bytes", "allocated_bytes", "allocations", "temporary", "current_blocks")
REPORTED = tuple(m for m in MEASURES if m != "lost_bytes")
COUNT = len(MEASURES)
LIMIT = 1 << 20
OWN_LIMIT = 200 << 10


def make_pages(directory):
    """The traces of test_export.py, and that of a program whose source is here."""
    traces = make_traces(directory)
    source = Path(__file__).resolve().parent.parent / "examples" / "shelf.c"
    subprocess.run(["gcc", "-g", "-O1", "-o", directory / "shelf", source], check=True)
    result = run([directory / "shelf"], MTRACE_OUT=str(directory / "shelf.mtrace"))
    assert result.status == 0, result
    return {**traces, "shelf": directory / "shelf.mtrace"}


def answer(*arguments):
    result = mtracer(*arguments)
    assert result.status in (0, 1), result
    return json.loads(result.stdout)


def write(trace, out, *options):
    result = mtracer("html", "--out", out, *options, trace)
    assert result.status == 0, result
    return result


class Page:
    """The data of a page, with texts and frames by name."""

    def __init__(self, trace, out, *options):
        write(trace, out, *options)
        self.html = out.read_text(encoding="utf-8")
        parts = re.fullmatch(r'(?s)(.*<script type="application/json" id="data">)(.*?)</script>(.*)', self.html)
        assert parts[2].isascii() and "<" not in parts[2]
        self.before, self.after, self.data = parts[1], parts[3], json.loads(parts[2])
        self.texts = self.data["texts"]
        numbers = iter(self.data["frames"])
        self.frames = [(self.texts[f], self.texts[file], line, self.texts[module]) for f, file, line, module in zip(numbers, numbers, numbers, numbers)]

    def rows(self, by):
        """[{measures and names}] of those that have a row."""
        rows = []
        for row in self.data["rows"][by]["rows"]:
            f, file, line, module, flags, *values = row
            names = (self.texts[f], self.texts[file], line or None, self.texts[module]) if by != "thread" else (self.texts[f], None, None, None)
            rows.append(dict(zip(("function", "file", "line", "module"), names), peak_is_exact=bool(flags & 1), kind="mmap" if flags & 2 else "heap",
                             offset=values[COUNT] if len(values) > COUNT else None, **dict(zip(MEASURES, values))))
        return rows

    def ends(self):
        """[(frames outermost first or None, values)] of the call tree."""
        tree = self.data["tree"]
        parent, frame = [0], [None]
        for i, (back, index) in enumerate(zip(tree["nodes"][::2], tree["nodes"][1::2]), 1):
            assert 0 < back <= i
            parent.append(i - back)
            frame.append(index)

        def path(node):
            found = []
            while node:
                found.append(self.frames[frame[node]])
                node = parent[node]
            return found[::-1]

        own, rest = tree["own"], tree["rest"]
        ends = [(path(own[i]), own[i + 1:i + 1 + COUNT]) for i in range(0, len(own), COUNT + 1)]
        return ends, [(path(rest[i]), rest[i + 2:i + 2 + COUNT]) for i in range(0, len(rest), COUNT + 2)]


# ---- the data

def check_file(page):
    """It may execute and be styled by what it brings alone, and nothing in it is an address."""
    policy = re.search(r'content="(default-src[^"]*)"', page.before)[1]
    for kind, tag, text in ("style-src", "style", page.before), ("script-src", "script", page.after):
        inner = re.search(rf"(?s)<{tag}>(.*?)</{tag}>", text)[1]
        assert f"{kind} 'sha256-{base64.b64encode(hashlib.sha256(inner.encode()).digest()).decode()}'" in policy, policy
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy
    assert len(page.before) + len(page.after) < OWN_LIMIT, len(page.before) + len(page.after)
    addresses = set(re.findall(r"\w+://[^\"'`\s]*", page.before + page.after))
    assert addresses <= {"http://www.w3.org/2000/svg"}, addresses
    assert page.html.count("</script>") == 2 and page.html.count("<script") == 2


def same_rows(name, got, wanted, key):
    both = [collections.Counter((key(row), *(row[m] for m in REPORTED if m in row), row.get("peak_is_exact")) for row in rows) for rows in (got, wanted)]
    assert both[0] == both[1], (name, list((both[0] - both[1]).items())[:4], list((both[1] - both[0]).items())[:4])


def check_rows(name, page, trace):
    for by in "line", "function", "file", "module":
        wanted = Trace(trace).report(by)["rows"]
        assert page.data["rows"][by]["rest"] == [0] * (COUNT + 1)
        for row in wanted:
            row.setdefault("offset", None)
            row["offset"] = int(row["offset"], 16) if isinstance(row["offset"], str) else row["offset"]
        same_rows((name, by), page.rows(by), wanted, lambda row: (row["function"], row["file"], row["line"], row["module"], row["kind"]))
    threads = Trace(trace).report("thread")["rows"]
    got = collections.Counter(tuple(row[m] for m in ("current_bytes", "allocated_bytes", "allocations", "temporary")) for row in page.rows("thread"))
    assert got == collections.Counter(tuple(row[m] for m in ("current_bytes", "allocated_bytes", "allocations", "temporary")) for row in threads), name


def check_tree(name, page, trace):
    ends, rest = page.ends()
    assert not rest
    sums = {m: collections.Counter() for m in MEASURES if m not in ("peak_bytes", "lost_bytes")}
    for path, values in ends:
        function, file, line, _ = path[-1]
        for measure, counter in sums.items():
            counter[place(function, file, line)] += values[MEASURES.index(measure)]
    same(name, expected(trace), without_nothing(sums))


def check_curve(name, page, trace):
    curve = page.data["rows"]["curve"]
    if curve["missing"]:
        assert curve["missing"] in mtracer("timeline", trace).stderr.decode() and not curve["points"], name
        return
    timeline = answer("timeline", "--json", trace)
    assert [point[:4] for point in curve["points"]] == [[p["ns"], p["current_bytes"], p["current_blocks"], p["rss_bytes"] or 0] for p in timeline["points"]], name
    assert [page.texts[p[4]] for p in curve["points"] if len(p) > 4] == [m["label"] for m in timeline["marks"]]
    rows, got = page.rows("line"), collections.Counter()
    for number, series in zip(curve["lines"][::2], curve["lines"][1::2]):
        at, last = 0, None
        for n in series:
            for _ in range(1 if n >= 0 else -n):
                last = n if n >= 0 else last
                got[at, where(rows[number])] += last
                at += 1
        assert at == len(curve["points"])
    wanted = collections.Counter()
    for i, point in enumerate(timeline["points"]):
        for part in point["rows"]:
            wanted[i, where(part)] += part["current_bytes"]
    assert +got == +wanted, (name, list((+got - +wanted).items())[:3], list((+wanted - +got).items())[:3])
    assert curve["peak"]["ns"] == timeline["peak"]["ns"]
    stack = [page.frames[i] for i in curve["peak"].get("stack", [])]
    assert [f[:3] for f in stack] == [(f["function"], f["file"], f["line"] or 0) for f in timeline["peak"]["stack"] or []], (name, stack)


def check_leaks(name, page, trace):
    wanted, got = answer("leaks", "--all", "--json", trace), page.data["leaks"]
    for i, kind in enumerate(got["kinds"]):
        assert got["found"][2 * i:2 * i + 2] == [wanted["leaks"][f"{kind}_bytes"], wanted["leaks"][f"{kind}_blocks"]], (name, kind)
    assert (got["classified"], got["why"], got["row_count"]) == (wanted["leaks"]["classified"], wanted["leaks"]["why_unclassified"], len(wanted["rows"]))
    for one, other in zip(got["rows"], wanted["rows"]):
        f = page.frames[one["frame"]]
        assert (got["kinds"][one["kind"]], one["size"][:2]) == (other["kind"], [other["current_bytes"], other["current_blocks"]]), (name, one, other)
        assert place(*f[:3]) == where(other) and one["stack_count"] == other["stack_count"]
        assert [page.frames[i][0] for i in one["stacks"][0][4:]] == [frame["function"] for frame in other["stack"]]
    lost = sum(got["found"][2 * k] for k in (0, 1))
    for by in "line", "function", "file", "module":
        assert sum(row["lost_bytes"] for row in page.rows(by)) == lost, (name, by)
    assert sum(values[2] for _, values in page.ends()[0]) == lost, name


def check_source(name, page, trace):
    wanted = {(f["file"], f["line"], f["function"]): f for f in answer("annotate", "--json", "--limit", "0", trace)["functions"]}
    for s in page.data["sources"]:
        file, name_ = page.texts[s["file"]], page.texts[s["function"]]
        lines = Path(file).read_text(errors="replace").split("\n")[s["first"] - 1:s["first"] - 1 + s["count"]]
        assert s["text"].split("\n") == lines, (name, file)
        functions = [f for key, f in wanted.items() if key[0] == file and key[2] == name_]
        if not functions:
            continue
        figures = {line["line"]: line["inclusive"] for f in functions for line in f["lines"] if line["file"] == file}
        for i in range(0, len(s["lines"]), COUNT + 1):
            got = dict(zip(MEASURES, s["lines"][i + 1:]))
            for measure in "at_peak_bytes", "current_bytes", "allocated_bytes", "allocations":
                assert got[measure] == figures[s["lines"][i]][measure], (name, file, s["lines"][i], measure)


def check_totals(page, trace):
    wanted = Trace(trace).report("line")
    assert page.data["totals"] == wanted["totals"]
    assert page.data["trace"] == wanted["trace"]


def check_difference(old, new, directory):
    page = Page(new, directory / "out.html", "--diff", old)
    wanted, got = answer("diff", "--json", old, new), page.data["diff"]
    got_curve = page.data["rows"]["curve"]["old"]["points"]
    assert got["row_count"] == len(wanted["rows"])

    def values(row):
        return [row[f"{side}_{m}"] for m in got["measures"] for side in ("old", "new")]

    assert got["totals"] == [values(wanted["totals"])]
    assert [row[2] for row in got["rows"]] == [values(row) for row in wanted["rows"]]
    for one, other in zip(got["rows"], wanted["rows"]):
        at = one[1] or one[0]
        assert place(page.texts[at[0]], page.texts[at[1]], at[2]) == where(other), (one, other)
    old_points = answer("timeline", "--json", old)["points"] if got_curve else []
    assert [p[:3] for p in page.data["rows"]["curve"]["old"]["points"]] == [[p["ns"], p["current_bytes"], p["current_blocks"]] for p in old_points]


def check_options(traces, directory):
    page = Page(traces["app"], directory / "out.html", "--no-source")
    assert "sources" not in page.data
    result = mtracer("html", traces["app"])
    assert result.status == 0 and result.stdout.startswith(b"<!DOCTYPE html>")


def figures(directory):
    traces = make_pages(directory)
    for name, trace in traces.items():
        page = Page(trace, directory / "out.html")
        check_file(page)
        check_totals(page, trace)
        check_rows(name, page, trace)
        check_tree(name, page, trace)
        check_curve(name, page, trace)
        check_leaks(name, page, trace)
        check_source(name, page, trace)
        assert "<img" not in page.html
    assert page.data["sources"], "of the last, the source is here"
    check_difference(traces["before"], traces["after"], directory)
    check_difference(traces["app"], traces["app"], directory)
    check_options(traces, directory)


# ---- more call sites than a page has room for

LINES, LEVELS = 3125, 4  # and 2 ** LEVELS call stacks each


def many_sites(directory):
    """A trace of 50,000 call stacks of 3125 lines."""
    cases = "\n".join(f"case {n}: all[count++] = malloc({16 + n}); break;" for n in range(LINES))
    (directory / "sites.c").write_text(f"""#include <stdlib.h>
static void *all[{LINES << LEVELS}];
static int count;
static void line(int n)
{{
switch (n) {{
{cases}
}}
}}
static void left(int n, int levels);
static void right(int n, int levels)
{{
if (levels) {{ left(n, levels - 1); right(n, levels - 1); }} else line(n);
}}
static void left(int n, int levels)
{{
if (levels) {{ left(n, levels - 1); right(n, levels - 1); }} else line(n);
}}
int main(void)
{{
for (int n = 0; n < {LINES}; n++)
left(n, {LEVELS});
while (count)
free(all[--count]);
return 0;
}}
""")
    subprocess.run(["gcc", "-g", "-O0", "-o", directory / "sites", directory / "sites.c"], check=True)
    result = run([directory / "sites"], MTRACE_OUT=str(directory / "many.mtrace"))
    assert result.status == 0, result
    return directory / "many.mtrace"


def large(directory):
    trace = many_sites(directory)
    page = Page(trace, directory / "out.html")
    assert len(page.html) < LIMIT, len(page.html)
    totals = totals_of(trace)
    ends, rest = page.ends()
    assert rest, "nothing was added up"
    for measure in REPORTED:
        if measure == "peak_bytes":
            continue
        at = MEASURES.index(measure)
        assert sum(values[at] for _, values in ends + rest) == totals[measure], measure
        for by in "line", "function", "file", "module":
            grouping = page.data["rows"][by]
            assert sum(row[5 + at] for row in grouping["rows"]) + grouping["rest"][1 + at] == totals[measure], (measure, by)
    assert page.data["rows"]["line"]["rest"][0] == LINES - len(page.rows("line"))
    assert page.data["tree"]["stacks"] >= LINES * 2 ** LEVELS


# ---- in a browser

class Shown:
    """What a page shows."""

    def __init__(self, tab):
        self.tab = tab

    def value(self, expression):
        return self.tab.value(expression)

    def table(self):
        """(titles, figures of the first row, which is the sum, and [(where, name, figures)])."""
        return self.value("""(() => {
            const t = document.querySelector("#table table"), rows = [...t.tBodies[0].rows];
            const figures = (tr) => [...tr.querySelectorAll("td.n")].map((td) => td.dataset.value === undefined ? null : td.dataset.value === "" ? "" : +td.dataset.value);
            return [[...t.tHead.querySelectorAll("th.n")].map((th) => th.textContent), figures(rows[0]),
                rows.slice(1).map((tr) => [tr.cells[0].textContent, (tr.querySelector("td.name") || {textContent: ""}).textContent, figures(tr)])];
        })()""")

    def boxes(self):
        """[(depth, value, label)] of the call stacks."""
        return self.value('[...document.querySelectorAll("#flame g")].map((g) => [+g.getAttribute("aria-level"), +g.dataset.value, g.getAttribute("aria-label")])')

    def choose(self, id_, value):
        self.value(f"(() => {{ const s = document.getElementById({json.dumps(id_)}); s.value = {json.dumps(value)}; s.dispatchEvent(new Event('change')) }})()")

    def click(self, selector, index=0):
        x, y = self.value(f"(() => {{ const e = document.querySelectorAll({json.dumps(selector)})[{index}]; e.scrollIntoView({{block: 'center'}}); "
                          "const r = e.getBoundingClientRect(); return [r.x + Math.min(20, r.width / 2), r.y + r.height / 2] })()")
        self.tab.click(x, y)

    def text(self, selector):
        return self.value(f"document.querySelector({json.dumps(selector)}).textContent")

    def fragment(self):
        return self.value("location.hash")


TITLES = {"at_peak_bytes": "At peak", "peak_bytes": "Own peak", "allocated_bytes": "Allocated", "allocations": "Allocations", "temporary": "Temporary", "current_blocks": "Blocks"}


def check_table(shown, trace):
    """Each grouping by each measure, as report has it."""
    totals = totals_of(trace)
    for by in "line", "function", "file", "module", "thread":
        shown.click(f'#by button[data-by="{by}"]')
        titles, sums, rows = shown.table()
        wanted = Trace(trace).report(by)["rows"]
        assert len(rows) == min(len(wanted), 100), (by, len(rows), len(wanted))
        for measure, title in TITLES.items():
            if title not in titles:
                assert by == "thread", (by, title)
                continue
            got = [row[2][titles.index(title)] for row in rows]
            if len(wanted) <= 100:
                assert collections.Counter(got) == collections.Counter(row[measure] for row in wanted), (by, measure)
            if measure != "peak_bytes":
                assert sums[titles.index(title)] == totals[measure], (by, measure)
    shown.click('#by button[data-by="line"]')


def check_measures(shown, trace, page):
    """The switch: boxes and rows are by it."""
    for i, measure in enumerate(MEASURES[:7]):
        shown.choose("measure", str(i))
        whole = sum(max(0, values[0 if measure == "peak_bytes" else i]) for _, values in page.ends()[0])
        boxes = shown.boxes()
        assert (boxes[0][1] if boxes else 0) == whole, (measure, boxes[:1], whole)
        titles, _, rows = shown.table()
        lead = [row[2][0] for row in rows]
        assert lead == sorted(lead, reverse=True) and titles[0] == shown.text(f"#measure option:nth-child({i + 1})"), (measure, lead)
    shown.choose("measure", "0")


def check_search(shown, trace, expression):
    shown.value("document.getElementById('search').focus()")
    shown.tab.type(expression)
    wanted = [row for row in Trace(trace).report("line")["rows"]
              if any(part and re.search(expression, part, re.IGNORECASE) for part in (row["function"], row["file"] and f"{row['file']}:{row['line']}", row["module"]))]
    titles, sums, rows = shown.table()
    assert len(rows) == min(100, len(wanted)), (expression, len(rows), len(wanted))
    assert sums[0] == sum(row["at_peak_bytes"] for row in wanted)
    assert "search=" in shown.fragment()
    shown.tab.key("Escape")
    assert shown.fragment() == "" and not shown.text("#found")
    shown.tab.type("(")
    assert shown.text("#found") == "no regular expression"
    shown.tab.key("Escape")
    shown.value("document.activeElement.blur()")
    shown.tab.key("/")
    assert shown.value("document.activeElement.id") == "search"
    shown.value("document.activeElement.blur()")


def check_modules(shown, trace):
    for row in Trace(trace).report("module")["rows"]:
        if not row["module"] or not row["at_peak_bytes"]:
            continue
        shown.choose("module", row["module"])
        assert shown.table()[1][0] == row["at_peak_bytes"], row
        assert shown.boxes()[0][1] == row["at_peak_bytes"], row
    shown.choose("module", "")


def check_flame(shown):
    """Zoom by clicks and keys; callers; the fragment brings all of it back."""
    boxes = shown.boxes()
    if len(boxes) < 3:
        return
    levels = collections.defaultdict(int)
    for level, value, _ in boxes:
        levels[level] += value
    assert all(levels[level] <= levels[level - 1] for level in levels if level > 1), levels
    shown.click("#flame g", 2)
    assert "zoom=" in shown.fragment() and shown.value("!document.getElementById('unzoom').hidden")
    kept = shown.boxes()
    shown.value("dispatchEvent(new HashChangeEvent('hashchange'))")
    assert shown.boxes() == kept
    shown.click("#unzoom")
    assert shown.boxes() == boxes
    shown.value("document.querySelector('#flame g').focus()")
    shown.tab.key("ArrowDown")
    assert shown.value("document.activeElement.getAttribute('aria-level')") == "2"
    shown.tab.key("Enter")
    assert "zoom=" in shown.fragment()
    shown.tab.key("Escape")
    assert "zoom=" not in shown.fragment()
    shown.click("#bottom-up")
    callers = shown.boxes()
    assert callers[0][1] == boxes[0][1] and sum(value for level, value, _ in callers if level == 2) <= boxes[0][1]
    shown.click("#top-down")


def check_moments(shown, trace, page):
    """A click sets the moment, a drag spans two: the table has what the lines had, and how much they grew."""
    points = shown.value("CURVE.points.map((p) => p[0])")
    if len(points) < 3:
        return
    series = shown.value("Object.fromEntries(CURVE.lines.map((l) => [l.row, [...l.values]]))")
    box = shown.value("(() => { const s = document.querySelector('#curve svg'); s.scrollIntoView(); const r = s.getBoundingClientRect(); return [r.x, r.y, r.width, r.height] })()")
    at = [box[0] + 64 + (box[2] - 78) * ns / points[-1] for ns in points]
    y = box[1] + box[3] / 2
    middle = len(points) // 2
    shown.tab.click(at[middle], y)
    t0 = shown.value("state.t0")
    assert abs(points[t0] - points[middle]) < points[-1] / 100 and "t0=" in shown.fragment(), (t0, middle)

    def column():
        return {i: v for i, v in shown.value("[...document.querySelectorAll('#table tr[data-index]')].map((tr) => [tr.dataset.index, tr.querySelector('td.n').dataset.value])") if v != ""}

    assert {i: float(v) for i, v in column().items()} == {i: float(series[i][t0]) for i in column()}
    assert shown.table()[0][0].startswith("At ")
    for kind, x in ("mousePressed", at[0]), ("mouseMoved", at[middle]), ("mouseMoved", at[-1]), ("mouseReleased", at[-1]):
        shown.tab.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1)
    t0, t1 = shown.value("[state.t0, state.t1]")
    assert points[t1] == points[-1] and points[t0] == points[0], (t0, t1)
    assert shown.table()[0][0] == "Growth"
    assert {i: float(v) for i, v in column().items()} == {i: float(series[i][t1] - series[i][t0]) for i in column()}
    shown.tab.key("Escape")
    assert "t0=" not in shown.fragment()
    shown.tab.key("ArrowRight")
    assert shown.value("state.t0") == 0
    shown.tab.key("ArrowRight")
    assert shown.value("state.t0") == 1
    shown.click("#whole")
    assert "t0=" not in shown.fragment()
    if shown.value("document.querySelector('#curve .rss') !== null"):
        shown.click("#legend button[aria-pressed]")
        assert shown.value("document.querySelector('#curve .rss') === null") and "resident=hidden" in shown.fragment()
        shown.click("#legend button[aria-pressed]")


def check_tabs(shown, trace):
    leaks = answer("leaks", "--all", "--json", trace)
    shown.click("#tab-leaks")
    assert "tab=leaks" in shown.fragment()
    cards = shown.value("[...document.querySelectorAll('#leaks article')].map((a) => [a.dataset.kind, +a.dataset.bytes, +a.dataset.blocks])")
    assert cards == [[row["kind"], row["current_bytes"], row["current_blocks"]] for row in leaks["rows"]][:200]
    shown.tab.key("ArrowRight")
    assert "tab=missing" in shown.fragment()
    notes = [note["text"] for note in Trace(trace).report("line")["trace"]["notes"]]
    assert all(note.split("\u202e")[0] in shown.text("#missing") for note in notes)
    shown.click("#tab-memory")


def check_markdown(shown, trace):
    shown.value("globalThis.copied = null; copyText = (text) => { copied = text }")
    shown.click("#copy")
    lines = shown.value("copied").splitlines()
    rows = Trace(trace).report("line")["rows"]
    assert len(lines) == 4 + min(20, len(rows)), lines
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines[2:]}) == 1, lines


def check_pictures(shown):
    shown.value("globalThis.saved = []; download = (name, content) => { saved.push([name, content]) }")
    shown.click("#save-flame")
    for name, content in shown.value("saved"):
        assert name.endswith(".svg") and not re.search(r"<script|class=|href=", content)
        import xml.etree.ElementTree  # pylint: disable=import-outside-toplevel
        xml.etree.ElementTree.fromstring(content)


def check_looks(shown):
    back = "getComputedStyle(document.body).backgroundColor"
    shown.tab.media(prefers_color_scheme="light")
    light = shown.value(back)
    shown.tab.media(prefers_color_scheme="dark")
    assert shown.value(back) != light
    shown.tab.media("print", prefers_color_scheme="dark")
    assert shown.value(back) == light and shown.value("getComputedStyle(document.getElementById('bar')).display") == "none"
    shown.tab.media(prefers_color_scheme="light")


def check_names(shown):
    """All that can be chosen has a name for a screen reader."""
    bare = shown.value("""[...document.querySelectorAll("button, select, input, [tabindex], [role]")].filter((e) => e.tabIndex >= 0 && !e.hidden && e.offsetParent !== null &&
        !(e.getAttribute("aria-label") || e.textContent.trim() || e.labels && e.labels.length || e.id === "main")).map((e) => e.outerHTML.slice(0, 200))""")
    assert not bare, bare


def check_page(shown, trace, out, expression):
    page = Page(trace, out)
    shown.tab.requests.clear()
    shown.tab.open(out)
    assert shown.text("#verdict").startswith("Peak "), shown.text("#verdict")
    check_names(shown)
    check_table(shown, trace)
    check_measures(shown, trace, page)
    check_search(shown, trace, expression)
    check_modules(shown, trace)
    check_flame(shown)
    check_moments(shown, trace, page)
    check_tabs(shown, trace)
    check_markdown(shown, trace)
    check_pictures(shown)
    check_looks(shown)
    assert not shown.tab.errors, shown.tab.errors
    assert set(shown.tab.requests) <= {f"file://{out}"}, shown.tab.requests
    assert shown.value("document.images.length + document.querySelectorAll('iframe, object, embed, link').length") == 0


def check_source_pane(shown, trace, out):
    """A chosen line's source and stacks, by a row and by a box; and the bars of all lines of the function."""
    write(trace, out)
    shown.tab.open(out)
    row = max(Trace(trace).report("line")["rows"], key=lambda r: r["at_peak_bytes"])
    shown.click("#table tr[data-index]")
    assert "chosen=" in shown.fragment() or row["at_peak_bytes"]
    shown.click("#by button[data-by=function]")
    shown.click("#by button[data-by=line]")
    first = shown.value("+state.chosen.line")
    assert first == row["line"], (first, row)
    assert shown.value("document.querySelector('#table tr[aria-selected=true] td.where').textContent").endswith(f":{first}")
    assert shown.value("document.querySelector('#stacks summary b').textContent.length") > 0
    wanted = {r["line"]: r["at_peak_bytes"] for r in Trace(trace).report("line")["rows"]}
    inclusive = {line["line"]: line["inclusive"]["at_peak_bytes"] for f in answer("annotate", "--json", "--limit", "0", trace)["functions"] for line in f["lines"]}
    seen = set()
    for index in range(len(wanted)):
        shown.click("#table tr[data-index]", index)
        lines = shown.value("[...document.querySelectorAll('#source tr[data-line]')].map((tr) => [+tr.dataset.line, +tr.cells[0].dataset.value, +tr.cells[1].dataset.value])")
        for line, own, all_ in lines:
            assert own == wanted.get(line, 0) and all_ == inclusive.get(line, 0), (line, own, all_, wanted.get(line), inclusive.get(line))
            seen.add(line)
    assert seen >= set(wanted), (seen, wanted)
    shown.click("#flame g", 1)
    assert shown.text("#source-title") == "main", shown.text("#source-title")


def check_compare(shown, traces, out):
    write(traces["after"], out, "--diff", traces["before"])
    shown.tab.open(out)
    shown.click("#tab-compare")
    rows = shown.value("[...document.querySelectorAll('#changes tbody tr:not(.sum)')].map((tr) => [...tr.querySelectorAll('td.n')].map((td) => +td.dataset.value))")
    wanted = [[row["delta_at_peak_bytes"], row["old_at_peak_bytes"], row["new_at_peak_bytes"]] for row in answer("diff", "--json", traces["before"], traces["after"])["rows"]]
    assert sorted(rows) == sorted(row for row in wanted if row[0]), (rows, wanted)
    assert [row[0] for row in rows] == sorted((row[0] for row in rows), key=lambda n: -abs(n))


def in_browser(directory):
    traces = make_pages(directory)
    with browser.Browser() as tab:
        shown = Shown(tab)
        for name, expression in ("hostile", "img src|\\(1\\)"), ("timeline", "parse"), ("leaks", "a"), ("shelf", "shelf"), ("python3", "^_?Py|json"):
            if name in traces:
                check_page(shown, traces[name], directory / f"{name}.html", expression)
        check_compare(shown, traces, directory / "out.html")
        check_source_pane(shown, traces["shelf"], directory / "out.html")
        assert not tab.errors, tab.errors


if __name__ == "__main__":
    if sys.argv[1] == "browser" and not browser.program():
        skip(missing("chromium"))
    with scratch() as scratch_directory:
        {"figures": figures, "large": large, "browser": in_browser}[sys.argv[1]](scratch_directory)
