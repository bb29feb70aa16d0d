# SPDX-License-Identifier: MIT
"""The micro workloads of micro.c: counts for each tool, and the two figures taken from outside, start-up and memory."""
import os
import re
import shutil
import tempfile
import time

import measure
import tools


class Workload:
    """`count` operations for tools that cost nanoseconds, a share of them for the TSan build and for valgrind's tools."""

    binary, package = "micro", None

    def __init__(self, name, title, count, tsan, valgrind):
        self.name, self.title = name, title
        self.counts = {"tsan": tsan, "helgrind": valgrind, "drd": valgrind}
        self.count = count

    def missing(self):
        if os.access(tools.built(self.binary), os.X_OK):
            return None
        return f"{self.binary} is not built" + (f": package {self.package} missing" if self.package else "")

    def unfit(self, tool):
        return None


class LoopWorkload(Workload):
    """Of an event loop: the library's own code is not built with TSan, so that says nothing."""

    def __init__(self, name, title, count, valgrind, library, package):
        super().__init__(name, title, count, count, valgrind)
        self.binary, self.package = "loop_" + library, package

    def unfit(self, tool):
        return "not built with the library" if tool.name == "tsan" else None


WORKLOADS = [
    Workload("uncontended", "one lock, one thread", 8000000, 2000000, 60000),
    Workload("contended2", "one lock, 2 threads", 4000000, 1000000, 60000),
    Workload("nested8", "8 threads, 4 nested of 16 locks", 8000000, 2000000, 60000),
    Workload("queue", "bounded queue, condvars, 2+2 threads", 2000000, 600000, 40000),
    Workload("rwread2", "rwlock, 2 readers", 4000000, 1000000, 60000),
    Workload("nest10k", "10,000 locks, 3 nested, random, 2 threads", 6000000, 1000000, 9000),
    Workload("create", "thread create + join", 10000, 2000, 500),
    Workload("pingpong", "condvar hand-over on one processor", 60000, 30000, 6000),
    Workload("sempost", "semaphore post + wait, one thread", 8000000, 2000000, 60000),
    LoopWorkload("uvtimer", "libuv: arm a timer, its callback", 2000000, 40000, "uv", "libuv1-dev"),
    LoopWorkload("uvasync", "libuv: two loops wake each other, one processor", 60000, 3000, "uv", "libuv1-dev"),
    LoopWorkload("uvwork", "libuv: work on the pool and back, one processor", 60000, 3000, "uv", "libuv1-dev"),
    LoopWorkload("eventadd", "libevent: add a timer, its callback", 2000000, 40000, "event", "libevent-dev"),
    LoopWorkload("gtimeout", "GLib: make a timeout, its callback, its end", 600000, 20000, "glib", "libglib2.0-dev"),
    LoopWorkload("gidle", "GLib: callback of an idle source", 2000000, 40000, "glib", "libglib2.0-dev"),
    LoopWorkload("evtimer", "libev: start a timer, its callback", 2000000, 40000, "ev", "libev-dev"),
    LoopWorkload("eventfds", "two threads wake each other by eventfd and epoll, one processor", 60000, 3000, "epoll", None),
    Workload("startup", "start and end of a program that does nothing, ms", 1, 1, 1),
]
STARTS = 20  # runs of the start-up row in a round


def parse(text):
    found = re.match(r"\w+ ops=(\d+) wall_ns=([\d.]+) cpu_ns=([\d.]+) rss_kib=(\d+)", text)
    if not found:
        raise measure.Failed(f"micro printed {text!r}")
    ops, wall, cpu, rss = found.groups()
    return {"units": int(ops), "wall": float(wall), "cpu": float(cpu), "rss_kib": int(rss)}


def run_once(workload, tool, count, work):
    argv, env = tool.wrap([tools.built(workload.binary), workload.name, str(count)], work)
    r = measure.run(argv, work, env, 120)
    if r.status or r.timed_out:
        raise measure.Failed(f"{workload.name} under {tool.name}: status {r.status}: {measure.read_text(r.stderr)[-300:]}")
    figures = parse(r.text())
    if isinstance(tool, tools.Thrum):
        trace = os.path.join(work, "trace")
        figures["trace_bytes"], figures["sealed_bytes"] = tools.trace_bytes(trace)
        info = tools.trace_info(trace)
        if info:
            figures["events"], figures["lost"] = tools.trace_events(info)
    return figures


class ShimAlone(tools.Thrum):
    """The library without the launcher, as in a service's environment: what the bar for start-up is about."""

    name, title = "shim", "libthrum.so by LD_PRELOAD"

    def wrap(self, argv, work):
        return argv, {"LD_PRELOAD": tools.built_library("libthrum.so"),
                      "THRUM_OPTIONS": f"dir={os.path.join(work, 'trace')}"}


def start_once(tool, work):
    """Milliseconds of one life of `micro nothing`."""
    argv, env = tool.wrap([tools.built("micro"), "nothing", "32"], work)
    wall = time.monotonic()
    cpu = 0.0
    for n in range(STARTS):
        r = measure.run(argv, work, env, 60)
        if r.status:
            raise measure.Failed(f"startup under {tool.name}: status {r.status}")
        cpu += r.cpu_s
    return {"units": STARTS, "wall": (time.monotonic() - wall) * 1e3 / STARTS, "cpu": cpu * 1e3 / STARTS}


def one_round(workload, chosen, options, scratch, row):
    figures = {}
    for tool in chosen:
        count = workload.counts.get(tool.name, workload.count) // (4 if options.quick else 1)
        work = tempfile.mkdtemp(dir=scratch)
        try:
            if workload.name == "startup":
                figures[tool.name] = start_once(tool, work)
            else:
                figures[tool.name] = run_once(workload, tool, count, work)
        except (measure.Failed, OSError) as e:
            row.setdefault("failed", []).append(f"{tool.name}: {e}")
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return figures


def measure_row(workload, options, scratch):
    row = {"group": "micro", "title": workload.title, "tools": {}}
    if workload.missing():
        return dict(row, skipped=workload.missing())
    wanted = [tools.TOOLS[t] for t in options.tools]
    for t in wanted:
        if t.missing() or workload.unfit(t):
            row["tools"][t.name] = {"skipped": t.missing() or workload.unfit(t)}
    chosen = [tools.TOOLS["native"], *(t for t in wanted if not t.missing() and not workload.unfit(t))]
    if workload.name == "startup" and any(t.name == "thrum" for t in chosen):
        chosen.insert(1, ShimAlone())
    rounds = []
    for _ in range(options.rounds):
        rounds.append(one_round(workload, chosen, options, scratch, row))
        if "failed" in row:
            break
    for tool in chosen:
        pairs = [(r["native"], r[tool.name]) for r in rounds if "native" in r and tool.name in r]
        if pairs:
            row["tools"][tool.name] = entry(pairs)
    with_tsan = [(r["tsan"], r["thrum"]) for r in rounds if "tsan" in r and "thrum" in r]
    if with_tsan:
        row["tools"]["thrum"]["to_tsan"] = measure.median(t["cpu"] / n["cpu"] for n, t in with_tsan)
    return row


def entry(pairs):
    """Medians of a tool's figures, and of the ratios to native in the same round."""
    e = {"rounds": len(pairs)}
    for key in ("cpu", "wall"):
        ratios = [t[key] / n[key] for n, t in pairs]
        e[key] = measure.median(t[key] for _, t in pairs)
        e["least_" + key] = min(t[key] for _, t in pairs)
        e[key + "_ratio"], e[key + "_spread"] = measure.median(ratios), measure.spread(ratios)
    e["added"] = measure.median(t["cpu"] - n["cpu"] for n, t in pairs)
    for key in ("units", "rss_kib", "events", "lost", "trace_bytes", "sealed_bytes"):
        if key in pairs[0][1]:
            e[key] = measure.median(t[key] for _, t in pairs)
    return e
