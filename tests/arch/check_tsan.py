# SPDX-License-Identifier: MIT
"""libthrum_tsan.so can stand in for the compiler's libtsan.so: what programs built with it may name is there, by the right version.

usage: check_tsan.py LIBTHRUM_TSAN COMPILER
A program that was linked with libtsan.so names functions of libc without a version, and the loader takes the oldest. So each function
that libtsan.so exports and libc has in versions that differ must be ours. Without a libtsan.so there is nothing to compare: skipped (77).
"""
import os
import re
import subprocess
import sys

# Of libtsan.so's own interface: what a report would be asked, its tests, and what programs define themselves.
LEFT_OUT = re.compile(r"__tsan_(get_report|get_alloc|locate|testonly_|symbolize_|on_report|default_|get_current_report)")
# Versions of libc that differ, yet a caller that means the newest is served by the oldest (glibc 2.36, by its sources).
SAME = {
    "dlopen": "asks for its caller, which a stand-in would be; the old one is the same function for programs of today",
    "dlclose": "moved to libc, the same",
}


def symbols(library):
    """[(name, version or '', address, is_default)] of what it exports."""
    text = subprocess.run(
        ["readelf", "--dyn-syms", "--wide", library], capture_output=True, text=True, check=True
    ).stdout
    for line in text.splitlines():
        words = line.split()
        if len(words) < 8 or not words[0].rstrip(":").isdigit() or words[4] == "LOCAL" or words[6] == "UND":
            continue
        if words[3] in ("FUNC", "IFUNC"):
            name, _, version = words[7].partition("@")
            yield name, version.lstrip("@"), words[1], "@@" in words[7] or not version


def libc_path():
    with open("/proc/self/maps", encoding="utf-8") as maps:
        found = re.findall(r"(/\S*/libc\.so\.6|/\S*/libc-2\.\d+\.so)$", maps.read(), re.M)
    return found[0]


def main():
    ours, compiler = sys.argv[1:]
    theirs = subprocess.run([compiler, "-print-file-name=libtsan.so"], capture_output=True, text=True, check=True).stdout.strip()
    if not os.path.isabs(theirs):
        print("no libtsan.so here")
        return 77
    exported = {name for name, *_ in symbols(ours)}
    wanted = {name for name, *_ in symbols(theirs)}
    versions = {}
    for name, version, address, _ in symbols(libc_path()):
        if version.startswith("GLIBC_2"):
            versions.setdefault(name, set()).add(address)
    problems = [f"{name} of libtsan.so is not exported" for name in sorted(wanted)
                if name.startswith(("__tsan_", "Annotate", "WTFAnnotate")) and not LEFT_OUT.match(name) and name not in exported]
    problems += [f"{name}: libc has versions that differ, and it is not exported" for name in sorted(wanted & set(versions))
                 if len(versions[name]) > 1 and name not in exported and name not in SAME]
    print("\n".join(problems) if problems else f"tsan: ok, {len(exported)} exports, {len(wanted)} of libtsan.so looked at")
    return 1 if problems or not exported else 0


if __name__ == "__main__":
    sys.exit(main())
