# SPDX-License-Identifier: MIT
"""Includes point one way: cli -> viewer -> report -> checkers -> model -> trace -> spec; preload -> trace -> spec.

usage: check_layers.py TREE
Also: libraries never print nor end the process; that is for cli/ alone.
"""
import os
import re
import sys

# Folder: what its files may include from other folders, as path prefixes. Folders that are not named here (tests,
# samples, bench) may include what they like.
LAYERS = {
    "spec": [],
    "spec/primitives": [],
    "trace": ["spec/"],
    "preload": [
        "preload/python/py.h",
        "preload/steer/steer.h",
        "preload/tsan/memory_link.h",
        "trace/trace_format.h",
        "trace/trace_memory_format.h",
        "trace/trace_encode.h",
        "spec/",
    ],
    "preload/tsan": ["preload/shim_arch.h", "trace/trace_memory_format.h"],
    "preload/races": ["preload/*.h", "trace/trace_format.h", "trace/trace_encode.h", "spec/"],
    "preload/steer": ["preload/*.h", "trace/trace_format.h", "trace/trace_encode.h", "trace/trace_steer.h", "spec/"],
    "preload/python": ["preload/*.h", "preload/steer/steer.h", "trace/trace_format.h", "trace/trace_encode.h", "spec/"],
    "analyzer/model": ["trace/", "spec/"],
    "analyzer": ["analyzer/model/", "trace/", "spec/"],
    "analyzer/checkers": ["analyzer/*.h", "analyzer/predict/", "analyzer/recorded/", "analyzer/model/", "trace/", "spec/"],
    "analyzer/recorded": ["analyzer/*.h", "analyzer/predict/", "trace/", "spec/"],
    "analyzer/predict": ["analyzer/*.h", "trace/", "spec/"],
    "analyzer/fleet": ["analyzer/report/json_put.h", "analyzer/model/", "analyzer/*.h", "trace/", "spec/"],
    "analyzer/gate": ["analyzer/report/json_put.h", "analyzer/*.h", "trace/", "spec/"],
    "analyzer/report": ["analyzer/report/html/", "analyzer/*.h", "trace/", "spec/"],
    "viewer": ["analyzer/report/", "analyzer/model/", "analyzer/fleet/", "analyzer/recorded/", "analyzer/predict/", "analyzer/*.h", "trace/", "spec/"],
    "cli": ["viewer/", "analyzer/*.h", "analyzer/report/", "analyzer/gate/", "analyzer/predict/", "analyzer/fleet/", "trace/", "spec/"],
    "viewer/tui": ["viewer/*.h", "analyzer/report/", "analyzer/*.h", "trace/", "spec/"],
    "include": [],
}
# Headers of analyzer/ that only analyzer/ itself and its checkers see.
PRIVATE = {"analyzer/checker.h": ("analyzer", "analyzer/checkers", "cli")}

# Calls that print or end the process. fprintf to a FILE the caller gave is a sink's work.
SILENT = ("trace", "analyzer", "analyzer/model", "analyzer/checkers", "analyzer/fleet", "analyzer/gate", "analyzer/predict", "analyzer/recorded", "analyzer/report", "viewer")
LOUD = re.compile(r"(?<![\w>.])(printf|puts|putchar|perror|exit|_exit)\s*\(|\b(stdout|stderr)\b")

# Files that may, with the reason.
LOUD_ALLOWED = {"trace/trace_writer.c": "makes traces by hand for tests; a test that holds it wrong dies with a message"}

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
SOURCES = (".c", ".h", ".def", ".cc", ".cpp")


def strip(text):
    """Without comments and strings, which may say anything."""
    text = re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.S)
    return re.sub(r'"(?:[^"\\\n]|\\.)*"', '""', text)


def is_allowed(wanted, patterns):
    folder, name = os.path.split(wanted)
    for pattern in patterns:
        if pattern.endswith("/*.h"):
            if folder == pattern[: -len("/*.h")] and name.endswith(".h"):
                return True
        elif wanted == pattern or (pattern.endswith("/") and wanted.startswith(pattern)):
            return True
    return False


def resolve(tree, folder, name):
    beside = os.path.normpath(os.path.join(folder, name))
    return beside if os.path.exists(os.path.join(tree, beside)) else os.path.normpath(name)


def check_file(tree, folder, name):
    path = os.path.join(folder, name)
    with open(os.path.join(tree, path), encoding="utf-8", errors="replace") as file:
        text = file.read()
    for included in INCLUDE.findall(text):
        wanted = resolve(tree, folder, included)
        if not os.path.exists(os.path.join(tree, wanted)):
            yield f"{path}: includes {included}, which is not in the tree"
        elif os.path.dirname(wanted) != folder and not is_allowed(wanted, LAYERS[folder]):
            yield f"{path}: {folder}/ may not include {wanted}"
        elif wanted in PRIVATE and folder not in PRIVATE[wanted]:
            yield f"{path}: {wanted} is private to {', '.join(PRIVATE[wanted])}"
    if folder in SILENT and path not in LOUD_ALLOWED:
        for match in LOUD.finditer(strip(text)):
            yield f"{path}: {match.group(0).strip()} - libraries never print nor exit"


def check(tree):
    files = 0
    for top in sorted({name.split("/")[0] for name in LAYERS}):
        for folder, _, names in os.walk(os.path.join(tree, top)):
            relative = os.path.relpath(folder, tree)
            for name in sorted(names):
                if not name.endswith(SOURCES):
                    continue
                files += 1
                if relative in LAYERS:
                    yield from check_file(tree, relative, name)
                else:
                    yield f"{relative}/{name}: folder {relative} has no layer; give it one in check_layers.py"
    if not files:
        yield "no source files found"


def main():
    problems = list(check(sys.argv[1]))
    print("\n".join(problems) if problems else "layers: ok")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
