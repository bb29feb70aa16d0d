#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The tests and examples of a library, one at a time, with and without thrum: same outcome, no gating finding, not much slower.

    suites.py [OPTIONS] LIST|DIRECTORY...

A LIST has a line `NAME COMMAND ARGS...` for each test (`#` begins a comment; `{dir}` is the folder of the LIST); a DIRECTORY stands for
every executable file in it. What is tested lies outside of this tree and is built by hand, against the installed libraries: docs/transparency.md
has the commands. A test runs once natively and once under `thrum record`, each in an empty directory; its trace goes
through `thrum check`. An outcome is the exit status (or the signal, or "timeout") and the output without numbers, order
and repetition of lines, and without what `--mask` says. A recorded outcome that no native run had is tried `--retries` times more, both ways in turn.

    changed   no native run shows the recorded outcome, and more than one recorded run does not show a native one
    doubt     one recorded run alone differs
    slow      the fastest recorded run took more than `--slow` times as long as the slowest native one, and `--slack` seconds more
    gates     a finding at or above `--fail-on` (default: error) that no line `NAME RULE WORDS...` of `--explained` names
    trace     `thrum check` could not read what was recorded

Other findings are counted by rule, and listed with `--findings`. Environment: THRUM_BUILD is the build directory. Exit status: 0 when
nothing changed, gates or is slow, 1 when something does, 2 when nothing was run.
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
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "transparency"))

import explained  # noqa: E402
import same  # noqa: E402

LEVELS = ("note", "warning", "error")

Test = collections.namedtuple("Test", "name argv")
Run = collections.namedtuple("Run", "outcome wall_s findings error")


def tests_of(place):
    """The tests of a list or a directory."""
    if os.path.isdir(place):
        paths = sorted(os.path.join(place, name) for name in os.listdir(place))
        return [Test(os.path.basename(p), [os.path.abspath(p)]) for p in paths if os.path.isfile(p) and os.access(p, os.X_OK)]
    folder, tests = os.path.dirname(os.path.abspath(place)), []
    with open(place, encoding="utf-8") as f:
        for line in f:
            words = shlex.split(line, comments=True)
            if words:
                tests.append(Test(words[0], [w.replace("{dir}", folder) for w in words[1:]]))
    return tests


def end_session(child):
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


class Runner:
    def __init__(self, options, scratch):
        self.options, self.scratch = options, scratch
        self.thrum = os.path.join(os.environ["THRUM_BUILD"], "bin", "thrum")

    def run(self, test, recorded):
        """One run, and for a recorded one its findings."""
        work = tempfile.mkdtemp(dir=self.scratch)
        try:
            here, trace = os.path.join(work, "here"), os.path.join(work, "trace")
            os.mkdir(here)
            before = [self.thrum, "record", "--quiet", "-o", trace, *self.options.set, "--"] if recorded else []
            out, err = os.path.join(work, "out"), os.path.join(work, "err")
            start = time.monotonic()
            with open(out, "wb") as o, open(err, "wb") as e:
                child = subprocess.Popen([*before, *test.argv], cwd=here, stdin=subprocess.DEVNULL, stdout=o, stderr=e,
                                         start_new_session=True)
                try:
                    status = child.wait(self.options.timeout)
                except subprocess.TimeoutExpired:
                    status = "timeout"
                end_session(child)
                child.wait()
            wall_s = time.monotonic() - start
            if not recorded and isinstance(status, int) and status < 0:
                status = 128 - status  # as thrum says it
            with open(out, "rb") as o, open(err, "rb") as e:
                outcome = same.Outcome(status, self.plain(o.read(), work), self.plain(e.read(), work))
            findings, error = self.check(test, trace, work) if recorded else ([], None)
            return Run(outcome, wall_s, findings, error)
        finally:
            shutil.rmtree(work, ignore_errors=True)

    def plain(self, text, work):
        text = text.replace(work.encode(), b"")
        for mask in self.options.mask:
            text = re.sub(mask.encode(), b"*", text)
        return text

    def check(self, test, trace, work):
        """(findings, what went wrong or None)"""
        report = os.path.join(work, "findings.json")
        text = os.path.join(work, "findings.txt")
        try:
            done = subprocess.run([self.thrum, "check", "--fail-on", "never", "--report", "json=" + report,
                                   "--report", "text=" + text, trace], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE, text=True, timeout=self.options.timeout, check=False)
        except subprocess.TimeoutExpired:
            return [], "thrum check did not end"
        if done.returncode or not os.path.exists(report):
            return [], f"thrum check: status {done.returncode}: {done.stderr.strip()}"
        with open(report, encoding="utf-8") as f:
            findings = json.load(f)["findings"]
        if self.options.keep and findings:
            os.makedirs(self.options.keep, exist_ok=True)
            place = os.path.join(self.options.keep, test.name.replace("/", "_"))
            shutil.copyfile(text, place + ".txt")
            shutil.rmtree(place + ".data", ignore_errors=True)
            shutil.copytree(trace, place + ".data")
        return findings, None


def judge(test, runner, options, known):
    """(problems, findings, note) of one test."""
    native, recorded = [runner.run(test, False)], [runner.run(test, True)]

    def outcomes(runs):
        return {same.masked(r.outcome) for r in runs}

    def odd():
        return [r for r in recorded if same.masked(r.outcome) not in outcomes(native)]

    def slow():
        slowest, fastest = max(r.wall_s for r in native), min(r.wall_s for r in recorded)
        return fastest > options.slow * slowest and fastest > slowest + options.slack

    for _ in range(options.retries):
        if not odd() and not slow():
            break
        native.append(runner.run(test, False))
        recorded.append(runner.run(test, True))
    problems, note = [], ""
    if odd():
        word = "changed" if len(odd()) > 1 or not options.retries else "doubt"
        run = odd()[0]
        by = "status" if run.outcome.status not in {r.outcome.status for r in native} else "output"
        said = f"{word}: {len(odd())} of {len(recorded)} runs: {by} {run.outcome.status}, natively {native[0].outcome.status}"
        if by == "output":
            for which in ("stdout", "stderr"):
                mine = getattr(same.masked(run.outcome), which)
                theirs = frozenset().union(*(getattr(o, which) for o in outcomes(native)))
                said += "".join(f"\n    + {line.decode(errors='replace')[:150]}" for line in sorted(mine - theirs)[:4])
                said += "".join(f"\n    - {line.decode(errors='replace')[:150]}" for line in sorted(theirs - mine)[:4])
        else:
            said += "".join(f"\n    | {line[:150]}" for line in (run.outcome.stdout + run.outcome.stderr).decode(errors="replace").splitlines()[-6:])
        if word == "changed":
            problems.append(said)
        else:
            note = said
    if slow():
        problems.append(f"slow: {min(r.wall_s for r in recorded):.2f} s, natively {max(r.wall_s for r in native):.2f} s")
    findings = {}
    for run in recorded:
        if run.error:
            problems.append("trace: " + run.error)
        for finding in run.findings:
            findings.setdefault((finding["rule"], finding["title"]), finding)
    for finding in findings.values():
        if LEVELS.index(finding["level"]) >= LEVELS.index(options.fail_on) and not explained.line_of(test.name, finding, known):
            problems.append(f"gates: {finding['rule']} ({finding['level']}): {finding['title']}")
    status = native[0].outcome.status
    times = f"{native[0].wall_s:.2f} s, recorded {recorded[0].wall_s:.2f} s" + (f", status {status}" if status else "")
    return problems, list(findings.values()), times + ("\n  " + note if note else "")


def parse(argv):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--only", default="", metavar="REGEX", help="tests whose name matches")
    p.add_argument("--skip", default="", metavar="REGEX", help="but not those whose name matches")
    p.add_argument("--timeout", type=float, default=60, metavar="S", help="of one run (60)")
    p.add_argument("--retries", type=int, default=2, metavar="N", help="more runs where an outcome differs (2)")
    p.add_argument("--slow", type=float, default=3, metavar="X", help="how many times as long is too slow (3)")
    p.add_argument("--slack", type=float, default=0.5, metavar="S", help="and at least so many seconds more (0.5)")
    p.add_argument("--fail-on", default="error", choices=LEVELS, help="the level of a finding that counts (error)")
    p.add_argument("--set", action="append", default=[], metavar="OPTION", help="an option for `thrum record`")
    p.add_argument("--mask", action="append", default=[], metavar="REGEX", help="what differs from run to run, as names of files")
    p.add_argument("--explained", default="", metavar="FILE", help="findings that are right: NAME RULE WORDS...")
    p.add_argument("--findings", action="store_true", help="list all findings, not only those that count")
    p.add_argument("--keep", default="", metavar="DIR", help="keep reports and traces of tests with findings there")
    p.add_argument("--verbose", action="store_true", help="list tests without problems as well")
    p.add_argument("-j", type=int, default=1, metavar="N", help="tests at a time (1)")
    p.add_argument("place", nargs="+")
    return p.parse_args(argv)


def main(argv):
    options = parse(argv)
    if "THRUM_BUILD" not in os.environ:
        print("suites.py: set THRUM_BUILD to the build directory", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    known = explained.read(options.explained) if options.explained else []
    tests = [t for place in options.place for t in tests_of(place) if re.search(options.only, t.name)
             and not (options.skip and re.search(options.skip, t.name))]
    counts, bad, start = collections.Counter(), 0, time.monotonic()
    scratch = tempfile.mkdtemp(prefix="thrum-suites-")
    try:
        runner = Runner(options, scratch)
        with concurrent.futures.ThreadPoolExecutor(options.j) as pool:
            jobs = [(t, pool.submit(judge, t, runner, options, known)) for t in tests]
            for test, job in jobs:
                problems, findings, note = job.result()
                bad += bool(problems)
                counts.update((f["rule"], f["level"], f["confidence"]) for f in findings)
                if problems or options.verbose or "doubt" in note or (options.findings and findings):
                    print(f"{test.name}: {'FAILED' if problems else 'ok'}  {note}", flush=True)
                for problem in problems:
                    print("  " + problem, flush=True)
                for finding in findings if options.findings else []:
                    print(f"  {finding['rule']} ({finding['level']}, {finding['confidence']}): {finding['title']}", flush=True)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    for (rule, level, confidence), n in sorted(counts.items()):
        print(f"{n:5} {rule} ({level}, {confidence})")
    print(f"{len(tests)} tests, {bad} with problems, {time.monotonic() - start:.0f} s")
    return (1 if bad else 0) if tests else 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
