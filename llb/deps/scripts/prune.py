"""Removes from a site-packages directory what nothing reads at run time.

  tests   directories "test" and "tests" of a package, unless a module of that
          package outside of them imports or names one: some packages have
          helpers for everybody there
  *.map   source maps, for debuggers of minified JavaScript
  *.a     static libraries, for linkers
  *.exe   launchers for Windows
"""

import os
import re
import shutil
import sys

IMPORT = re.compile(rb"^[ \t]*(?:from|import)\s(?:[^\n(#]*\([^)]*\)|[^\n#]*)", re.M)
NAME = re.compile(rb"\b(tests?)\b")
TEXT = re.compile(rb"""["'][\w.]*\.(tests?)["'.]""")
ENDINGS = (".map", ".a", ".exe")


def mentioned(path):
    """The names that a module imports, or has as part of a module's name."""
    with open(path, "rb") as f:
        code = f.read()
    if b"test" not in code:
        return set()
    names = set(TEXT.findall(code))
    for line in IMPORT.findall(code):
        names.update(NAME.findall(line))
    return {name.decode() for name in names}


def prune(package):
    tests, wanted = [], set()
    for parent, dirs, files in os.walk(package):
        for name in [d for d in dirs if d in ("test", "tests")]:
            tests.append((name, os.path.join(parent, name)))
            dirs.remove(name)
        for name in files:
            path = os.path.join(parent, name)
            if name.endswith(ENDINGS):
                os.remove(path)
            elif name.endswith(".py") and name != "conftest.py":
                wanted |= mentioned(path)
    for name, path in tests:
        if name not in wanted and os.path.exists(os.path.join(path, "__init__.py")):
            shutil.rmtree(path)


site = sys.argv[1]
for name in sorted(os.listdir(site)):
    if os.path.isdir(os.path.join(site, name)):
        prune(os.path.join(site, name))
