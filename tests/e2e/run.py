#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the samples under thrum and holds each against the expectation in its first lines.

    run.py --build DIR                      all samples, once
    run.py --build DIR --only s01_abba      one of them (this is what ctest does)
    run.py --build DIR --filter 's0|cond'   those whose name matches
    run.py --build DIR --native             without thrum: do they hang or end as intended?
    run.py --build DIR --repeat 20 -j 4 --write-docs docs/scenarios.md
    run.py --build DIR --check-ids          every scenario id has a sample or a test

Besides the samples it runs the tests of ctest that named.py names, which is what shows the other scenarios.

Builds nothing. Status 0: all as expected; 1: something is not; 2: usage or a broken header.
"""

import argparse
import concurrent.futures
import html
import json
import os
import re
import shutil
import sys
import tempfile

import integrity
import judge
import named
import scenarios
import target
from sample_header import HeaderError, load_samples

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Bench:
    """Where things are: the build under test and the samples' binaries."""

    def __init__(self, build):
        self.thrum = os.path.join(build, "bin", "thrum")
        self.samples = os.path.join(build, "samples")
        self.native = {}
        self.bounded = False
        self.absent = self.read_absent()

    def read_absent(self):
        """Name of each sample that was not built -> what this machine lacks for it."""
        try:
            with open(os.path.join(self.samples, "absent.txt"), encoding="utf-8") as f:
                return dict(line.rstrip("\n").split("\t") for line in f)
        except FileNotFoundError:
            return {}

    def binary(self, sample):
        return os.path.join(self.samples, sample.name)

    def binaries(self, sample):
        return {sample.name} | {p + ".so" for p in sample.build.get("plugin", "").split(",") if p}


def limit_of(sample):
    return float(sample.run.get("limit", 60))


def run_native(bench, sample):
    """The sample's own output and status; complaints when it hangs or ends against its header."""
    if sample.name in bench.native:
        return bench.native[sample.name]
    hanging = sample.is_hanging()
    env = target.environment()
    if sample.tsan:  # its run time would make the status its own; under thrum it does not
        env["TSAN_OPTIONS"] = "exitcode=0"
    o = target.run([bench.binary(sample)] + sample.run.get("args", "").split(), 0.7 if hanging else int(sample.run.get("limit", "30")), env=env)
    wrong = []
    expected = None if hanging else int(sample.run.get("exit", "0"))
    if o.status != expected:
        wrong.append("native: status %s, expected %s; %s" % (o.status, expected, o.err.strip()[:300]))
    bench.native[sample.name] = (o, wrong)
    return o, wrong


def run_once(bench, sample, folder, with_kill):
    """One `thrum run` of a sample; returns complaints."""
    binary, args = bench.binary(sample), sample.run.get("args", "").split()
    trace, text, page = (os.path.join(folder, n) for n in ("trace", "report.txt", "report.html"))
    options = ["--format", "json", "--report", "text=" + text, "--report", "html=" + page]
    options += ["--mode", "bounded"] if bench.bounded else []
    own = [o for o in sample.run.get("options", "").split(",") if o]
    # What is watched is a sample of what threads share: samples of other rules, which meet on plain words, are judged without it.
    options += own if any(o.startswith("--races") for o in own) else own + ["--races=off"]
    native_out, own_status, wrong = None, 0, []
    if sample.is_hanging():
        options += ["--timeout", sample.run["timeout"]]
    else:
        native, wrong = run_native(bench, sample)
        native_out, own_status = native.out, native.status
        if wrong:
            return wrong
    o = target.run([bench.thrum, "run", "-o", trace] + options + ["--", binary] + args, limit_of(sample))
    if o.status is None:
        return ["did not end within %s s" % limit_of(sample)]
    found, report = check_output(bench, sample, o, native_out, own_status)
    wrong += found
    if report:
        wrong += check_reports(report, text, page)
    if "rss" in sample.run and o.max_rss_mb > int(sample.run["rss"]):
        wrong.append("thrum took %d MB, allowed %s" % (o.max_rss_mb, sample.run["rss"]))
    if with_kill and "kill" in sample.run:
        wrong += ["after SIGKILL: " + w for w in run_killed(bench, sample, os.path.join(folder, "killed"))]
    return wrong


def check_output(bench, sample, o, native_out, own_status):
    """(complaints, report or None) about what `thrum run --format json` wrote."""
    if native_out is not None and not o.out.startswith(native_out):
        return ["standard output differs from the native run: %r" % o.out[:200]], None
    try:
        _, report = target.split_report(o.out, native_out)
    except ValueError as e:
        return ["no JSON report (status %s): %s; stderr: %s" % (o.status, e, o.err.strip()[:500])], None
    wrong = judge.check_findings(sample, report, bench.binaries(sample))
    return wrong + judge.check_report(report, o.status, own_status, sample.is_hanging()), report


def check_reports(report, text_path, html_path):
    """The reports for people say at least what each finding is about."""
    wrong, pages = [], {}
    for path in (text_path, html_path):
        try:
            with open(path, encoding="utf-8") as f:
                pages[path] = f.read()
        except (OSError, UnicodeError) as e:
            return ["no readable %s: %s" % (os.path.basename(path), e)]
    page = pages[html_path]
    if not re.match(r"\s*<!doctype html>", page, re.I) or "</html>" not in page:
        wrong.append("the HTML report is no page")
    words = html.unescape(re.sub(r"<[^>]*>", "", page))
    for f in report["findings"]:
        if not f["title"].isprintable():
            continue  # bytes that the pages show in another way
        if f["title"] not in pages[text_path]:
            wrong.append("the text report does not say %r" % f["title"])
        if f["title"] not in words:
            wrong.append("the HTML report does not say %r" % f["title"])
    return wrong


def run_killed(bench, sample, trace):
    wrong = target.record_and_kill(bench.thrum, bench.binary(sample), sample.run.get("args", "").split(), trace, 20)
    if wrong:
        return [wrong]
    o = target.run([bench.thrum, "check", "--format", "json", trace], limit_of(sample))
    if o.status is None:
        return ["thrum check did not end"]
    try:
        report = json.loads(o.out.decode())
    except ValueError as e:
        return ["no JSON report (status %s): %s; %s" % (o.status, e, o.err.strip()[:300])]
    complaints = judge.check_findings(sample, report, bench.binaries(sample))
    return complaints + judge.check_report(report, o.status, 0, False)


class Result:
    def __init__(self, name):
        self.name, self.runs, self.good, self.complaints = name, 0, 0, []

    def add(self, wrong):
        self.runs += 1
        self.good += not wrong
        for w in wrong:
            if w not in self.complaints:
                self.complaints.append(w)


def try_sample(bench, sample, options, run_number):
    if options.native:
        return run_native(bench, sample)[1]
    folder = tempfile.mkdtemp(prefix="thrum-e2e-")
    try:
        return run_once(bench, sample, folder, with_kill=run_number < options.kills)
    except Exception as e:  # a broken harness is a failure of this sample, not of all
        return ["harness: %s: %s" % (type(e).__name__, e)]
    finally:
        if options.keep:
            print("%s: kept %s" % (sample.name, folder), file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)


def times(sample, options):
    return 1 if "once" in sample.run else max(options.repeat, int(sample.run.get("repeat", 1)))


def run_all(bench, samples, options):
    results = {s.name: Result(s.name) for s in samples}
    jobs = [(s, n) for n in range(options.repeat) for s in samples if n < times(s, options)]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        futures = {pool.submit(try_sample, bench, s, options, n): s for s, n in jobs}
        for future in concurrent.futures.as_completed(futures):
            sample = futures[future]
            wrong = future.result()
            results[sample.name].add(wrong)
            if wrong and not options.quiet:
                print("FAIL %s" % sample.name)
                for w in wrong:
                    print("     %s" % w)
                sys.stdout.flush()
    return results


def run_named(tests, options):
    """Tests of ctest, one at a time; those that several rows name are run once a round."""
    known = named.registered(options.build) if tests else {}
    results = {t.name: Result(t.name) for t in tests}
    for test in {t.name: t for t in tests}.values():
        for _ in range(options.repeat):
            wrong = named.run(test, known)
            results[test.name].add(wrong)
            for w in wrong if not options.quiet else []:
                print("FAIL %s\n     %s" % (test.name, w))
                sys.stdout.flush()
    return results


def parse_arguments():
    p = argparse.ArgumentParser(description="run the samples under thrum")
    p.add_argument("--build", help="build directory")
    p.add_argument("--only", action="append", help="a sample's or test's name; may be repeated")
    p.add_argument("--filter", help="regular expression on names")
    p.add_argument("--repeat", type=int, default=1)
    p.add_argument("--kills", type=int, default=1, help="how many of the runs also do the SIGKILL variant")
    p.add_argument("-j", "--jobs", type=int, default=2)
    p.add_argument("--native", action="store_true")
    p.add_argument("--bounded", action="store_true",
                   help="in bounded mode, with a flight recorder that holds a handful of events")
    p.add_argument("--check-ids", action="store_true")
    p.add_argument("--list", action="store_true")
    p.add_argument("--keep", action="store_true", help="keep the traces")
    p.add_argument("--quiet", action="store_true")
    p.add_argument("--write-docs", metavar="FILE")
    p.add_argument("--hanging", action="store_true", help="only the samples that hang")
    p.add_argument("--results", metavar="FILE", help="keep the outcome in FILE; status 0 whatever it is")
    p.add_argument("--judge", metavar="FILE", help="run nothing: say what FILE holds about --only")
    return p.parse_args()


def by_name(tests, options):
    return [t for t in tests if (not options.only or t.name in options.only) and
            (not options.filter or re.search(options.filter, t.name))]


def select(samples, options):
    return [s for s in by_name(samples, options) if s.is_hanging() or not options.hanging]


def keep_results(path, results):
    with open(path, "w", encoding="utf-8") as f:
        json.dump({r.name: {"runs": r.runs, "good": r.good, "complaints": r.complaints} for r in results.values()}, f)


def say_skipped(samples, bench):
    for lack in sorted({bench.absent[s.name] for s in samples}):
        names = [s.name for s in samples if bench.absent[s.name] == lack]
        print("%d not built, for this machine lacks %s: %s" % (len(names), lack, ", ".join(names)))


def judge_results(path, names):
    """Status of a test whose sample another test has run."""
    with open(path, encoding="utf-8") as f:
        results = json.load(f)
    bad = False
    for name in names:
        r = results.get(name, {"runs": 0, "good": 0, "complaints": ["was not run"]})
        bad = bad or not r["runs"] or r["good"] != r["runs"]
        print("%s: %d of %d runs as expected" % (name, r["good"], r["runs"]))
        for w in r["complaints"]:
            print("     %s" % w)
    return 1 if bad else 0


def main():
    options = parse_arguments()
    try:
        samples = load_samples(ROOT)
    except HeaderError as e:
        print("run.py: %s" % e, file=sys.stderr)
        return 2
    if options.check_ids:
        ids_wrong = scenarios.check_ids(ROOT, samples, named.registered(options.build) if options.build else None)
        for w in ids_wrong:
            print(w)
        return 1 if ids_wrong else 0
    if options.list:
        for s in samples:
            print(s.name)
        return 0
    if not options.build:
        print("run.py: --build DIR is needed", file=sys.stderr)
        return 2
    if options.judge:
        return judge_results(options.judge, options.only or [])
    bench = Bench(os.path.abspath(options.build))
    if options.bounded:
        bench.bounded = True
        os.environ["THRUM_OPTIONS"] = "flight=8"
    needed = [bench.samples] if options.native else [bench.samples, bench.thrum]
    for path in needed:
        if not os.path.exists(path):
            print("run.py: there is no %s; build first" % path, file=sys.stderr)
            return 2
    chosen, scripted, others = [s for s in select(samples, options) if s.name not in bench.absent], [], []
    if options.bounded:  # which keeps no order of accesses
        chosen = [s for s in chosen if "--python-races" not in s.run.get("options", "") and "full" not in s.run]
    skipped = [s for s in select(samples, options) if s.name in bench.absent]
    if not (options.native or options.hanging or options.bounded):
        scripted, others = by_name(integrity.TESTS, options), by_name(named.TESTS, options)
    if not chosen and not scripted and not others and not skipped:
        print("run.py: no such sample", file=sys.stderr)
        return 2
    results = run_all(bench, chosen, options)
    for test in scripted:
        results[test.name] = integrity.repeat(test, bench, Result(test.name), options)
    results.update(run_named(others, options))
    bad = [r for r in results.values() if r.good != r.runs]
    print("%d of %d as expected" % (len(results) - len(bad), len(results)))
    say_skipped(skipped, bench)
    for r in bad if not options.results else []:
        print("  %s: %d of %d runs" % (r.name, r.good, r.runs))
    if options.write_docs:
        scenarios.write_docs(options.write_docs, ROOT, samples, results)
    if options.results:
        keep_results(options.results, results)
        return 0
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
