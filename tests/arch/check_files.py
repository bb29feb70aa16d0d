# SPDX-License-Identifier: MIT
"""Every file of code names its licence first, then itself and its one responsibility, and stays short.

usage: check_files.py TREE
Over 500 lines is printed as a warning; over 800 fails.
"""
import os
import re
import sys

WARN_LINES, MOST_LINES = 500, 800
CODE = (".c", ".h", ".cc", ".cpp")
SCRIPTS = (".py", ".sh")
FOLDERS = ("spec", "trace", "preload", "analyzer", "viewer", "cli", "include", "samples", "tests", "bench")
# Here the banner names the file: "name.c - what it does".
NAMED = ("trace", "preload", "analyzer", "viewer", "cli")
LOOSE = ("dev", ".ci/run", "bench/run")
DRAWERS = re.compile(r"(^|_)(utils?|helpers?|misc|common)\.", re.I)
SPDX = "SPDX-License-Identifier: MIT"


def check_lines(path, lines):
    if len(lines) > MOST_LINES:
        yield f"{path}: {len(lines)} lines, more than {MOST_LINES}: split it"
    elif len(lines) > WARN_LINES:
        print(f"warning: {path}: {len(lines)} lines, more than {WARN_LINES}")


def check_code(path, lines):
    if not lines or lines[0] not in (f"/* {SPDX} */", f"// {SPDX}"):
        yield f"{path}:1: the first line is not /* {SPDX} */"
    name = os.path.basename(path)
    starts = (f" * {name} - ", f"/* {name} - ")
    if path.split("/")[0] in NAMED and not any(line.startswith(starts) for line in lines[1:3]):
        yield f"{path}:2: no banner ' * {name} - what it is responsible for'"


def check_script(path, lines):
    if not any(SPDX in line for line in lines[:3]):
        yield f"{path}: no '# {SPDX}' in the first lines"


def check_file(tree, path):
    with open(os.path.join(tree, path), encoding="utf-8", errors="replace") as file:
        lines = file.read().splitlines()
    yield from check_lines(path, lines)
    if path.endswith(CODE):
        yield from check_code(path, lines)
    else:
        yield from check_script(path, lines)
    if DRAWERS.search(os.path.basename(path)):
        yield f"{path}: a drawer; give what is in it a module"


def list_files(tree):
    for folder in FOLDERS:
        for place, folders, names in os.walk(os.path.join(tree, folder)):
            # Inputs of tests are data, whatever they look like.
            folders[:] = sorted(set(folders) - {"corpus", "expected", "fixtures", "source", "__pycache__"})
            for name in sorted(names):
                if name.endswith(CODE + SCRIPTS):
                    yield os.path.relpath(os.path.join(place, name), tree)
    yield from (path for path in LOOSE if os.path.exists(os.path.join(tree, path)))


def check(tree):
    paths = list(list_files(tree))
    if not paths:
        yield "no source files found"
    for path in paths:
        yield from check_file(tree, path)


def main():
    problems = list(check(sys.argv[1]))
    print("\n".join(problems) if problems else "files: ok")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
