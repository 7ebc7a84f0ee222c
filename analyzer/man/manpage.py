#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""manpage.py - a manual page from Markdown.

usage: manpage.py NAME SECTION SUMMARY SOURCE.md [TABLES.json]

Knows what the project's own pages use: headings, paragraphs, lists, indented and fenced code, tables, and `code`,
**bold**, *italic* and [links](...) in the text. The first heading and a list that only links to sections are left
out, since manual pages have neither. TABLES.json is what `mtracer completion json` prints; with it a line
`{{commands}}` becomes the commands, each with its options.
"""

import json
import re
import sys


def escape(text):
    return text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")


def inline(text):
    """Markdown inside a line to roff. Code first, since nothing in it is markup."""
    out = []
    for i, part in enumerate(re.split(r"`([^`]*)`", text)):
        if i % 2:
            out.append("\\fB" + escape(part) + "\\fR")
            continue
        part = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", part)
        part = escape(part)
        part = re.sub(r"\*\*([^*]+)\*\*", r"\\fB\1\\fR", part)
        part = re.sub(r"(?<![\w*\\])\*([^*\s][^*]*)\*(?![\w*])", r"\\fI\1\\fR", part)
        out.append(part)
    return guard("".join(out))


def guard(line):
    return "\\&" + line if line[:1] in (".", "'") else line


def code_block(lines):
    yield ".PP"
    yield ".RS 4"
    yield ".nf"
    for line in lines:
        yield guard(escape(line))
    yield ".fi"
    yield ".RE"


def table(lines):
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    head, body = rows[0], rows[2:]
    yield ".PP"
    if len(head) == 2:  # a list of terms reads better on a terminal
        for row in body:
            yield ".TP"
            yield inline(row[0])
            yield inline(row[1]) if row[1] else "\\&"
        return
    yield ".TS"
    yield "tab(\t);"
    yield " ".join("lb" for _ in head)
    yield " ".join("l" if i + 1 < len(head) else "lx" for i in range(len(head))) + "."
    yield "\t".join(inline(cell) for cell in head)
    for row in body:
        row += [""] * (len(head) - len(row))
        cells = [inline(cell) for cell in row]
        yield "\t".join(cells[:-1]) + "\tT{"
        yield cells[-1] or "\\&"
        yield "T}"
    yield ".TE"


def option_heading(option):
    value = f" \\fI{escape(option['value'])}\\fR" if option["value"] else ""
    names = [f"\\fB\\-{option['letter']}\\fR"] if option["letter"] else []
    names.append(f"\\fB\\-\\-{escape(option['name'])}\\fR")
    return ", ".join(names) + value


def usage(text):
    text = re.sub(r"[A-Z]{2,}", lambda m: "\0" + m.group() + "\1", text)
    return escape(text).replace("\0", "\\fI").replace("\1", "\\fR")


def commands(tables):
    for command in tables["commands"]:
        yield f".SS mtracer {escape(command['name'])}"
        yield f"\\fBmtracer {escape(command['name'])}\\fR {usage(command['usage'])}"
        yield ".PP"
        summary = command["summary"]
        yield guard(escape(summary[0].upper() + summary[1:])) + "."
        for line in (command["details"] or "").splitlines():
            yield guard(escape(line))
        for option in command["options"]:
            yield ".TP"
            yield option_heading(option)
            for line in option["help"].splitlines():
                yield guard(escape(line))


def blocks(text):
    """(kind, lines) for each block of the page."""
    lines, i = text.splitlines(), 0
    while i < len(lines):
        line, start = lines[i], i
        i += 1
        if not line.strip():
            continue
        if line.startswith("#"):
            yield "heading", [line]
        elif line.startswith("```"):
            while i < len(lines) and not lines[i].startswith("```"):
                i += 1
            yield "code", lines[start + 1:i]
            i += 1
        elif line.startswith("    "):
            while i < len(lines) and (lines[i].startswith("    ") or
                                      (not lines[i].strip() and i + 1 < len(lines) and
                                       lines[i + 1].startswith("    "))):
                i += 1
            yield "code", [part[4:] for part in lines[start:i]]
        elif line.startswith("|"):
            while i < len(lines) and lines[i].startswith("|"):
                i += 1
            yield "table", lines[start:i]
        elif re.match(r"([-*]|\d+\.) ", line):
            while i < len(lines) and lines[i].strip() and \
                    not re.match(r"([-*]|\d+\.) |#|\||```", lines[i]):
                i += 1
            yield "item", lines[start:i]
        else:
            while i < len(lines) and lines[i].strip() and \
                    not re.match(r"([-*]|\d+\.) |#|\||```", lines[i]):
                i += 1
            yield "text", lines[start:i]


def heading(line):
    level = len(line) - len(line.lstrip("#"))
    title = re.sub(r"^\d+\. ", "", line.lstrip("#").strip())
    return level, title


def body(text, tables):
    for kind, lines in blocks(text):
        if kind == "heading":
            level, title = heading(lines[0])
            if level == 2:
                yield f".SH {escape(title.upper())}"
            elif level > 2:
                yield f".SS {inline(title)}"
        elif kind == "code":
            yield from code_block(lines)
        elif kind == "table":
            yield from table(lines)
        elif kind == "item":
            mark, rest = re.match(r"([-*]|\d+\.) +(.*)", lines[0]).groups()
            rest = " ".join([rest] + [line.strip() for line in lines[1:]])
            if re.fullmatch(r"\[[^\]]*\]\(#[^)]*\)", rest):
                continue
            yield ".IP " + ("\\(bu 2" if mark in "-*" else mark + " 4")
            yield inline(rest)
        elif lines == ["{{commands}}"]:
            yield from commands(tables)
        else:
            yield ".PP"
            yield inline(" ".join(line.strip() for line in lines))


def main():
    name, section, summary, source = sys.argv[1:5]
    tables = json.load(open(sys.argv[5])) if len(sys.argv) > 5 else None
    text = open(source, encoding="utf-8").read()
    print("'\\\" t")
    print(f".TH {escape(name.upper())} {section} \"\" libmtrace \"libmtrace manual\"")
    print(".ad l")
    print(".nh")
    print(".SH NAME")
    print(f"{escape(name)} \\- {escape(summary)}")
    lead = text.split("\n## ", 1)[0]
    if any(kind == "text" for kind, _ in blocks(lead)):
        print(".SH DESCRIPTION")
    for line in body(text, tables):
        print(line)


main()
