#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""CPython's own tests with and without the recorder: does any test end differently, and is every finding that gates a true one?

    cpython_suite.py [OPTIONS] LIBTHRUM PYTHON [MODULE...]

Runs `PYTHON -m test MODULE` as it is and with LIBTHRUM preloaded, and compares the outcome of every test case in the reports that
regrtest writes. A case that differs is run again by itself, both ways in turn, `--retries` times: it is

    changed   when the recorded runs never end as a native run does
    unsteady  when they do now and then, or the native runs differ among themselves

A changed case is a failure unless a line `MODULE changed WORDS...` of `--explained` names it. With `--thrum` what was recorded goes through
`thrum check`; a finding that gates is one unless a line `MODULE RULE WORDS...` names it. Both lists are cpython_findings.txt, with reasons.

A PYTHON without the package `test` takes it from `--testsuite DIRECTORY` (Debian keeps it in libpython3.11-testsuite; DIRECTORY is
what holds `test`). `--trace DIRECTORY` keeps the traces, one a module. `--results FILE` notes the outcome there as LABEL (`--label`), and
cpython_table.py makes docs/python-suites.md of that. Exit status: 0 nothing changed, 1 something did, 2 nothing ran,
77 PYTHON has no tests.
"""
import argparse
import collections
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "real"), HERE]

import cpython_table  # noqa: E402
import explained  # noqa: E402

MODULES = ("test_thread test_threading test_threading_local test_threadsignals test_queue test_context test_coroutines test_asyncgen "
           "test_fork1 test_contextlib_async test_concurrent_futures test_asyncio test_subprocess test_signal test_socket "
           "test_multiprocessing_fork test_multiprocessing_spawn test_multiprocessing_forkserver").split()


def outcome(case):
    """'ok', 'skipped', 'failure' or 'error' of a <testcase>."""
    for kind in ("skipped", "failure", "error"):
        if case.find(kind) is not None:
            return kind
    return "skipped" if case.get("result") == "skipped" else "ok"


class Suite:
    def __init__(self, options):
        self.options = options
        self.scratch = tempfile.mkdtemp(prefix="thrum-cpython-")
        self.known = explained.read(options.explained)
        self.findings, self.unread = [], None  # of the last recorded run of a whole module; what `thrum check` said instead

    def run(self, module, recorded, names=()):
        """{case: outcome} of one run; None when there is no report."""
        work = tempfile.mkdtemp(dir=self.scratch)
        report = os.path.join(work, "report.xml")
        argv = [self.options.python, "-m", "test", "--timeout", str(self.options.timeout), "--junit-xml", report]
        for name in names:
            argv += ["-m", name]
        for name in self.options.ignore:
            argv += ["-i", name]
        env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "LD_PRELOAD", "THRUM"))}
        env["TMPDIR"] = work
        if self.options.testsuite:
            env["PYTHONPATH"] = self.options.testsuite
        if recorded:
            trace = os.path.join(self.options.trace or work, "trace-" + module)
            os.makedirs(trace, exist_ok=True)
            env.update(LD_PRELOAD=self.options.libthrum, THRUM_OPTIONS="dir=" + trace)
        with open(os.path.join(work, "log"), "w+b") as log:
            try:
                status = subprocess.run(argv + [module], cwd=work, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False,
                                        timeout=self.options.timeout + 60).returncode
            except subprocess.TimeoutExpired:
                status = "timeout"
            try:
                cases = xml.etree.ElementTree.parse(report).getroot().iter("testcase")
                result = {c.get("name"): outcome(c) for c in cases}
            except (OSError, xml.etree.ElementTree.ParseError):
                log.seek(0, os.SEEK_END)
                log.seek(max(0, log.tell() - 3000))
                self.last_words = f"status {status}: " + log.read().decode("utf-8", "replace")
                result = None
        if recorded and not names and self.options.thrum:
            self.check(trace, work)
        if not self.options.keep:
            shutil.rmtree(work, ignore_errors=True)
        return result

    def check(self, trace, work):
        self.findings, self.unread = [], None
        report = os.path.join(work, "findings.json")
        try:
            done = subprocess.run([self.options.thrum, "check", "--fail-on", "never", "--report", "json=" + report, trace], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=self.options.timeout, check=False)
            if done.returncode:
                self.unread = f"thrum check: status {done.returncode}: {done.stderr.strip()[-300:]}"
                return
        except subprocess.TimeoutExpired:
            self.unread = "thrum check did not end"
            return
        with open(report, encoding="utf-8") as f:
            self.findings = json.load(f)["findings"]

    def gating(self, module):
        """Prints what gates and is not explained; returns (how many, {line of the list: how many})."""
        bad, good = 0, collections.Counter()
        for finding in self.findings:
            if finding["level"] != "error":
                continue
            line = explained.line_of(module, finding, self.known)
            if line:
                good[" ".join(line[1:])] += 1
                continue
            bad += 1
            print(f"gates     {module} {finding['rule']} ({finding['confidence']}, {finding.get('count', 1)}): {finding['title']}")
            for stack in finding.get("stacks", [])[:3]:
                for frame in stack["frames"][:6]:
                    print(f"            {stack['role']}: {frame.get('function', '?')} {frame.get('file', frame.get('module', '?'))}:{frame.get('line', '')}")
            if self.options.keep_findings:
                with open(self.options.keep_findings, "a", encoding="utf-8") as f:
                    print(json.dumps({"python": self.options.label, "module": module, **finding}), file=f)
        if self.unread:
            print(f"gates     {module} {self.unread}")
        return bad + bool(self.unread), good

    def judge(self, module, case):
        """'changed' or 'unsteady': the case alone, both ways in turn."""
        name = case.split(" ")[0].split(".")[-1]
        seen = {False: set(), True: set()}
        for _ in range(self.options.retries):
            for recorded in (False, True):
                result = self.run(module, recorded, [name]) or {}
                seen[recorded].add(result.get(case, "absent"))
            if seen[True] & seen[False]:
                return "unsteady"
        return "changed"

    def compare(self, module):
        """What the page says of a module; {"none": why} when it did not run."""
        start = time.monotonic()
        native = self.run(module, False)
        if not native:
            missing = ("No module named", "not find", "No such file or directory")  # versions that split a module look for its folder
            why = "no such module" if native is not None or any(m in self.last_words for m in missing) else self.last_words[-300:]
            print(f"{module}: nothing ran without the recorder either: {why}", flush=True)
            return {"none": why}
        between = time.monotonic()
        recorded = self.run(module, True)
        end = time.monotonic()
        if recorded is None:
            print(f"{module}: no report with the recorder, there is one without: {self.last_words}", flush=True)
            return {"cases": len(native), "changed": ["all"], "unsteady": [], "named": [], "gates": 0, "explained": {}}
        verdicts = {"changed": [], "unsteady": [], "named": []}
        differing = [c for c in native.keys() | recorded.keys() if native.get(c) != recorded.get(c)]
        for case in sorted(differing)[:self.options.most]:
            verdict = self.judge(module, case)
            if verdict == "changed" and explained.line_of(module, {"rule": "changed", "case": case}, self.known):
                verdict = "named"
            verdicts[verdict].append(case.split(" ")[0])
            print(f"{verdict:9} {module} {case}: {native.get(case, 'absent')} / {recorded.get(case, 'absent')} recorded", flush=True)
        verdicts["changed"] += sorted(differing)[self.options.most:]
        bad = sum(v in ("failure", "error") for v in native.values())
        gates, good = self.gating(module)
        print(f"{module}: {len(native)} cases, {bad} fail natively, {len(differing)} differed, {len(verdicts['changed'])} changed, {gates} findings gate, "
              f"{sum(good.values())} explained; {between - start:.0f} s, recorded {end - between:.0f} s", flush=True)
        return {"cases": len(native), "fail": bad, "skipped": sum(v == "skipped" for v in native.values()), **verdicts, "gates": gates, "explained": good,
                "levels": collections.Counter(f["level"] for f in self.findings), "native_s": round(between - start), "recorded_s": round(end - between)}


def main():
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell that started us in the background has it ignored
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--testsuite", default="", metavar="DIRECTORY")
    p.add_argument("--trace", default="", metavar="DIRECTORY")
    p.add_argument("--timeout", type=int, default=600, metavar="SECONDS", help="of a module (600)")
    p.add_argument("--retries", type=int, default=3, metavar="N")
    p.add_argument("--most", type=int, default=20, metavar="N", help="cases of a module that are looked at again")
    p.add_argument("--ignore", action="append", default=[], metavar="PATTERN", help="a case that hangs without the recorder")
    p.add_argument("--keep", action="store_true", help="keep the logs")
    p.add_argument("--thrum", default="", metavar="PROGRAM", help="whose `check` looks at the traces")
    p.add_argument("--explained", default=os.path.join(HERE, "cpython_findings.txt"), metavar="FILE")
    p.add_argument("--keep-findings", default="", metavar="FILE", help="append what gates and is not explained there, as JSON")
    p.add_argument("--results", default="", metavar="FILE")
    p.add_argument("--label", default="", help="what --results calls this PYTHON (its version)")
    p.add_argument("libthrum")
    p.add_argument("python")
    p.add_argument("modules", nargs="*", default=MODULES)
    options = p.parse_args()
    options.libthrum = os.path.abspath(options.libthrum)
    options.testsuite = options.testsuite and os.path.abspath(options.testsuite)
    options.trace = options.trace and os.path.abspath(options.trace)
    env = dict(os.environ, PYTHONPATH=options.testsuite) if options.testsuite else None
    if subprocess.run([options.python, "-c", "import test.libregrtest, test.lock_tests"], env=env, stderr=subprocess.DEVNULL, check=False).returncode:
        print(f"{options.python} has no package of its own tests")
        return 77
    if not options.label:
        options.label = subprocess.run([options.python, "-c", "import platform; print(platform.python_version())"], stdout=subprocess.PIPE, text=True,
                                       check=True).stdout.strip()
    suite = Suite(options)
    results = {}
    try:
        for module in options.modules:
            results[module] = suite.compare(module)
            if options.results:
                cpython_table.note(options.results, options.label, module, results[module])
    finally:
        if not options.keep:
            shutil.rmtree(suite.scratch, ignore_errors=True)
        else:
            print("logs in", suite.scratch)
    ran = [r for r in results.values() if "none" not in r]
    return 2 if not ran else 1 if any(r["changed"] or r["gates"] for r in ran) else 0


if __name__ == "__main__":
    sys.exit(main())
