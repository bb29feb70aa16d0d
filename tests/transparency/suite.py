#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Does the recorder change the verdicts of a test suite? Runs the suite's own command as it is and under the shim, and compares.

    suite.py [OPTIONS] LIBTHRUM -- COMMAND ARGS...

Verdicts are the lines of the command's output that match one of `--line` (default: TAP, and `name: OK` of automake, meson and
tinytest): group `name` is the test, group `result` its verdict. A test counts as changed when a recorded run gave it a
verdict that no native run gave it (missing is a verdict too). The variables are in the environment of COMMAND, so all that it
starts is recorded. Exit status: 0 nothing changed, 1 something did, 2 no verdict was found.
"""
import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

LINES = [r"^(?P<result>ok|not ok) \d+ -? ?(?P<name>[^#]+?)\s*(#.*)?$",
         r"^(?P<result>PASS|FAIL|XFAIL|SKIP|ERROR|XPASS): (?P<name>.+)$",
         r"^\s*\d+/\d+ (?P<name>\S.*?)\s+(?P<result>OK|FAIL|SKIP|TIMEOUT|ERROR)\b",
         r"^(?P<name>\S+): (?:\[forking\] )?(?P<result>OK|FAILED|SKIPPED|DISABLED)\s*$"]


def run(options, scratch, recorded, number):
    """({test: verdict}, exit status, trace directory or None)"""
    env = dict(os.environ, LC_ALL="C")
    env.pop("LD_PRELOAD", None)
    trace = None
    if recorded:
        trace = os.path.join(scratch, f"trace{number}")
        env.update(LD_PRELOAD=options.libthrum, THRUM_OPTIONS=":".join(["dir=" + trace, *options.set]))
    path = os.path.join(options.keep or scratch, f"{'recorded' if recorded else 'native'}.{number}.log")
    with open(path, "wb") as log:
        child = subprocess.Popen(options.command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=env,
                                 start_new_session=True)
        try:
            status = child.wait(options.timeout)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            status = "timeout"
    patterns = [re.compile(p) for p in options.line or LINES]
    verdicts = {}
    with open(path, encoding="utf-8", errors="replace") as log:
        for line in log:
            match = next((m for p in patterns if (m := p.match(line.rstrip("\n")))), None)
            if match:
                verdicts[match["name"].strip()] = match["result"]
    return verdicts, status, trace


def parse(argv):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rounds", type=int, default=2, metavar="N", help="runs each way (2)")
    p.add_argument("--timeout", type=float, default=900, metavar="S", help="of one run (900)")
    p.add_argument("--line", action="append", metavar="REGEX", help="with groups name and result, instead of the default ones")
    p.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a further key of THRUM_OPTIONS")
    p.add_argument("--keep", metavar="DIR", help="keep the logs and the traces there")
    p.add_argument("libthrum", type=os.path.abspath)
    p.add_argument("command", nargs="+", metavar="COMMAND")
    return p.parse_args(argv)


def main(argv):
    options = parse(argv)
    scratch = tempfile.mkdtemp(prefix="thrum-suite-", dir=options.keep)
    os.chmod(scratch, 0o777)  # the suite may run as someone else
    native, recorded, statuses, seconds, images = [], [], ([], []), ([], []), 0
    try:
        for number in range(options.rounds):
            for way, results in ((0, native), (1, recorded)):
                started = time.monotonic()
                verdicts, status, trace = run(options, scratch, bool(way), number)
                seconds[way].append(round(time.monotonic() - started))
                results.append(verdicts)
                statuses[way].append(status)
                if trace and os.path.isdir(trace):
                    images += sum(name.endswith(".map") for name in os.listdir(trace))
    finally:
        if not options.keep:
            shutil.rmtree(scratch, ignore_errors=True)
    names = sorted(set().union(*native, *recorded))
    changed = unsteady = 0
    for name in names:
        before, after = {v.get(name, "missing") for v in native}, {v.get(name, "missing") for v in recorded}
        unsteady += len(before) > 1
        if after - before:
            changed += 1
            print(f"CHANGED {name}: native {sorted(before)}, recorded {sorted(after)}")
    if set(statuses[1]) - set(statuses[0]):
        print(f"status of the command: native {statuses[0]}, recorded {statuses[1]}")
    print(f"{len(names)} tests, {options.rounds} runs each way, {images} process images recorded: {changed} changed"
          + (f", {unsteady} natively unsteady" if unsteady else "") + f"; status {statuses[0]} and {statuses[1]}; seconds {seconds[0]} and {seconds[1]}")
    return 2 if not names or not images else 1 if changed or set(statuses[1]) - set(statuses[0]) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
