# SPDX-License-Identifier: MIT
"""Scenarios about the trace and the tool that no single run of one sample can show. Each test returns complaints."""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

import target


class Test:
    def __init__(self, ids, name, what, expected, function, once=False):
        self.ids, self.name, self.what, self.expected = ids, name, what, expected
        self.function, self.once = function, once


def repeat(test, bench, result, options):
    for _ in range(1 if test.once else max(1, min(options.repeat, 20))):
        folder = tempfile.mkdtemp(prefix="thrum-e2e-")
        try:
            wrong = test.function(bench, folder)
        except Exception as e:  # a broken harness is a failure of this test, not of all
            wrong = ["harness: %s: %s" % (type(e).__name__, e)]
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        result.add(wrong)
        if wrong and not options.quiet:
            print("FAIL %s" % test.name)
            for w in wrong:
                print("     %s" % w)
    return result


def run_json(bench, folder, program, options=()):
    """(outcome, report) of one `thrum run --format json`; report None when there is none."""
    command = [bench.thrum, "run", "-o", os.path.join(folder, "trace"), "--format", "json"] + list(options)
    o = target.run(command + ["--"] + program, 60)
    try:
        return o, target.split_report(o.out, None)[1]
    except ValueError:
        return o, None


def serious(report):
    return ["unexpected %s: %s" % (f["rule"], f["title"]) for f in report["findings"] if f["level"] != "note"]


def count_calls(bench, trace):
    """(acquires, releases) of the busiest mutex in `thrum dump`."""
    o = target.run([bench.thrum, "dump", trace], 60)
    counts = {}
    for op, mutex in re.findall(r"\s(acquire|release)\s+(mutex#\d+)", o.out.decode(errors="replace")):
        acquires, releases = counts.get(mutex, (0, 0))
        counts[mutex] = (acquires + (op == "acquire"), releases + (op == "release"))
    return max(counts.values(), default=(0, 0))


def other_preloads(bench, folder):
    """S69: with another interposer behind or before, and in builds of TSan and ASan: one event per operation."""
    binary = os.path.join(bench.samples, "s69_known_number_of_calls")
    counting = os.path.join(bench.samples, "counting_preload.so")
    script = "LD_PRELOAD=%s exec " + binary  # thrum's own entry is in $LD_PRELOAD already
    variants = [("alone", [binary]),
                ("another preload behind", ["sh", "-c", script % ("$LD_PRELOAD:" + counting)]),
                ("another preload before", ["sh", "-c", script % (counting + ":$LD_PRELOAD")])]
    for sanitizer in ("thread", "address"):
        built = os.path.join(bench.samples, f"s69_{sanitizer}_build")
        runtime = re.search(r"=> (/\S*lib[at]san\S*)", target.run(["ldd", built], 20).out.decode()) if os.path.exists(built) else None
        if os.path.exists(built):
            variants.append((sanitizer + " sanitizer build", [built]))
        if runtime:  # in a library, which may be preloaded too: as the sanitizers' manuals advise, or behind
            for order, preload in (("before", runtime[1] + ":$LD_PRELOAD"), ("behind", "$LD_PRELOAD:" + runtime[1])):
                variants.append((f"{sanitizer} sanitizer preloaded {order}",
                                 ["sh", "-c", f"LD_PRELOAD={preload} exec " + built]))
    wrong = []
    for label, command in variants:
        here = os.path.join(folder, label.replace(" ", "-"))
        os.mkdir(here)
        o, report = run_json(bench, here, command)
        if o.status != 0 or report is None:
            wrong.append("%s: status %s, %s" % (label, o.status, o.err.strip()[:300]))
            continue
        wrong += ["%s: %s" % (label, w) for w in serious(report)]
        acquires, releases = count_calls(bench, os.path.join(here, "trace"))
        if (acquires, releases) != (2000, 2000):
            wrong.append("%s: %d acquires and %d releases of counted_lock, 2000 calls each" %
                         (label, acquires, releases))
        if "another preload" in label and "counted 2000\n" not in o.err:
            wrong.append("%s: the other preload did not see its 2000 calls: %r" % (label, o.err[:200]))
    return wrong


def killed_while_recording(bench, folder):
    """S71: SIGKILL at any moment while records are written: the prefix is analysed, nothing is invented."""
    binary = os.path.join(bench.samples, "s71_busy_until_killed")
    wrong = []
    for number, delay in enumerate((0.01, 0.037, 0.08, 0.15)):
        trace = os.path.join(folder, "trace%d" % number)
        process = subprocess.Popen([bench.thrum, "record", "-o", trace, "--", binary], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=target.environment(),
                                   start_new_session=True)
        try:
            pid = target.find_target(process.pid, binary, 20)
            if pid is None:
                return ["the recorded process was not found"]
            time.sleep(delay)
            os.kill(pid, signal.SIGKILL)
            process.wait(timeout=30)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        o = target.run([bench.thrum, "check", "--format", "json", trace], 60)
        if o.status != 0:
            wrong.append("killed after %g s: check gave %s: %s" % (delay, o.status, o.err.strip()[:300]))
            continue
        report = json.loads(o.out.decode())
        wrong += ["killed after %g s: %s" % (delay, w) for w in serious(report)]
    return wrong


def size_limit_reached(bench, folder):
    """S72: --max-size drops events; the report says so, and no misuse is derived across the hole."""
    binary = os.path.join(bench.samples, "s72_more_events_than_fit")
    limit = 2 * 1024 * 1024
    o, report = run_json(bench, folder, [binary], ["--max-size", str(limit)])
    if o.status != 0 or report is None:
        return ["status %s: %s" % (o.status, o.err.strip()[:300])]
    wrong = serious(report)
    process = report["trace"]["processes"][0]
    if not report["trace"].get("complete") or process.get("lost", 0):
        wrong.append("the report says that something was lost")
    info = target.run([bench.thrum, "info", "--format", "json", os.path.join(folder, "trace")], 60)
    mode = json.loads(info.out.decode())["processes"][0].get("mode")
    if mode != "bounded":
        wrong.append("thrum info says the mode is %s" % mode)
    size = sum(os.path.getsize(os.path.join(d, f)) for d, _, files in os.walk(os.path.join(folder, "trace"))
               for f in files if not f.endswith(".json"))
    if size > limit:
        wrong.append("the trace takes %d bytes with --max-size %d" % (size, limit))
    return wrong


TESTS = [
    Test(["S69", "I6"], "s69_other_preloads", "other preloads, TSan and ASan builds wrap the same symbols",
         "one event per operation", other_preloads),
    Test(["S71"], "s71_killed_while_recording", "SIGKILL in the middle of writing records",
         "prefix analysed, nothing invented", killed_while_recording),
    Test(["S72"], "s72_size_limit_reached", "full mode reaches --max-size",
         "goes on in bounded mode and says so; nothing lost, no misuse", size_limit_reached),
]
