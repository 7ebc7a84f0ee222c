# SPDX-License-Identifier: MIT
"""embed.py - makes C string constants of text files, so that mtracer carries them in itself.

usage: embed.py FILE...     (prints a C header: flamegraph.js becomes flamegraph_js[])

Indentation and lines that are only a comment (of // or on one line, and what opens the file) are left out.
"""
import re
import sys
from pathlib import Path


def bare(text):
    text = re.sub(r"(?ms)^\s*/\*.*?\*/\n", "", text)
    return [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("//")]


def literal(line):
    return '"' + line.replace("\\", "\\\\").replace('"', '\\"') + '\\n"'


def main(files):
    for file in files:
        lines = bare(Path(file).read_text(encoding="utf-8"))
        assert not any("]]>" in line for line in lines), f"{file}: ends the CDATA section that it will be in"
        name = Path(file).name.replace(".", "_")
        print(f"static const char {name}[] =")
        print("\n".join(f"\t{literal(line)}" for line in lines) + ";")


main(sys.argv[1:])
