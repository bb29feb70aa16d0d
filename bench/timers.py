# SPDX-License-Identifier: MIT
"""A million timers made and closed, and a tenth of that leaked: are the counts right, and is the memory bounded?

    timers.py [--count N] [--only uv,event,glib]

Runs the churn workload of each library's loop program natively, recorded in full and in bounded mode, and checks both traces. Prints
peak memory of the host and of the analyzer, sizes and times. Fails when a count is wrong: tasks made, or handles leaked (a bounded
trace need not have each of them). Exit status 77 where no library's program is built. Environment: THRUM_BUILD.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

import tools

# library: workload
ROWS = {"uv": "uvchurn", "event": "eventchurn", "glib": "gchurn"}
HOST_MIB, CHECK_MIB = 40, 200  # what a recorder may add to a host with 100,000 live timers; what an analysis may take


def run(argv, cwd, env=None):
    """(seconds, peak RSS in KiB of the process or one of its children, standard output)"""
    begin = time.monotonic()
    with open(os.path.join(cwd, "out"), "wb") as out:
        p = subprocess.Popen(argv, cwd=cwd, env=dict(os.environ, **(env or {})), stdin=subprocess.DEVNULL, stdout=out)
        _, status, usage = os.wait4(p.pid, 0)
        p.returncode = os.waitstatus_to_exitcode(status)
    with open(os.path.join(cwd, "out"), encoding="utf-8") as f:
        text = f.read()
    if p.returncode:
        raise RuntimeError(f"{argv[0]} ended with {p.returncode}: {text[-300:]}")
    return time.monotonic() - begin, usage.ru_maxrss, text


def check(trace, work):
    report = os.path.join(work, "findings.json")
    seconds, kib, _ = run([tools.built("thrum"), "check", "-q", "--fail-on", "never", "--report", "json=" + report, trace], work)
    with open(report, encoding="utf-8") as f:
        return seconds, kib, json.load(f)["findings"]


def host_kib(line):
    return int(line.rsplit("rss_kib=", 1)[1])


def leaked(findings):
    return sum(f["count"] for f in findings if f["rule"] == "leaked-handle")


def one(library, mode, count, native_kib, problems):
    workload = ROWS[library]
    with tempfile.TemporaryDirectory(prefix="thrum-timers-") as work:
        trace = os.path.join(work, "trace")
        mode_args = ["--mode", "bounded"] if mode == "bounded" else []
        seconds, _, line = run([tools.built("thrum"), "record", "-q", *mode_args, "-o", trace, "--",
                                tools.built("loop_" + library), workload, str(count)], work)
        size = tools.trace_bytes(trace)[0]
        events, lost = tools.trace_events(tools.trace_info(trace))
        check_s, check_kib, findings = check(trace, work)
    added = (host_kib(line) - native_kib) / 1024
    found = leaked(findings)
    where = f"{library} {mode}"
    if mode == "full" and (found != count // 10 or lost):
        problems.append(f"{where}: {found} leaked, expected {count // 10}; {lost} events lost")
    if mode == "bounded" and found not in (0, count // 10):  # 0: it does not know their ends, and says nothing
        problems.append(f"{where}: {found} leaked, expected {count // 10} or none")
    if any(f["level"] == "error" for f in findings):
        problems.append(f"{where}: " + next(f["title"] for f in findings if f["level"] == "error"))
    if added > HOST_MIB or check_kib / 1024 > CHECK_MIB:
        problems.append(f"{where}: {added:.1f} MiB added to the host, {check_kib / 1024:.0f} MiB to analyse")
    return [library, mode, f"{host_kib(line) / 1024:.1f}", f"{added:.1f}", f"{seconds:.2f}", f"{events:,}", f"{size / 2**20:.1f}",
            f"{check_s:.2f}", f"{check_kib / 1024:.0f}", f"{found:,}"]


HEAD = ["library", "mode", "host MiB", "added MiB", "seconds", "events", "trace MiB", "check s", "check MiB", "leaked"]


def main(argv):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--count", type=int, default=1000000, metavar="N", help="timers that are made and closed (default 1,000,000)")
    p.add_argument("--only", default=",".join(ROWS), metavar="A,B")
    options = p.parse_args(argv)
    problems, ran = [], 0
    print("\t".join(HEAD))
    for library in options.only.split(","):
        if not os.access(tools.built("loop_" + library), os.X_OK):
            print(f"{library}: loop_{library} is not built: skipped")
            continue
        with tempfile.TemporaryDirectory() as work:
            seconds, _, line = run([tools.built("loop_" + library), ROWS[library], str(options.count)], work)
        print("\t".join([library, "native", f"{host_kib(line) / 1024:.1f}", "", f"{seconds:.2f}"]), flush=True)
        for mode in ("full", "bounded"):
            print("\t".join(one(library, mode, options.count, host_kib(line), problems)), flush=True)
        ran += 1
    for problem in problems:
        print("FAILED", problem)
    return 1 if problems else 0 if ran else 77


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
