# SPDX-License-Identifier: MIT
"""The tools that are compared: a row each. A tool turns a command into the command that runs it under the tool."""
import json
import os
import shutil
import subprocess

BENCH = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(os.environ.get("THRUM_BUILD", os.path.join(BENCH, "..", "build")))


def built(name):
    """A program of the build tree."""
    return os.path.join(BUILD, "bin", name)


def built_library(name):
    return os.path.join(BUILD, "lib", name)


class Tool:
    name = "native"
    title = "native"
    needs = None  # package
    scale = "full"  # or "small": what inputs a row gives it
    timeout = 1.0  # how many times the row's time limit

    def missing(self):
        return None

    def wrap(self, argv, work):
        """(argv, extra environment)"""
        return argv, {}


class Preload(Tool):
    """Any recorder that is one library: THRUM_BENCH_PRELOAD=LIB. To compare a stand-in, or an older libthrum.so."""

    name = "preload"
    title = "LD_PRELOAD"

    def missing(self):
        return None if os.environ.get("THRUM_BENCH_PRELOAD") else "THRUM_BENCH_PRELOAD=LIB is not set"

    def wrap(self, argv, work):
        trace = os.path.join(work, "trace")
        os.makedirs(trace, exist_ok=True)
        return argv, {"LD_PRELOAD": os.environ["THRUM_BENCH_PRELOAD"], "THRUM_OPTIONS": f"dir={trace}",
                      "FLOOR_DIR": trace}


class Thrum(Tool):
    name = "thrum"
    title = "thrum record (full)"
    extra = []

    def missing(self):
        return None if os.access(built("thrum"), os.X_OK) else f"{built('thrum')} is not built"

    def wrap(self, argv, work):
        return [built("thrum"), "record", "-q", *self.extra, "-o", os.path.join(work, "trace"), "--", *argv], {}


class ThrumBounded(Thrum):
    name = "thrum-bounded"
    title = "thrum record (bounded)"
    extra = ["--mode", "bounded"]


class Valgrind(Tool):
    needs = "valgrind"
    scale = "small"
    timeout = 4.0

    def missing(self):
        return None if shutil.which("valgrind") else "package valgrind missing: apt-get install valgrind"

    def wrap(self, argv, work):
        log = os.path.join(work, "valgrind.%p.log")
        return ["valgrind", "-q", f"--log-file={log}", f"--tool={self.name}", *argv], {}


class Helgrind(Valgrind):
    name = title = "helgrind"


class Drd(Valgrind):
    name = title = "drd"


class Tsan(Tool):
    """Needs a rebuild, so it exists for our own workloads only: the row's binary is replaced by its .tsan twin."""

    name = title = "tsan"

    def missing(self):
        return None if os.access(built("micro.tsan"), os.X_OK) else "micro.tsan is not built"

    def wrap(self, argv, work):
        return [argv[0] + ".tsan", *argv[1:]], {"TSAN_OPTIONS": "report_bugs=0"}


TOOLS = {t.name: t for t in (Tool(), Thrum(), ThrumBounded(), Preload(), Helgrind(), Drd(), Tsan())}


# ---- what a trace holds ----

def trace_bytes(trace):
    """(bytes allocated on disk, bytes of the sealed events files)"""
    total = events = 0
    for root, _, files in os.walk(trace):
        for f in files:
            s = os.stat(os.path.join(root, f))
            total += s.st_blocks * 512
            if f.endswith(".events"):
                events += s.st_size
    return total, events


def trace_info(trace):
    """The JSON of `thrum info`, or None when the program or the trace is not there."""
    if not os.path.isdir(trace) or TOOLS["thrum"].missing():
        return None
    p = subprocess.run([built("thrum"), "info", "--format", "json", trace], stdin=subprocess.DEVNULL,
                       capture_output=True, timeout=300, check=False)
    if p.returncode:
        return None
    return json.loads(p.stdout)


def lost_events(process):
    """Events of one process of `thrum info` that were counted as lost; a lost chunk counts as one at least."""
    lost = process["lost"]
    return lost["events"] + lost["events_in_gaps"] + lost["chunks"]


def trace_events(info):
    """(events recorded, events lost), all processes."""
    return sum(p["events"] for p in info["processes"]), sum(lost_events(p) for p in info["processes"])
