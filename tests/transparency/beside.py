#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Other preloaded libraries beside the recorder, in both orders: same output, same status, one record per call.

    beside.py [--library NAME=PATH]... PROGRAM [ARGS...]

Runs PROGRAM with each library alone (the reference), then with libthrum.so before and after it; the counting preload is
third in both. Libraries of Debian's packages that are installed are found; `--library` adds others. Environment:
THRUM_BUILD is the build directory. Exit status: 0 all the same, 1 something differs, 77 no library is there.
"""
import argparse
import glob
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "real"))

import counts  # noqa: E402
import real  # noqa: E402

# name, package, where its library lies, variables it needs
KNOWN = [("jemalloc", "libjemalloc2", "/usr/lib/*/libjemalloc.so.2", {}),
         ("tcmalloc", "libgoogle-perftools4", "/usr/lib/*/libtcmalloc.so.4", {}),
         ("tcmalloc-minimal", "libtcmalloc-minimal4", "/usr/lib/*/libtcmalloc_minimal.so.4", {}),
         ("profiler", "libgoogle-perftools4", "/usr/lib/*/libprofiler.so.0", {}),
         ("faketime", "libfaketime", "/usr/lib/*/faketime/libfaketimeMT.so.1", {"FAKETIME": "+0"}),
         ("heaptrack", "heaptrack", "/usr/lib/heaptrack/libheaptrack_preload.so", {"DUMP_HEAPTRACK_OUTPUT": "/dev/null"})]


def run(argv, preload, variables, trace=None, counted=None):
    env = dict(os.environ, LC_ALL="C", LD_PRELOAD=":".join(preload), **variables)
    if trace:
        env["THRUM_OPTIONS"] = "dir=" + trace
        env["COUNT_DIR"] = counted
    done = subprocess.run(argv, env=env, stdin=subprocess.DEVNULL, capture_output=True, timeout=300, check=False)
    return done.returncode, done.stdout, done.stderr


def differences(work, build):
    """Functions whose calls and records differ; raises ValueError when the trace cannot be read."""
    trace = os.path.join(work, "trace")
    info = json.loads(subprocess.run([os.path.join(build, "bin", "thrum"), "info", "--format=json", trace], capture_output=True,
                                     check=False).stdout)
    seen, calls, left, image, records = counts.read(os.path.join(work, "counts")), 0, 0, {}, {}
    for process in info["processes"]:  # all in one sum: calls of fork handlers count for the parent with one, the child with the other
        left += process["lost"]["events"] + process["lost"]["nested"]
        for word, n in real.records_of(process).items():
            records[word] = records.get(word, 0) + n
    for one in (one for images in seen.values() for one in images):
        calls += counts.total(one)
        for function, columns in one.items():
            there = image.setdefault(function, dict.fromkeys(columns, 0))
            for column, n in columns.items():
                there[column] += n
    found = [f"{want} calls that make {what}, {got} records" for what, want, got in counts.compare(image, records)
             if not 0 < want - got <= left]
    return found, calls


def check(name, library, variables, argv, build):
    """Problems of one library."""
    problems = []
    reference = run(argv, [library], variables)
    for order in ("before", "after"):
        work = tempfile.mkdtemp(prefix="thrum-beside-")
        os.mkdir(os.path.join(work, "counts"))
        shim, counting = (os.path.join(build, "lib", n) for n in ("libthrum.so", "libcount_preload.so"))
        preload = [shim, library, counting] if order == "before" else [library, shim, counting]
        recorded = run(argv, preload, variables, os.path.join(work, "trace"), os.path.join(work, "counts"))
        problems += [f"libthrum.so {order} {name}: {what}: {b!r}, without {a!r}"[:600]
                     for what, a, b in zip(("status", "stdout", "stderr"), reference, recorded) if a != b]
        try:
            found, calls = differences(work, build)
            problems += [f"libthrum.so {order} {name}: {p}" for p in found]
            print(f"{name:17} libthrum.so {order:6} {calls} calls, {'each recorded once' if not found else 'counts differ'}")
        except (ValueError, KeyError, IndexError) as e:
            problems.append(f"libthrum.so {order} {name}: the trace cannot be compared ({e!r})")
        shutil.rmtree(work, ignore_errors=True)
    return problems


def main(argv):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--library", action="append", default=[], metavar="NAME=PATH")
    p.add_argument("program", nargs=argparse.REMAINDER)
    options = p.parse_args(argv)
    libraries = [(*given.split("=", 1), {}) for given in options.library]
    for name, package, where, variables in KNOWN:
        found = glob.glob(where)
        if found:
            libraries.append((name, found[0], variables))
        else:
            print(f"{name:17} skipped: {package} is not installed")
    problems = []
    for name, library, variables in libraries:
        problems += check(name, library, variables, options.program, os.environ["THRUM_BUILD"])
    for problem in problems:
        print(problem)
    return 77 if not libraries else 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
