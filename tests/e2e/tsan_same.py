# SPDX-License-Identifier: MIT
"""Under thrum, ThreadSanitizer reports what it reports alone, and each of its races becomes a finding.

usage: tsan_same.py --build DIR [--runs N] [--verbose]

Programs of samples/tsan whose races a barrier forces, in the three ways they are built. Of each run the set of races is taken, as the
functions of the program that the two accesses are in: alone from what the run time says, under thrum from the JSON report.
Status 0: the sets are equal in all runs; 1: they are not; 77: no such build is here.
"""
import argparse
import json
import os
import re
import sys
import tempfile

import target
from sample_header import TSAN_KINDS

PROGRAMS = ["tsan_counter", "tsan_use_after_free", "tsan_clocked_lock_times_out", "tsan_exec_and_fork"]
ACCESS = re.compile(r"^  (?:Previous )?(?:atomic )?(?:read|write) of size", re.I)
FRAME = re.compile(r"^    #\d+ (\S+) (\S+):\d+")


def races_of_log(text, source):
    """The races in a log: for each, the innermost function of the program on both sides."""
    races, sides, side = [], None, None
    for line in text.splitlines():
        if line.startswith("WARNING: ThreadSanitizer: "):
            sides, side = [], None
        elif sides is not None and ACCESS.match(line):
            side = []
            sides.append(side)
        elif line.startswith("=====") and sides:
            races.append(tuple(sorted(s[0] if s else "?" for s in sides)))
            sides, side = None, None
        elif not line:
            side = None
        elif side is not None:
            m = FRAME.match(line)
            if m and os.path.basename(m.group(2)) == source:
                side.append(m.group(1))
    return sorted(races)


def races_of_report(report, source):
    races = []
    for finding in report["findings"]:
        if finding["rule"] != "data-race":
            continue
        sides = []
        for stack in finding["stacks"]:
            own = [f["function"] for f in stack["frames"] if os.path.basename(f.get("file", "")) == source]
            sides.append(own[0] if own else "?")
        races += [tuple(sorted(sides))] * finding["count"]
    return sorted(races)


def run_alone(program, source):
    env = target.environment()  # no log_path: a program that an exec starts would write over it
    env["TSAN_OPTIONS"] = "stack_trace_format='    #%n %f %s:%l'"
    o = target.run([program], 60, env=env)
    return o.status, races_of_log(o.err, source)


def run_under(thrum, program, source, folder):
    o = target.run([thrum, "run", "-o", os.path.join(folder, "trace"), "--format", "json", "--", program], 120)
    try:
        _, report = target.split_report(o.out, None)
    except ValueError:
        return None, "no report: status %s, %s" % (o.status, o.err[-300:])
    return report["program_status"], races_of_report(report, source)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    thrum = os.path.join(options.build, "bin", "thrum")
    wrong = ran = 0
    for name in PROGRAMS:
        for kind in TSAN_KINDS:
            program, source, good = os.path.join(options.build, "samples", "%s_%s" % (name, kind)), name + ".c", 0
            if not os.path.exists(program):
                continue
            for _ in range(options.runs):
                ran += 1
                status, expected = run_alone(program, source)
                with tempfile.TemporaryDirectory() as under:
                    own, found = run_under(thrum, program, source, under)
                # Alone the run time makes the status its own; under thrum the program's stays.
                if expected and found == expected and own == 0 and status == 66:
                    good += 1
                else:
                    print("%s %s: alone %s %s, under thrum %s %s" % (name, kind, status, expected, own, found))
            wrong += options.runs - good
            if options.verbose:
                print("%-28s %-10s %d of %d" % (name, kind, good, options.runs))
    if not ran:
        print("no program was built with ThreadSanitizer here")
        return 77
    print("%d of %d runs the same" % (ran - wrong, ran))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
