#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Does the recorder change what programs do? Runs each given program as it is and under the shim, many times, and compares.

    same.py [OPTIONS] LIBTHRUM PROGRAM|DIRECTORY...

A DIRECTORY stands for every executable file in it (a conformance suite, one test a program). Each program runs in an
empty directory, `--rounds` times natively and as often recorded. An outcome is the exit status, or the signal, or
"timeout", with both outputs. Where all native runs agree to the byte, a recorded run has to agree to the byte; where
they differ among themselves, numbers, order and repetition of lines are set aside. A recorded outcome that no native
run had is tried `--retries` times more, both ways in turn. It is then

    changed   when no native run shows it and several recorded runs do
    doubt     when one recorded run shows it, once
    order     when the same lines come in another order: threads or processes that write without waiting for each other

To measure another tool in the same way: `--under COMMAND` runs `COMMAND PROGRAM` instead of preloading LIBTHRUM, and
`--instead DIRECTORY` the program of the same name there (a build of another kind).

With `--isolate` (needs root) each run has its own process, mount and IPC namespace, an empty /tmp and /dev/shm, and
can neither set the clock nor restart the machine. Exit status: 0 nothing changed, 1 something did, 2 nothing was run.
"""
import argparse
import collections
import concurrent.futures
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile

ISOLATED = ("mount -t tmpfs none /tmp && mount -t tmpfs -o mode=1777 none /dev/shm && cd \"$(mktemp -d)\" || exit 125; "
            "setpriv --bounding-set -sys_time,-sys_boot \"$@\"; exit $?")
MASKS = [(re.compile(rb"(?:0x)+[0-9a-fA-F]+|[0-9a-f]{6,}"), b"#"), (re.compile(rb"\d+"), b"#")]

Outcome = collections.namedtuple("Outcome", "status stdout stderr")


def masked(outcome):
    """The outcome without numbers, order and repetition of lines."""
    def plain(text):
        for pattern, mask in MASKS:
            text = pattern.sub(mask, text)
        return frozenset(line.strip() for line in text.splitlines())
    return Outcome(outcome.status, plain(outcome.stdout), plain(outcome.stderr))


def lines(outcome):
    """The outcome with the lines of each output sorted."""
    return outcome.status, tuple(sorted(outcome.stdout.splitlines())), tuple(sorted(outcome.stderr.splitlines()))


class Runner:
    def __init__(self, options, scratch):
        self.options = options
        self.scratch = scratch

    def recorded(self, program, trace):
        """The command of a recorded run."""
        if self.options.under or self.options.instead:
            here = os.path.join(self.options.instead, os.path.basename(program)) if self.options.instead else program
            return [*shlex.split(self.options.under), here]
        variables = ["LD_PRELOAD=" + self.options.libthrum, "THRUM_OPTIONS=" + ":".join(["dir=" + trace, *self.options.set])]
        return ["env", *variables, program]

    def run(self, program, recorded):
        """(outcome, whether a trace was written)"""
        work = tempfile.mkdtemp(dir=self.scratch)
        trace = os.path.join(work, "trace")
        argv = self.recorded(program, trace) if recorded else ["env", program]
        if self.options.isolate:
            argv = ["unshare", "-p", "-m", "-i", "--fork", "--kill-child", "--mount-proc", "--", "sh", "-c", ISOLATED, "sh", *argv]
        os.mkdir(os.path.join(work, "cwd"))
        with open(os.path.join(work, "out"), "w+b") as out, open(os.path.join(work, "err"), "w+b") as err:
            child = subprocess.Popen(argv, cwd=os.path.join(work, "cwd"), stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                     env=dict(os.environ, LC_ALL="C", TZ="UTC"), start_new_session=True)
            try:
                status = child.wait(self.options.timeout)
            except subprocess.TimeoutExpired:
                status = "timeout"
                for end in (os.killpg, os.kill):
                    try:
                        end(child.pid, signal.SIGKILL)
                    except ProcessLookupError:
                        pass
                child.wait()
            texts = []
            for f in (out, err):
                f.seek(0)
                texts.append(f.read(1 << 20).replace(trace.encode(), b"TRACE").replace(work.encode(), b"WORK"))
        written = os.path.isdir(trace) and any(name.endswith(".map") for name in os.listdir(trace))
        shutil.rmtree(work, ignore_errors=True)
        return Outcome(status, *texts), written

    def judge(self, program):
        """{program, verdict, native, recorded, traced}"""
        native = [self.run(program, False)[0] for _ in range(self.options.rounds)]
        tried = [self.run(program, True) for _ in range(self.options.rounds)]
        recorded, traced = [outcome for outcome, _ in tried], any(written for _, written in tried)
        agree = len(set(native)) == 1
        verdict = "same"
        if not agree or set(recorded) != set(native):
            verdict = self.judge_again(program, native, recorded, agree)
        return {"program": program, "verdict": verdict, "traced": traced,
                "native": [describe(o) for o in native], "recorded": [describe(o) for o in recorded]}

    def judge_again(self, program, native, recorded, agree):
        """Appends the further runs to both lists."""
        def unexplained():
            exact = len(set(native)) == 1
            known = set(native) if exact else {masked(o) for o in native}
            return [o for o in recorded if (o if exact else masked(o)) not in known]
        if not unexplained():
            return "same" if agree else "same, natively unsteady"
        for _ in range(self.options.retries):
            native.append(self.run(program, False)[0])
            recorded.append(self.run(program, True)[0])
        odd = unexplained()
        if not odd:
            return "same, natively unsteady"
        if {lines(o) for o in odd} <= {lines(o) for o in native}:
            return "order"
        return "changed" if len(odd) > 1 else "doubt"


def describe(outcome):
    return {"status": outcome.status, "stdout": outcome.stdout.decode("utf-8", "replace")[-2000:],
            "stderr": outcome.stderr.decode("utf-8", "replace")[-2000:]}


def programs_of(paths, skip):
    found = []
    for path in paths:
        if os.path.isdir(path):
            found += [os.path.join(path, name) for name in sorted(os.listdir(path))]
        else:
            found.append(path)
    return [os.path.abspath(p) for p in found if os.path.isfile(p) and os.access(p, os.X_OK) and not (skip and re.search(skip, p))]


def parse(argv):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rounds", type=int, default=3, metavar="N", help="runs each way (3)")
    p.add_argument("--retries", type=int, default=8, metavar="N", help="further runs each way where they differ (8)")
    p.add_argument("--jobs", type=int, default=2, metavar="N", help="programs at a time (2)")
    p.add_argument("--timeout", type=float, default=60, metavar="S", help="of one run (60)")
    p.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a further key of THRUM_OPTIONS")
    p.add_argument("--skip", default="", metavar="REGEX", help="leave out programs whose path matches")
    p.add_argument("--only", default="", metavar="REGEX", help="take only programs whose path matches")
    p.add_argument("--under", default="", metavar="COMMAND", help="the tool to measure, instead of LIBTHRUM")
    p.add_argument("--instead", metavar="DIRECTORY", type=os.path.abspath, help="its builds of the programs")
    p.add_argument("--isolate", action="store_true", help="namespaces of its own for each run")
    p.add_argument("--report", metavar="FILE", help="write all verdicts there, as JSON")
    p.add_argument("libthrum", type=os.path.abspath)
    p.add_argument("paths", nargs="+", metavar="PROGRAM|DIRECTORY")
    return p.parse_args(argv)


def show(result):
    print(f"{result['verdict'].upper():8} {result['program']}")
    for way in ("native", "recorded"):
        for outcome, times in collections.Counter(json.dumps(o) for o in result[way]).most_common(2):
            print(f"  {way:8} {times} x {outcome[:400]}")
    sys.stdout.flush()


def main(argv):
    options = parse(argv)
    programs = [p for p in programs_of(options.paths, options.skip) if not options.only or re.search(options.only, p)]
    if not programs:
        print("no program to run", file=sys.stderr)
        return 2
    scratch = tempfile.mkdtemp(prefix="thrum-same-", dir=os.environ.get("TMPDIR", "/var/tmp"))
    os.chmod(scratch, 0o755)  # a program may run as someone else
    results = []
    try:
        # A copy, which a build meanwhile cannot change and an empty /tmp cannot hide.
        options.libthrum = shutil.copy(options.libthrum, os.path.join(scratch, "libthrum.so"))
        runner = Runner(options, scratch)
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            for result in pool.map(runner.judge, programs):
                results.append(result)
                if result["verdict"] in ("changed", "doubt", "order"):
                    show(result)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    if options.report:
        with open(options.report, "w", encoding="utf-8") as f:
            json.dump(results, f, indent=1)
    tally = collections.Counter(r["verdict"] for r in results)
    print(f"{len(results)} programs, {sum(r['traced'] for r in results)} of them wrote a trace; "
          + ", ".join(f"{n} {verdict}" for verdict, n in sorted(tally.items())) + f"; {tally['changed']} changed")
    return 1 if tally["changed"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
