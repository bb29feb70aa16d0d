# SPDX-License-Identifier: MIT
"""libthrum.so exports what spec/primitives/ names and thrum_*, and takes from outside only what preload/imports.allow names.

usage: check_shim.py TREE LIBTHRUM
"""
import os
import re
import subprocess
import sys

ROW = re.compile(r"^PRIM\(\w+, \w+, [^,]+, (\w+), ", re.M)
START = re.compile(r"^PRIM\(", re.M)
# What a sanitizer's run time in the host asks or tells: no hooks.
ANSWERS = {"__asan_default_options", "__tsan_default_options", "__tsan_on_report"}


def read_rows(tree):
    folder = os.path.join(tree, "spec/primitives")
    names = set()
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            text = file.read()
        found = ROW.findall(text)
        if len(found) != len(START.findall(text)):
            raise SystemExit(f"spec/primitives/{name}: a row cannot be read")
        names.update(found)
    return names


def read_allowed(tree):
    allowed = {}
    with open(os.path.join(tree, "preload/imports.allow"), encoding="utf-8") as file:
        for line in file:
            words = line.split("#")[0].split()
            if words:
                name, version = words
                allowed[name] = version
    return allowed


def read_symbols(library):
    """(exported names, {imported name: version or '-'}) of the dynamic symbol table."""
    exported, imported = set(), {}
    text = subprocess.run(
        ["readelf", "--dyn-syms", "--wide", library], capture_output=True, text=True, check=True
    ).stdout
    for line in text.splitlines():
        words = line.split()
        if len(words) < 8 or not words[0].rstrip(":").isdigit() or words[4] == "LOCAL":
            continue
        name, _, version = words[7].replace("@@", "@").partition("@")
        if words[6] == "UND":
            imported[name] = version or "-"
        elif words[3] != "OBJECT" or not name.startswith("GLIBC"):
            exported.add(name)
    return exported, imported


def version_key(version):
    return [int(part) for part in re.findall(r"\d+", version)]


def check_imports(imported, allowed):
    for name, version in sorted(imported.items()):
        if name not in allowed:
            yield f"imports {name}, which preload/imports.allow does not name"
        elif version != "-" and allowed[name] == "-":
            yield f"imports {name} of version {version}; allowed without one"
        elif version != "-" and version_key(version) > version_key(allowed[name]):
            yield f"imports {name} of version {version}, newer than {allowed[name]}"


def check_exports(exported, rows):
    for name in sorted(rows - exported):
        yield f"does not export {name}, which has a row in spec/primitives/"
    for name in sorted(exported - rows - ANSWERS):
        if not name.startswith("thrum_"):
            yield f"exports {name}, which has no row in spec/primitives/"


def main():
    tree, library = sys.argv[1:]
    rows = read_rows(tree)
    exported, imported = read_symbols(library)
    problems = list(check_exports(exported, rows)) + list(check_imports(imported, read_allowed(tree)))
    if not rows or not exported:
        problems.append("no rows or no symbols found")
    print("\n".join(problems) if problems else f"shim: ok, {len(exported)} exports, {len(imported)} imports")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
