# SPDX-License-Identifier: MIT
"""Real programs, unmodified, under load, with and without thrum: same output, same status, every call recorded, every finding explained.

    real.py [--small] [--only A,B] [--keep DIR] [--report FILE] [--pairs N]

For each program of bench/programs.py and bench/servers.py: one run without thrum, one under `thrum run` with the counting
preload beside it. Fails when an output or a status differs, when a count of records differs from the count of calls (and
the trace does not say that it lost some), when tasks and callbacks of event loops contradict one another or lack what loops.py
expects, or when a gating finding is not in explained.json. Environment: THRUM_BUILD is the
build directory. Programs that are not installed are skipped, with the package that has them.
"""
import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "bench"))

import causality  # noqa: E402
import counts  # noqa: E402
import measure  # noqa: E402
import tools  # noqa: E402
from inputs import Inputs  # noqa: E402
from loops import LOOPS, SEES  # noqa: E402
from programs import PROGRAMS  # noqa: E402
from python_services import PYTHON_SEES, PYTHON_SERVICES  # noqa: E402
from servers import SERVERS  # noqa: E402
from services import SERVICES  # noqa: E402
from trees import TREES  # noqa: E402


class Counted(tools.Tool):
    """`thrum run` with the counting preload in the program's environment."""

    name, title, timeout = "thrum", "thrum run", 3.0

    def wrap(self, argv, work):
        counted = os.path.join(work, "counts")
        os.mkdir(counted)
        return ([tools.built("thrum"), "run", "--fail-on", "never", "--report", "json=" + os.path.join(work, "findings.json"),
                 "--report", "text=" + os.path.join(work, "findings.txt"), "-o", os.path.join(work, "trace"), "--", *argv],
                {"LD_PRELOAD": tools.built_library("libcount_preload.so"), "COUNT_DIR": counted})


def explained():
    with open(os.path.join(HERE, "explained.json"), encoding="utf-8") as f:
        return json.load(f)


def records_of(process):
    """{event word: n} of one process of `thrum info`: what happened to libc's own objects (of those, the loader's lock is made
    by the recorder, not by the program), and what happened to threads and processes."""
    words = dict(process["by_event"])
    for kind, events in process["by_object"].items():
        if kind not in counts.KINDS:
            for word, n in events.items():
                words[word] -= n
    return words


def check_counts(work, problems):
    """Compares all images of all processes; returns (calls, events, bytes, lost)."""
    info = tools.trace_info(os.path.join(work, "trace"))
    if info is None:
        problems.append("thrum info cannot read the trace")
        return None
    counted = counts.read(os.path.join(work, "counts"))
    launcher = {pid for pid in counted if not any(p["pid"] == pid for p in info["processes"])}
    calls = events = lost = 0
    for process in sorted(info["processes"], key=lambda p: (p["pid"], p["image"])):
        pid, lost_here = process["pid"], tools.lost_events(process)
        same_pid = sorted(p["image"] for p in info["processes"] if p["pid"] == pid)
        images = counted.get(pid, [])[-len(same_pid):]  # before the first exec a child of the launcher is thrum, not recorded
        index = same_pid.index(process["image"])
        events, lost = events + process["events"], lost + lost_here
        if index >= len(images):
            if any(records_of(process).get(w, 0) for w in ("acquire", "release", "create")):  # between clone and exec: nothing
                problems.append(f"process {pid}: recorded, but the counting preload saw nothing of it")
            continue
        calls += counts.total(images[index])
        if process.get("python", {}).get("features"):
            continue  # the interpreter's own calls make no records; Python's locks do
        for what, want, got in [*counts.compare(images[index], records_of(process)),
                                *counts.compare_glib(images[index], process["by_object"])]:
            if not (lost_here and got < want and want - got <= lost_here):
                problems.append(f"process {pid}: {want} calls that make {what}, {got} records")
    for pid in launcher:
        for image in counted[pid]:
            if counts.total(image) and not is_launcher(image):
                problems.append(f"process {pid}: {counts.total(image)} calls counted, no trace of it")
    size = tools.trace_bytes(os.path.join(work, "trace"))[0]
    return calls, events, size, lost


def is_launcher(image):
    """thrum itself runs with the counting preload too; it starts no threads."""
    return not image["pthread_create"]["called"] and not image["thrd_create"]["called"]


def finding_line(finding):
    frames = [f.get("function", "?") for s in finding.get("stacks", []) for f in s.get("frames", [])[:3]]
    return f"{finding['rule']} ({finding['confidence']}, {finding['level']}): {finding['title']} [{' < '.join(frames[:6])}]"


def check_findings(name, work, problems):
    """All findings of the report; a gating one must be explained."""
    try:
        with open(os.path.join(work, "findings.json"), encoding="utf-8") as f:
            findings = json.load(f)["findings"]
    except (OSError, ValueError, KeyError) as e:
        problems.append(f"no report: {e}")
        return []
    known = explained().get(name, [])
    for finding in findings:
        text = json.dumps(finding)
        match = any(k["rule"] == finding["rule"] and all(w in text for w in k["contains"]) for k in known)
        if finding["level"] == "error" and not match:
            problems.append("not explained: " + finding_line(finding))
    return findings


def keep(work, place):
    """Copies what a program left, but pipes, sockets and links."""
    shutil.rmtree(place, ignore_errors=True)
    for root, _, files in os.walk(work):
        os.makedirs(os.path.join(place, os.path.relpath(root, work)))
        for name in files:
            path = os.path.join(root, name)
            if os.path.isfile(path) and not os.path.islink(path):
                shutil.copy2(path, os.path.join(place, os.path.relpath(path, work)))


def one_run(program, tool, scale, inputs, scratch):
    """(sample, work directory)"""
    work = tempfile.mkdtemp(prefix=program.name + "-", dir=scratch)
    return program.run(tool, scale, inputs, work), work


def check_program(program, options, inputs, scratch):
    """(problems, line of figures)"""
    problems, work = [], None
    try:
        native, plain = one_run(program, tools.TOOLS["native"], options.scale, inputs, scratch)
        shutil.rmtree(plain)
        recorded, work = one_run(program, Counted(), options.scale, inputs, scratch)
    except (measure.Failed, OSError) as e:
        return [str(e)], ""
    if native.status != recorded.status:
        problems.append(f"status {recorded.status}, without thrum {native.status}")
    if program.same_output and native.output != recorded.output:
        problems.append(f"output {recorded.output}, without thrum {native.output}")
    figures = check_counts(work, problems)
    tasks, callbacks, turns = causality.check(os.path.join(work, "trace"), {**SEES, **PYTHON_SEES}.get(program.name), problems)
    findings = check_findings(program.name, work, problems)
    if options.report and findings:
        with open(os.path.join(work, "findings.txt"), encoding="utf-8") as f, open(options.report, "a", encoding="utf-8") as out:
            out.write(f"==== {program.name}\n{f.read()}\n")
    if options.keep:
        keep(work, os.path.join(options.keep, program.name))
    shutil.rmtree(work)
    if figures is None:
        return problems, ""
    calls, events, size, lost = figures
    levels = {level: sum(f["level"] == level for f in findings) for level in ("error", "warning", "note")}
    return problems, (f"{calls} calls, {events} events, {size / max(events, 1):.1f} bytes each, {lost} lost; "
                      + (f"{tasks} tasks, {callbacks} callbacks, {turns} turns; " if tasks or turns else "")
                      + ", ".join(f"{n} {level}s" for level, n in levels.items())
                      + f"; {recorded.wall_s / max(native.wall_s, 0.01):.1f} times as long")


def ratio(program, options, inputs, scratch):
    """Processor time for each unit of work, recorded, to that without thrum: native and `thrum record` in turn, the median and its spread."""
    found = []
    for _ in range(options.pairs):
        cost = []
        for tool in (tools.TOOLS["native"], tools.TOOLS["thrum"]):
            sample, work = one_run(program, tool, options.scale, inputs, scratch)
            shutil.rmtree(work)
            cost.append(sample.cpu_s / sample.units)
        found.append(cost[1] / cost[0])
    spread = measure.spread(found)
    return f"; {measure.median(found):.2f} times the processor time" + (f" (+-{spread:.0%})" if spread else "")


def parse(argv):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--small", dest="scale", action="store_const", const="small", default="full", help="small inputs")
    p.add_argument("--only", default="", metavar="A,B", help="programs by name")
    p.add_argument("--keep", default="", metavar="DIR", help="copy traces, reports and outputs there")
    p.add_argument("--pairs", type=int, default=0, metavar="N", help="measure the processor time too, N times")
    p.add_argument("--report", default="", metavar="FILE", help="append the text of all findings to FILE")
    return p.parse_args(argv)


def main(argv):
    options = parse(argv)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the directories go
    chosen = [p for p in [*PROGRAMS, *SERVERS, *TREES, *SERVICES, *LOOPS, *PYTHON_SERVICES] if not options.only or p.name in options.only.split(",")]
    failed = ran = 0
    scratch = tempfile.mkdtemp(prefix="thrum-real-")
    os.chmod(scratch, 0o711)  # some programs run as somebody else
    try:
        os.mkdir(os.path.join(scratch, "inputs"))
        inputs = Inputs(os.path.join(scratch, "inputs"))
        for program in chosen:
            if program.missing():
                print(f"{program.name:17} skipped: {program.missing()}", flush=True)
                continue
            problems, figures = check_program(program, options, inputs, scratch)
            if options.pairs and not problems:
                figures += ratio(program, options, inputs, scratch)
            ran, failed = ran + 1, failed + bool(problems)
            print(f"{program.name:17} {'FAILED' if problems else 'ok':7} {figures}", flush=True)
            for problem in problems:
                print(f"{'':17} {problem}", flush=True)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    if not ran:
        print("no program of the selection is installed")
    return 1 if failed else 0 if ran else 77


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
