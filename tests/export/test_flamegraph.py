# SPDX-License-Identifier: MIT
"""test_flamegraph.py - flame graphs have the figures of `tree` and `report`, and do in a browser what they say.

usage: test_flamegraph.py figures|colours|large|browser

The picture is read as XML by what it is made of; the browser is Chromium (driver/browser.py).
"""
import collections
import json
import math
import re
import shutil
import subprocess
import os
import sys
import xml.etree.ElementTree

import browser
from packages import missing
from test_export import REPORTED, export, make_traces, totals_of
from tracing import mtracer, run, scratch, skip

SVG = "{http://www.w3.org/2000/svg}"
WIDTH, LEAST = 1180, 0.1
ROW = 17

Box = collections.namedtuple("Box", "depth start size lines kind x width label")


def draw(trace, out, *options):
    result = mtracer("flamegraph", "--out", out, *options, trace)
    assert result.status == 0, result
    return read(out)


def read(path):
    """The boxes, in their order."""
    root = xml.etree.ElementTree.parse(path).getroot()
    group = next(g for g in root.iter(f"{SVG}g") if g.get("class") == "boxes")
    boxes = []
    for g in group:
        rect, label = g.find(f"{SVG}rect"), g.find(f"{SVG}text")
        y = int(rect.get("y"))
        boxes.append(Box(abs(y - (boxes[0][0] if boxes else y)) if boxes else y, int(g.get("data-s")), int(g.get("data-v")),
                         g.find(f"{SVG}title").text.split("\n"), g.get("class").split()[0], float(rect.get("x")), float(rect.get("width")),
                         "".join(label.itertext()) if label is not None else ""))
    return [box._replace(depth=box.depth // ROW if i else 0) for i, box in enumerate(boxes)]


def tree(trace, *options):
    result = mtracer("tree", "--json", *options, trace)
    assert result.status == 0, result
    return json.loads(result.stdout)["calls"]


def levels_of(calls, measure, whole):
    """{depth: Counter of (function, measure)} of all that is wide enough for a box."""
    depth, levels = {None: 0}, collections.defaultdict(collections.Counter)
    for call in calls:
        depth[call["id"]] = depth[call["parent"]] + 1
        value = call[measure]
        if value > 0 and value >= whole * LEAST / WIDTH:
            levels[depth[call["id"]]][known(call["function"]), value] += 1
    return levels


def known(name):
    """Names that a picture shows as they are."""
    return name if name.isascii() and name.isprintable() and "\\" not in name and len(name) <= 400 else None


def check_figures(name, trace, directory):
    large = trace.stat().st_size > 1 << 20
    for measure in ("at_peak_bytes", "allocations") if large else REPORTED:
        for inverted, callers in ((), ()), (("--inverted",), ("--callers",)):
            boxes = draw(trace, directory / "out.svg", "--measure", measure, *inverted)
            whole = totals_of(trace)[measure]
            if whole <= 0:
                assert not boxes, (name, measure)
                continue
            assert (boxes[0].size, boxes[0].lines[0]) == (whole, "all"), (name, measure, boxes[0], whole)
            got = collections.defaultdict(collections.Counter)
            for box in boxes[1:]:
                if box.kind != "rest":
                    got[box.depth][known(box.lines[0]), box.size] += 1
            wanted = levels_of(tree(trace, "--sort", measure, *callers), measure, whole)
            assert got == wanted, (name, measure, inverted, [(d, wanted[d] - got[d], got[d] - wanted[d]) for d in wanted if wanted[d] != got[d]])
            check_layout(boxes, whole)


def check_layout(boxes, whole):
    """Each box lies in its caller's, beside the others, and is as wide as its share."""
    path = {}
    for box in boxes:
        path[box.depth] = [box, box.start]
        assert abs(box.x - 10 - box.start / whole * WIDTH) < 0.1, box
        assert abs(box.width - box.size / whole * WIDTH) < 0.61, box
        assert len(box.label) * 7.25 <= box.width or not box.label, box
        if box.depth and box.kind != "rest":
            caller, at = path[box.depth - 1]
            assert at == box.start and box.start + box.size <= caller.start + caller.size, (caller, box)
            path[box.depth - 1][1] += box.size


def check_options(trace, directory):
    """What else the command writes."""
    sampled = directory / "sampled.mtrace"
    assert run([os.environ["TEST_BRANCHES"], "deep", "4"], MTRACE_OUT=str(sampled), MTRACE_SAMPLE="16").status == 0
    draw(sampled, directory / "out.svg")
    assert "Figures are estimates" in (directory / "out.svg").read_text()
    for measure in *REPORTED, "peak_bytes":
        assert mtracer("flamegraph", "--folded", "--measure", measure, trace).stdout == export(trace, "folded", "--measure", measure)
    boxes = draw(trace, directory / "out.svg", "--match", "calls=3")
    calls = tree(trace, "--match", "calls=3")
    assert boxes[0].size == sum(c["at_peak_bytes"] for c in calls if c["parent"] is None)
    folded = mtracer("flamegraph", "--folded", "--match", "calls=3", trace).stdout.decode()
    assert sum(int(line.rsplit(" ", 1)[1]) for line in folded.splitlines()) == boxes[0].size
    assert not draw(trace, directory / "out.svg", "--match", "no such function")
    text = (directory / "out.svg").read_text()
    assert "no stack matches" in text


# ---- differences

def paths_of(calls, measure):
    """{names from the program on: measure}, for functions that can be told by them."""
    path, sums = {None: ()}, {(): sum(c[measure] for c in calls if c["parent"] is None)}
    for call in calls:
        path[call["id"]] = path[call["parent"]] + (call["function"],)
        assert path[call["id"]] not in sums, call
        sums[path[call["id"]]] = call[measure]
    return sums


def growth(old, new):
    if not old:
        return "new"
    percent = 100 * (new - old) / old
    if new >= 10 * old:
        return f"×{new / old:.0f}"
    return "unchanged" if old == new else "±0 %" if abs(percent) < 0.05 else f"{percent:+.{int(abs(percent) < 99.95)}f} %"


def colour(old, new):
    step = sum(abs(new - old) >= part * max(old, new) for part in (0.01, 0.1, 0.33, 0.67))
    return f"{'up' if new > old else 'down'}{step}" if step else "even"


def check_difference(old, new, directory):
    """Every box says what it was before, and the rest of the old one is gone."""
    for measure in REPORTED:
        for inverted, callers in ((), ()), (("--inverted",), ("--callers",)):
            was, now = (paths_of(tree(trace, *callers), measure) for trace in (old, new))
            boxes = draw(new, directory / "out.svg", "--measure", measure, "--diff", old, *inverted)
            assert bool(boxes) == (now[()] > 0)
            path, seen = [], set()
            for box in boxes:
                del path[max(0, box.depth - 1):]
                path += [box.lines[0]] if box.depth else []
                if box.kind == "rest":
                    continue
                key = tuple(path)
                seen.add(key)
                before, size = was.get(key, 0), now[key]
                assert (box.size, box.kind) == (size, colour(before, size)), (measure, key, before, size, box)
                assert box.lines[-1].endswith(growth(before, size)), (measure, key, before, size, box)
                assert not box.label or growth(before, size) in box.label or len(box.label) * 7.25 + 80 > box.width, (box, before)
            assert len(seen) == len(boxes)
            gone = [key for key, value in was.items() if value > 0 and key not in now and key[:-1] in now]
            text = (directory / "out.svg").read_text()
            assert (f"{len(gone)} call{'s' * (len(gone) > 1)} with" in text) == bool(gone and boxes), (measure, gone, len(boxes))


def differences(traces, directory):
    runs = []
    for size in "3", "4":
        runs.append(directory / f"run{size}.mtrace")
        assert run([os.environ["TEST_BRANCHES"], "deep", size], MTRACE_OUT=str(runs[-1])).status == 0
    check_difference(*runs, directory)
    check_difference(*reversed(runs), directory)
    for name, trace in traces.items():
        boxes = draw(trace, directory / "out.svg", "--diff", trace)
        assert all(box.kind in ("even", "rest") for box in boxes), name
        assert all(box.kind == "rest" or box.lines[-1].endswith("; unchanged") for box in boxes), name


def figures(directory):
    traces = make_traces(directory)
    differences(traces, directory)
    for name, trace in traces.items():
        check_figures(name, trace, directory)
        if shutil.which("xmllint"):
            subprocess.run(["xmllint", "--noout", directory / "out.svg"], check=True)
    check_options(traces["hostile"], directory)
    text = draw(traces["hostile"], directory / "out.svg") and (directory / "out.svg").read_text()
    assert "\\u202eturned" in text and "latin-\\xe9\\xff" in text and "<img" not in text and "tab\\u0009here" in text
    # Nothing but the names of XML's dialects is an address.
    assert set(re.findall(r"\w+://[^\"'\s]*", text)) <= {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xhtml"}
    if not shutil.which("xmllint"):
        skip(f"{missing('xmllint')} (the rest was checked)")


# ---- colours

# What the colour-blind see of linear RGB, by Machado, Oliveira and Fernandes (2009), severity 1.
EYES = {
    "normal": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}


def linear(colour):
    channels = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    return [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]


def seen(colour, eyes):
    """In CIELAB, white as D65."""
    rgb = [min(1, max(0, sum(a * b for a, b in zip(row, linear(colour))))) for row in EYES[eyes]]
    xyz = [sum(a * b for a, b in zip(row, rgb)) for row in ((0.4339, 0.3763, 0.1899), (0.2126, 0.7152, 0.0722), (0.0177, 0.1095, 0.8728))]
    x, y, z = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in xyz)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def contrast(one, other):
    bright = sorted(0.05 + sum(a * b for a, b in zip((0.2126, 0.7152, 0.0722), linear(colour))) for colour in (one, other))
    return bright[1] / bright[0]


def fills(style):
    """{class: colour} of boxes, and that of their names."""
    rules = {name: colour for names, colour in re.findall(r"((?:\.flame \.\w+ rect(?:, )?)+) \{ fill: (#\w{6}) \}", style)
             for name in re.findall(r"\.flame \.(\w+) rect", names) if re.fullmatch(r"c\d|up\d|down\d|even|whole|odd", name)}
    return rules, re.search(r"\.flame text \{ fill: (#\w{6}) \}", style).group(1)


def colours(directory):
    """Names can be read on every colour, and everybody can tell modules from each other, and more from less."""
    trace = make_traces(directory)["app"]
    draw(trace, directory / "out.svg")
    style = re.search(r"<style>(.*)</style>", (directory / "out.svg").read_text(), re.DOTALL).group(1)
    for scheme in style.split("@media screen and (prefers-color-scheme: dark)"):
        rules, text = fills(scheme)
        assert len(rules) == 20, rules
        faint = {name: contrast(colour, text) for name, colour in rules.items() if contrast(colour, text) < 4.5}
        assert not faint, faint
        for eyes in EYES:
            lab = {name: seen(colour, eyes) for name, colour in rules.items()}
            pairs = [(a, b) for a in rules for b in rules if a < b and (a[0] == b[0] == "c" or {a[0], b[0]} == {"d", "u"})]
            close = {pair: distance for pair in pairs if (distance := math.dist(lab[pair[0]], lab[pair[1]])) < 12}
            assert not close, (eyes, close)


# ---- more stacks than any picture has room for

def large(directory):
    out = directory / "out.svg"
    for what, size, options in ("wide", "16", ()), ("wide", "16", ("--inverted",)), ("deep", "1000", ()), ("deep", "1000", ("--inverted",)):
        trace = directory / f"{what}.mtrace"
        if not trace.exists():
            assert run([os.environ["TEST_BRANCHES"], what, size], MTRACE_OUT=str(trace), MTRACE_DEPTH="1024").status == 0
        boxes = draw(trace, out, "--measure", "allocated_bytes", *options)
        assert out.stat().st_size < 2 << 20 and len([b for b in boxes if b.kind != "rest"]) <= 5000, (what, out.stat().st_size)
        assert boxes[0].size == totals_of(trace)["allocated_bytes"]
        assert (what == "wide") == ("too narrow for a box" in out.read_text()), (what, len(boxes))
        check_layout(boxes, boxes[0].size)


# ---- in a browser

BOXES = "[...document.querySelectorAll('.boxes > g')]"


def box_at(page, index, margin=2):
    """Where to click on a box."""
    at = page.value(f"(() => {{ const b = {BOXES}[{index}]; b.scrollIntoView({{block: 'nearest'}}); const r = b.querySelector('rect').getBoundingClientRect(); return [r.x, r.y, r.width, r.height] }})()")
    return at[0] + min(margin, at[2] / 2), at[1] + at[3] / 2


def shown(page):
    """[index, x, width, is above] of the boxes that are shown."""
    return page.value(BOXES + ".map((g, i) => [i, +g.querySelector('rect').getAttribute('x'), +g.querySelector('rect').getAttribute('width'), "
                      "g.classList.contains('above'), g.style.display]).filter((b) => b[4] !== 'none').map((b) => b.slice(0, 4))")


def result(page):
    return page.value("document.querySelector('output').textContent")


def expected_share(boxes, expression):
    """What matches, the outermost boxes counted alone."""
    total = end = 0
    for box in boxes:
        if box.kind != "rest" and box.start >= end and any(re.search(expression, line, re.IGNORECASE) for line in box.lines[:-1]):
            total += box.size
            end = box.start + box.size
    return 100 * total / boxes[0].size


def check_fits(page, width):
    """The boxes fill the window, and no name is wider than its box."""
    first = shown(page)[0]
    assert abs(first[1] - 10) < 0.01 and abs(first[2] - (width - 20)) < 1.1, (first, width)
    over = page.value(BOXES + ".filter((g) => g.style.display !== 'none' && g.querySelector('text') && g.querySelector('text').textContent && "
                      "g.querySelector('text').getComputedTextLength() > +g.querySelector('rect').getAttribute('width'))"
                      ".map((g) => g.querySelector('text').textContent)")
    assert not over, over


def check_tools(page):
    """With all that they can show, they stay in one line and in the picture."""
    page.key("/")
    page.type(".")
    assert result(page)
    tools = page.value("['button', 'output', 'input'].map((name) => document.querySelector(name).getBoundingClientRect()).map((r) => [r.left, r.right, r.height])")
    assert all(0 < left < right and height < 28 for left, right, height in tools), tools
    assert all(a[1] <= b[0] for a, b in zip(tools, tools[1:])), tools
    page.key("Escape")


def check_zoom(page, boxes):
    inner = max((i for i, b in enumerate(boxes) if b.kind != "rest" and b.width > 3), key=lambda i: boxes[i].depth)
    page.click(*box_at(page, inner))
    now = {b[0]: b for b in shown(page)}
    assert inner in now and not now[inner][3] and abs(now[inner][2] - now[0][2]) < 0.1, (now[inner], now[0])
    above = [i for i, b in now.items() if b[3]]
    assert [boxes[i].depth for i in above] == list(range(boxes[inner].depth)), above
    assert page.value("!document.querySelector('button').hidden")
    check_tools(page)
    page.key("Escape")
    assert len(shown(page)) == len(boxes) and page.value("document.querySelector('button').hidden")
    # By keys alone: out of the search, over the boxes, in and out.
    page.value("document.activeElement.blur()")
    page.key("/")
    page.key("Tab")
    assert page.value(f"document.activeElement === {BOXES}[0]")
    page.key("ArrowDown")
    at = page.value(f"{BOXES}.indexOf(document.activeElement)")
    assert boxes[at].depth == 1, at
    assert page.value("document.querySelector('.tip').textContent").startswith(boxes[at].lines[0])
    page.key("Enter")
    assert {b[0]: b for b in shown(page)}[0][3]
    page.key("ArrowUp")
    page.key("Enter")
    assert len(shown(page)) == len(boxes)


def check_search(page, boxes, expression):
    page.key("f", control=True)
    assert page.value("document.activeElement.type") == "search"
    page.type(expression)
    found = result(page)
    assert abs(float(found.split(" ")[0]) - expected_share(boxes, expression)) <= 0.051, (found, expected_share(boxes, expression))
    hits = sum(b.kind != "rest" and any(re.search(expression, line, re.IGNORECASE) for line in b.lines[:-1]) for b in boxes)
    assert page.value("document.querySelectorAll('.hit').length") == hits
    page.key("Escape")
    assert result(page) == "" and page.value("document.querySelectorAll('.hit').length") == 0
    page.type("(")
    assert result(page) == "no regular expression"
    page.key("Escape")


def check_looks(page):
    back = "getComputedStyle(document.querySelector('.back')).fill"
    light = page.value(back)
    page.media(prefers_color_scheme="dark")
    assert page.value(back) != light
    page.media("print", prefers_color_scheme="dark")
    assert page.value(back) == light
    assert page.value("getComputedStyle(document.querySelector('foreignObject')).display") == "none"
    page.media()


def check_page(page, trace, out, expression, *options):
    boxes = draw(trace, out, *options)
    page.open(out)
    width = page.value("document.documentElement.getBoundingClientRect().width")
    check_fits(page, width)
    check_search(page, boxes, expression)
    if not options:
        check_zoom(page, boxes)
        check_looks(page)
    page.move(*box_at(page, 0))
    assert page.value("document.querySelector('.tip').textContent") == "".join(boxes[0].lines)
    assert page.value("document.querySelectorAll('title').length") == 1, "the browser's own tooltips lie over ours"
    assert not page.errors, page.errors
    assert set(page.requests) == {f"file://{out}"}, page.requests


def check_labels(page, traces, out):
    """The script writes beside names what the picture had there."""
    page.call("Emulation.setDeviceMetricsOverride", width=1200, height=900, deviceScaleFactor=1, mobile=False)
    for options in (traces["app"],), ("--diff", traces["app"], traces["app"]), ("--diff", traces["before"], traces["after"]):
        boxes = draw(options[-1], out, *options[:-1])
        page.open(out)
        labels = page.value(BOXES + ".map((g) => g.querySelector('text') ? g.querySelector('text').textContent : '')")
        assert labels == [box.label for box in boxes], options
    page.call("Emulation.clearDeviceMetricsOverride")


def in_browser(directory):
    traces = make_traces(directory)
    with browser.Browser() as page:
        check_labels(page, traces, directory / "out.svg")
        for name, expression in ("hostile", "img src|\\(1\\)"), ("python3", "^_?Py|json"), ("perl", "main"):
            if name in traces:
                page.requests.clear()
                check_page(page, traces[name], directory / "out.svg", expression)
                check_page(page, traces[name], directory / "out.svg", expression, "--inverted")
        assert page.value("document.images.length") == 0


if __name__ == "__main__":
    if sys.argv[1] == "browser" and not browser.program():
        skip(missing("chromium"))
    with scratch() as scratch_directory:
        {"figures": figures, "colours": colours, "large": large, "browser": in_browser}[sys.argv[1]](scratch_directory)
