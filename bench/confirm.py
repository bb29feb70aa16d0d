#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How often thrum confirm makes the programs of tests/cli/confirm hang, and in which try; the table of docs/confirm.md.

    bench/confirm.py --build B [--repeat 20] [-j 8] [--tries 10] [--only NAME]

Many at a time on purpose: a busy machine is what makes it hard. Fails where a potential deadlock was missed more often than the bar,
where one that cannot happen was claimed, or where a try that was let go did not end as the program ends by itself.
"""
import argparse
import collections
import json
import multiprocessing.pool
import os
import re
import statistics
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tests/cli"))
from confirm_list import command, programs  # noqa: E402

LIMIT = 300  # seconds
# program: its name; try: in which it happened, 0 = not reached; wrong: what should not have been, or None
Outcome = collections.namedtuple("Outcome", "program try_ wrong")


def thrum(args, folder, *words):
    env = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": folder,
           "THRUM_LIB": os.path.join(args.build, "lib/libthrum.so")}
    return subprocess.run([os.path.join(args.build, "bin/thrum"), *words], cwd=folder, env=env,
                          capture_output=True, text=True, timeout=LIMIT, check=False)


def once(args, name, feasible):
    """Records the program, then confirms what was found."""
    target = command(name, os.path.join(args.build, "tests/cli/targets"))
    with tempfile.TemporaryDirectory(prefix="thrum-confirm-") as folder:
        first = thrum(args, folder, "run", "--races=off", "--fail-on=never", "--report=json=f.json", "--", *target)
        with open(os.path.join(folder, "f.json"), encoding="utf-8") as file:
            found = [f["fingerprint"] for f in json.load(file)["findings"] if f["rule"] == "lock-order-inversion"]
        if first.returncode or not found:
            return Outcome(name, 0, f"run: status {first.returncode}, {len(found)} findings")
        result = thrum(args, folder, "confirm", f"--tries={args.tries}", found[0], "--", *target)
    happened = re.search(r"it happened in try (\d+)", result.stderr)
    number = int(happened[1]) if happened else 0
    ended = number - 1 if number else args.tries
    wrong = None
    if result.returncode != (66 if happened else 0):
        wrong = f"status {result.returncode}: {result.stderr}"
    elif result.stdout != "over\n" * ended:
        wrong = f"{ended} tries were let go, and {result.stdout!r} was printed"
    elif happened and not feasible:
        wrong = "claimed, and it cannot happen"
    return Outcome(name, number, wrong)


def row(name, feasible, outcomes):
    tries = [o.try_ for o in outcomes if o.try_]
    words = f"{statistics.median_low(tries)} | {max(tries)}" if tries else "– | –"
    return f"| `{name}` | {'yes' if feasible else 'no'} | {len(tries)} of {len(outcomes)} | {words} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", required=True)
    parser.add_argument("--repeat", type=int, default=20)
    parser.add_argument("-j", type=int, default=8)
    parser.add_argument("--tries", type=int, default=10)
    parser.add_argument("--only")
    args = parser.parse_args()
    args.build = os.path.abspath(args.build)
    chosen = [(n, f) for n, f in programs(os.path.join(args.build, "tests/cli/targets")) if args.only in (None, n)]
    # Round after round, so that different programs are in each other's way.
    jobs = [(args, name, feasible) for _ in range(args.repeat) for name, feasible in chosen]
    with multiprocessing.pool.ThreadPool(args.j) as pool:
        outcomes = pool.starmap(once, jobs, chunksize=1)
    print("| program | can happen | made to happen | try, median | try, latest |\n|---|---|---|---|---|")
    for name, feasible in chosen:
        print(row(name, feasible, [o for o in outcomes if o.program == name]))
    wrong = [o for o in outcomes if o.wrong]
    missed = [o for o in outcomes if not o.try_ and dict(chosen)[o.program]]
    for o in wrong:
        print(f"{o.program}: {o.wrong}", file=sys.stderr)
    possible = sum(feasible for _, feasible in chosen) * args.repeat
    print(f"{possible - len(missed)} of {possible} made to happen, {len(wrong)} wrong", file=sys.stderr)
    return 1 if wrong or len(missed) * 12 > possible else 0


if __name__ == "__main__":
    sys.exit(main())
