# SPDX-License-Identifier: MIT
"""packages - what brings a program that a test needs, as Debian calls it."""

PACKAGES = {"ab": "apache2-utils", "cc1": "gcc", "callgrind_annotate": "valgrind", "clang++": "clang", "go": "golang-go", "heaptrack_print": "heaptrack", "ms_print": "valgrind",
            "javac": "default-jdk-headless", "man": "man-db",
            "nginx": "nginx-light", "ninja": "ninja-build", "node": "nodejs", "pgbench": "postgresql",
            "python3": "python3", "redis-benchmark": "redis-tools", "setpriv": "util-linux", "xmllint": "libxml2-utils"}


def missing(program):
    """The reason for which a test is skipped."""
    name = str(program).rsplit("/", 1)[-1]
    return f"{name} is missing: package {PACKAGES.get(name, name)}"
