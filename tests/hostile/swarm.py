#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The swarm natively and recorded: same output; nothing lost unsaid; the whole directory is analysed within seconds.

    swarm.py [--processes N] [--threads N] [--place PLACE]

PLACE is where the trace goes: `plain` (a directory), `full` (a file system of 8 MiB, needs root, else skipped with 77),
`readonly` (a directory that cannot be made). A counting preload runs beside the recorder: for each process image and
each function, calls = records + what the trace says was lost or came from a handler inside a hook. On the full file system
whole processes are missing: then the trace has to say of how many children it holds nothing.
Environment: THRUM_BUILD is the build directory.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "real"))

import counts  # noqa: E402
import real  # noqa: E402

SECONDS = 20  # for the analysis of everything


def run(argv, **variables):
    env = dict(os.environ, LC_ALL="C")
    env.pop("LD_PRELOAD", None)
    return subprocess.run(argv, env=dict(env, **variables), stdin=subprocess.DEVNULL, capture_output=True, timeout=280, check=False)


def check_counts(info, counted, trace):
    """([problems], calls, records, lost)"""
    problems, calls, records, lost = [], 0, 0, 0
    images, missing_images = {}, 0
    unrecorded = sum(p.get("unrecorded_children", 0) for p in info["processes"])
    for process in sorted(info["processes"], key=lambda p: p["image"]):
        images.setdefault(process["pid"], []).append(process)
    for pid, seen in counted.items():
        traced = images.get(pid, [])
        if sum(counts.total(i) for i in seen) and len(traced) != len(seen):
            missing_images += len(seen) - len(traced)
            if not unrecorded:  # else: a child that had no room, or what that child started
                problems.append(f"process {pid}: {len(seen)} images made calls, {len(traced)} are in the trace")
            continue
        for image, process in zip(seen, traced):
            said = process["lost"]["events"] + process["lost"]["events_in_gaps"] + process["lost"]["nested"]
            missing = 0
            calls, records, lost = calls + counts.total(image), records + process["events"], lost + said
            for what, want, got in counts.compare(image, real.records_of(process)):
                missing += want - got
                if got > want:
                    problems.append(f"process {pid}: {got} records of {what}, {want} calls")
            if missing > said:
                problems.append(f"process {pid}: {missing} calls without a record, {said} said to be lost")
    if missing_images:
        print(f"{missing_images} images are not in the trace, which speaks of {unrecorded} children without one and what these started")
    return problems, calls, records, lost


def place_of(options, work):
    """The trace directory of this kind of place."""
    if options.place == "plain":
        return os.path.join(work, "trace")
    if options.place == "readonly":  # below a file: nobody, not even root, can make it
        return os.path.join(__file__, "trace")
    small = os.path.join(work, "small")
    os.mkdir(small)
    if run(["mount", "-t", "tmpfs", "-o", "size=8m", "none", small]).returncode:
        print("skipped: cannot mount a small file system here")
        sys.exit(77)
    return os.path.join(small, "trace")


def check_trace(options, thrum, trace, work):
    """Problems, after printing the figures."""
    started = time.monotonic()
    checked = run([thrum, "check", "--format=json", trace])
    took = time.monotonic() - started
    try:
        report = json.loads(checked.stdout)
        info = json.loads(run([thrum, "info", "--format=json", trace]).stdout)
    except ValueError:
        return [f"thrum check ended with {checked.returncode}: {checked.stderr[-500:]!r}"]
    problems = [f"{f['level']}: {f['title']}" for f in report["findings"] if f["level"] in ("error", "warning")]
    if took > SECONDS:
        problems.append(f"thrum check took {took:.1f} s")
    unexplained, calls, records, lost = check_counts(info, counts.read(os.path.join(work, "counts")), trace)
    problems += unexplained
    print(f"{calls} calls in the images recorded, {records} records, {lost} said to be lost or inside a hook")
    if options.place == "full" and report["trace"].get("complete"):
        problems.append("the trace of a full disk claims to be complete")
    print(f"{len(info['processes'])} images analysed in {took:.1f} s")
    return problems


def parse(argv):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--processes", type=int, default=60)
    p.add_argument("--threads", type=int, default=16)
    p.add_argument("--place", choices=("plain", "full", "readonly"), default="plain")
    return p.parse_args(argv)


def main(argv):
    options, build = parse(argv), os.environ["THRUM_BUILD"]
    lib = os.path.join(build, "lib")
    thrum = os.path.join(build, "bin", "thrum")
    swarm = [os.path.join(build, "bin", "hostile_swarm"), str(options.processes), str(options.threads),
             os.path.join(lib, "libplugin.so")]
    work = tempfile.mkdtemp(prefix="thrum-swarm-")
    try:
        native = run(swarm)
        trace = place_of(options, work)
        os.mkdir(os.path.join(work, "counts"))
        preload, variables = os.path.join(lib, "libthrum.so"), {}
        if options.place != "readonly":
            preload += ":" + os.path.join(lib, "libcount_preload.so")
            variables["COUNT_DIR"] = os.path.join(work, "counts")
        recorded = run(swarm, LD_PRELOAD=preload, THRUM_OPTIONS="dir=" + trace, **variables)
        problems = [f"{what} differs\n  native:   {a[-1500:]!r}\n  recorded: {b[-1500:]!r}"
                    for what, a, b in (("stdout", native.stdout, recorded.stdout), ("stderr", native.stderr, recorded.stderr),
                                       ("status", str(native.returncode), str(recorded.returncode))) if a != b]
        print(f"{options.processes} processes of {options.threads} threads: {native.stdout.count(b'rounds')} lines of output")
        if options.place != "readonly":
            problems += check_trace(options, thrum, trace, work)
    finally:
        if options.place == "full":
            run(["umount", "-l", os.path.join(work, "small")])
        shutil.rmtree(work, ignore_errors=True)
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
