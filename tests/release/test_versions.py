# SPDX-License-Identifier: MIT
"""The version stands in the project's meson.build; what can't read it from there says the same."""
import os
import re
import unittest
from pathlib import Path

from tracing import mtracer

SOURCE, VERSION = Path(os.environ["TEST_SOURCE"]), os.environ["TEST_VERSION"]


class Versions(unittest.TestCase):
    def newest(self, file, pattern):
        found = re.search(pattern, (SOURCE / file).read_text(), re.MULTILINE)
        self.assertTrue(found, f"{file} names no version")
        return found[1]

    def test_command(self):
        self.assertEqual(mtracer("--version").stdout.decode(), f"mtracer {VERSION}\n")

    def test_news(self):
        self.assertEqual(self.newest("NEWS.md", r"^## (\S+) \(\d{4}-\d\d-\d\d\)$"), VERSION)

    def test_package(self):
        self.assertEqual(self.newest("debian/changelog", r"^libmtrace \((\S+)\) "), VERSION)


if __name__ == "__main__":
    unittest.main()
