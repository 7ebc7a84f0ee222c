# SPDX-License-Identifier: MIT
"""assemble.py - makes one page of its parts, as a C header with what is before the data and behind it.

usage: assemble.py PAGE.html STYLE.css SCRIPT.js...     (prints the header)

Indentation, blank lines and lines that are only a comment are left out. The page may execute and be styled by nothing but
these files: their hashes are its policy.
"""
import base64
import hashlib
import re
import sys
from pathlib import Path


def bare(text):
    text = re.sub(r"(?ms)^\s*/\*.*?\*/\n", "", text)
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def digest(text):
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def literal(text):
    lines = text.replace("\\", "\\\\").replace('"', '\\"').split("\n")
    return "\n".join(f'\t"{line}\\n"' for line in lines[:-1]) + f'\n\t"{lines[-1]}"'


def main(page, style, *scripts):
    style, *scripts = (bare(Path(path).read_text(encoding="utf-8")) for path in (style, *scripts))
    script = "\n".join(scripts)
    assert "</" not in script and "<!--" not in script, "this would end the script, or begin a comment in it"
    page = re.sub(r"(?s)<!--.*?-->\n?", "", Path(page).read_text(encoding="utf-8"))
    parts = {"STYLE": style, "SCRIPT": script, "STYLE_HASH": digest(style), "SCRIPT_HASH": digest(script)}
    page = re.sub(r"@(\w+)@", lambda match: parts.get(match[1], match[0]), "\n".join(filter(None, map(str.strip, page.splitlines()))))
    for name, text in zip(("page_before", "page_after"), page.split("@DATA@"), strict=True):
        print(f"static const char {name}[] =\n{literal(text)};")


main(*sys.argv[1:])
