#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""CPython's own tests with and without the recorder: does any test end differently?

    cpython_suite.py [OPTIONS] LIBTHRUM PYTHON [MODULE...]

Runs `PYTHON -m test MODULE` as it is and with LIBTHRUM preloaded, and compares the outcome of every test case in the reports that
regrtest writes. A case that differs is run again by itself, both ways in turn, `--retries` times: it is

    changed   when the recorded runs never end as a native run does
    unsteady  when they do now and then, or the native runs differ among themselves

A PYTHON without the package `test` takes it from `--testsuite DIRECTORY` (Debian keeps it in libpython3.11-testsuite; DIRECTORY is
what holds `test`). `--trace DIRECTORY` keeps the traces, one a module. Exit status: 0 nothing changed, 1 something did, 2 nothing ran,
77 PYTHON has no tests.
"""
import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

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
        if not self.options.keep:
            shutil.rmtree(work, ignore_errors=True)
        return result

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
        """How many test cases changed; None when the module did not run."""
        native = self.run(module, False)
        if native is None:
            print(f"{module}: no report without the recorder either: {self.last_words[-300:]}")
            return None
        recorded = self.run(module, True)
        if recorded is None:
            print(f"{module}: no report with the recorder, there is one without: {self.last_words}")
            return 1
        changed = 0
        differing = [c for c in native.keys() | recorded.keys() if native.get(c) != recorded.get(c)]
        for case in sorted(differing)[:self.options.most]:
            verdict = self.judge(module, case)
            changed += verdict == "changed"
            print(f"{verdict:9} {module} {case}: {native.get(case, 'absent')} / {recorded.get(case, 'absent')} recorded", flush=True)
        bad = sum(v in ("failure", "error") for v in native.values())
        print(f"{module}: {len(native)} cases, {bad} fail natively, {len(differing)} differed, {changed} changed", flush=True)
        return changed


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
    suite = Suite(options)
    try:
        results = [suite.compare(m) for m in options.modules]
    finally:
        if not options.keep:
            shutil.rmtree(suite.scratch, ignore_errors=True)
        else:
            print("logs in", suite.scratch)
    ran = [r for r in results if r is not None]
    return 2 if not ran else 1 if any(ran) else 0


if __name__ == "__main__":
    sys.exit(main())
