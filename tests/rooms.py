# SPDX-License-Identifier: MIT
"""rooms.py - checks who includes whom: downwards from floor to floor, and in no circle.

usage: rooms.py SOURCE_ROOT
"""
import re
import sys
from pathlib import Path

# From the top. A file may include files of its own room and of the rooms below. What lies beside the rooms (main.c) stands above them.
FLOORS = {
    # export stands beside print: both show what views have found, to machines and to people.
    "analyzer": ["commands", "run", "html", "export", "print", "views", "symbols", "trace", "base"],
    "preload": ["hooks", "life", "leakscan", "unwind", "store", "sys", "jemalloc"],
}

# Circles that stay, with the reason.
CIRCLES = {
    "preload": {
        # While a library is unloaded, an address that is looked up (stacks) may turn out to be of a module that has gone (modules),
        # and then all that is known of the module's addresses is forgotten (stacks).
        frozenset({"unwind/modules", "unwind/stacks"}),
    },
}


def includes(path, tree):
    """The files of the same tree that a file includes, as room/name."""
    return set(re.findall(rf'^#include "{tree}/([^"]+)"', path.read_text(), re.MULTILINE))


def upwards(tree, floors, edges):
    for file, included in sorted(edges.items()):
        for other in sorted(included):
            here, there = Path(file).parent.name, Path(other).parent.name
            if here and there and floors.index(there) < floors.index(here):
                yield f"{tree}/{file} includes {tree}/{other}, which is above it"


def circles(edges):
    """Sets of modules (a .c and its .h are one) that need each other; Tarjan's algorithm."""
    graph = {}
    for file, included in edges.items():
        graph.setdefault(file.rsplit(".", 1)[0], set()).update(other.rsplit(".", 1)[0] for other in included)
    order, lowest, stack = {}, {}, []

    def visit(node):
        order[node] = lowest[node] = len(order)
        stack.append(node)
        for other in graph.get(node, ()):
            if other not in order:
                yield from visit(other)
                lowest[node] = min(lowest[node], lowest[other])
            elif other in stack:
                lowest[node] = min(lowest[node], order[other])
        if lowest[node] == order[node]:
            circle = frozenset(stack[stack.index(node):])
            del stack[stack.index(node):]
            if len(circle) > 1:
                yield circle

    for node in list(graph):
        if node not in order:
            yield from visit(node)


def main(root):
    faults = []
    for tree, floors in FLOORS.items():
        directory = Path(root) / tree
        rooms = {path.name for path in directory.iterdir() if any(path.glob("*.[ch]"))}
        faults += [f"{tree}/{room} has no floor in tests/rooms.py" for room in sorted(rooms - set(floors))]
        edges = {str(path.relative_to(directory)): includes(path, tree) for path in directory.rglob("*.[ch]")}
        faults += upwards(tree, floors, edges)
        faults += [f"{tree}: a circle: {', '.join(sorted(circle))}" for circle in circles(edges)
                   if circle not in CIRCLES.get(tree, {})]
    print("\n".join(faults) or "every include goes downwards")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
