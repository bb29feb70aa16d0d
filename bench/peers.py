# SPDX-License-Identifier: MIT
"""Programs whose races are known, under every race detector in turn: what each finds, misses, and reports where nothing is.

usage: peers.py --build DIR --manifest FILE --out FILE [--suites RE] [--only RE] [--tools a,b] [--again] [-j N] [--limit S] [--table]

The programs are not part of this repository: a manifest names them, one JSON object a line, its paths relative to its own folder.
    suite, name         together a program's identity
    expect              "racy" or "clean": what its authors say; "other" is left out
    sources, flags      what the compiler gets, after -g -O1 -pthread; libraries are flags, and come last
    args                of the program
    plain               more sources for the build without -fsanitize=thread
Each program is built twice, without and with -fsanitize=thread, runs in a folder of its own, and is ended after --limit seconds; what was
reported until then counts. Results are lines of FILE (--out): a run that is in there is not repeated, but with --again.
A table and the programs where tools disagree with their authors go to standard output, at the end or, with --table, from FILE alone.
"""
import argparse
import collections
import concurrent.futures
import hashlib
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile

COMPILERS = {".c": "gcc", ".cc": "g++", ".cpp": "g++", ".cxx": "g++", ".f90": "gfortran", ".f95": "gfortran"}
FLAGS = ["-g", "-O1", "-pthread", "-w"]
FILE_BYTES = 1 << 30  # that a program may write


class Tool:
    """A row of the table. `run` gives the rules that it reported, each with whether it would fail a job."""

    sanitized = False

    def command(self, argv, work, limit):
        raise NotImplementedError

    def environment(self, work):
        return {}

    def reports(self, work, text):
        raise NotImplementedError


class Text(Tool):
    """Tools that write what they find into a file."""

    pattern = None

    def reports(self, work, text):
        for name in os.listdir(work):
            if name.startswith("log"):
                with open(os.path.join(work, name), errors="replace") as f:
                    text += f.read()
        return [("data-race", True)] if self.pattern.search(text) else []


class Tsan(Text):
    title, sanitized = "ThreadSanitizer", True
    pattern = re.compile(r"WARNING: ThreadSanitizer: (data race|heap-use-after-free|race on)")

    def command(self, argv, work, limit):
        return argv

    def environment(self, work):
        return {"TSAN_OPTIONS": f"log_path={work}/log:exitcode=0"}


class Valgrind(Text):
    def __init__(self, tool, pattern):
        self.title, self.tool, self.pattern = tool.capitalize() if tool != "drd" else "DRD", tool, re.compile(pattern)

    def command(self, argv, work, limit):
        return ["valgrind", f"--tool={self.tool}", "--trace-children=yes", f"--log-file={work}/log.%p", *argv]


class Thrum(Tool):
    def __init__(self, build, title, *options, sanitized):
        self.thrum, self.title, self.options, self.sanitized = f"{build}/bin/thrum", title, options, sanitized

    def command(self, argv, work, limit):
        return [self.thrum, "run", "-o", f"{work}/trace", f"--report=json={work}/report", "--format=json", "--quiet",
                f"--timeout={limit}", *self.options, "--", *argv]

    def reports(self, work, text):
        with open(f"{work}/report", encoding="utf-8") as f:
            report = json.load(f)
        return sorted({(f["rule"], bool(f.get("gated"))) for f in report["findings"]})


def tools(build):
    return {
        "tsan": Tsan(),
        "helgrind": Valgrind("helgrind", "Possible data race"),
        "drd": Valgrind("drd", "Conflicting (load|store)"),
        "record": Thrum(build, "thrum --races=record", "--races=record", sanitized=True),
        "full": Thrum(build, "thrum --races=record-full", "--races=record-full", sanitized=True),
        "report": Thrum(build, "thrum, TSan build", sanitized=True),
        "watch": Thrum(build, "thrum, plain build", sanitized=False),
    }


def compiler(program):
    kinds = [COMPILERS.get(os.path.splitext(s)[1].lower(), "gcc") for s in program["sources"]]
    return next((c for c in ("gfortran", "g++") if c in kinds), "gcc")


def build(program, base, cache, sanitized):
    """The program's path, and what went wrong if there is none. Programs of the same sources and flags are built once."""
    sources = program["sources"] + ([] if sanitized else program.get("plain", []))
    flags = [re.sub(r"^-I(?!/)", f"-I{base}/", f) for f in program.get("flags", [])]
    early, late = [f for f in flags if f[:2] not in ("-l", "-L")], [f for f in flags if f[:2] in ("-l", "-L")]
    argv = [compiler(program), *FLAGS, *(["-fsanitize=thread"] if sanitized else []), *early,
            *(os.path.join(base, s) for s in sources), *late]
    folder = os.path.join(cache, hashlib.sha256("\0".join(argv).encode()).hexdigest()[:20])
    path, log = os.path.join(folder, "program"), os.path.join(folder, "log")
    if not os.path.exists(log):
        os.makedirs(folder, exist_ok=True)
        done = subprocess.run([*argv, "-o", path], cwd=folder, capture_output=True, text=True, timeout=300)
        with open(log + ".new", "w", encoding="utf-8") as f:
            f.write(done.stderr)
        os.rename(log + ".new", log)
    return path if os.path.exists(path) else None


def limits():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))


def run(tool, path, program, seconds):
    work = tempfile.mkdtemp(prefix="thrum-peers-")
    try:
        here = os.path.join(work, "cwd")
        os.mkdir(here)
        environment = dict(os.environ, **program.get("env", {}), **tool.environment(work))
        argv = tool.command([path, *program.get("args", [])], work, seconds)
        with subprocess.Popen(argv, cwd=here, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                              env=environment, start_new_session=True, preexec_fn=limits) as p:
            ended = True
            try:
                _, err = p.communicate(timeout=seconds + (120 if isinstance(tool, Thrum) else 0))
            except subprocess.TimeoutExpired:
                os.killpg(p.pid, signal.SIGKILL)
                _, err = p.communicate()
                ended = False
            status = p.returncode
        try:
            found = tool.reports(work, err.decode(errors="replace"))
        except (OSError, ValueError, KeyError) as e:
            return {"error": f"{type(e).__name__}: {e}", "status": status, "says": err.decode(errors="replace")[-500:]}
        return {"reports": found, "status": status if ended else "ended"}
    finally:
        shutil.rmtree(work, ignore_errors=True)


def measure(job):
    program, base, cache, name, tool, limit = job
    key = {"suite": program["suite"], "name": program["name"], "tool": name, "expect": program["expect"]}
    path = build(program, base, cache, tool.sanitized)
    return {**key, **(run(tool, path, program, limit) if path else {"error": "not built"})}


# ---- what came out ----


def outcome(row, level):
    """(found something of data-race at `level`: gated, or any), None where there was no run."""
    if "error" in row:
        return None
    return any(rule == "data-race" and (gated or level == "any") for rule, gated in row["reports"])


def table(rows, shown):
    """Counts a suite and tool, over the programs that all tools shown could run."""
    by = collections.defaultdict(dict)
    for row in rows:
        by[row["suite"], row["name"], row["expect"]][row["tool"]] = row
    suites = sorted({k[0] for k in by})
    count = collections.Counter((k[0], t) for k, v in by.items() for t in v)
    # A tool that most of a suite was not run with has no figures there.
    ran = {s: [t for t in shown if 2 * count[s, t] > sum(k[0] == s for k in by)] for s in suites}
    full = {k: v for k, v in by.items() if all(t in v and outcome(v[t], "any") is not None for t in ran[k[0]])}
    left = len(by) - len(full)
    print("| suite | racy / clean | " + " | ".join(shown.values()) + " |")
    print("|---|---|" + "---|" * len(shown))
    for suite in [*suites, None]:
        mine = {k: v for k, v in full.items() if suite in (None, k[0])}
        racy = [v for k, v in mine.items() if k[2] == "racy"]
        clean = [v for k, v in mine.items() if k[2] == "clean"]
        cells = []
        for t in shown:
            if t not in ran.get(suite, shown) or not all(t in v and "error" not in v[t] for v in mine.values()):
                cells.append("–")
                continue
            found = sum(outcome(v[t], "gated") for v in racy)
            noted = sum(outcome(v[t], "any") for v in racy) - found
            false = sum(outcome(v[t], "gated") for v in clean)
            hinted = sum(outcome(v[t], "any") for v in clean) - false
            cells.append(f"{found}{f' + {noted}' if noted else ''} / {false}{f' + {hinted}' if hinted else ''}")
        print(f"| {suite or 'all'} | {len(racy)} / {len(clean)} | " + " | ".join(cells) + " |")
    print(f"\nfound / false alarms; + = below the level that fails a job. {left} programs left out: not built, or not run by all.")
    return full


def differences(full, shown):
    for (suite, name, expect), v in sorted(full.items()):
        said = {t: outcome(v[t], "any") for t in shown if t in v and "error" not in v[t]}
        gates = {t: sorted({r for r, g in v[t]["reports"] if g and r != "data-race"}) for t in said}
        gates = {t: g for t, g in gates.items() if g}
        if any(s != (expect == "racy") for s in said.values()) or gates:
            print(f"{expect:5} {suite}: {name}: " + " ".join(f"{t}={'+' if s else '-'}" for t, s in said.items())
                  + (f" gates: {gates}" if gates else ""))


def read_lines(path):
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f if line.strip()]


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--build", default="build")
    parser.add_argument("--manifest")
    parser.add_argument("--out", required=True)
    parser.add_argument("--suites", default="")
    parser.add_argument("--only", default="")
    parser.add_argument("--tools", default="tsan,helgrind,record,report,watch")
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--limit", type=int, default=20)
    parser.add_argument("-j", "--jobs", type=int, default=1)
    args = parser.parse_args()
    every = tools(os.path.abspath(args.build))
    chosen = {t: every[t] for t in args.tools.split(",")}
    newest = {(r["suite"], r["name"], r["tool"]): r for r in read_lines(args.out)}
    programs = [p for p in read_lines(args.manifest) if p["expect"] in ("racy", "clean")] if args.manifest else []
    if not args.table:
        base = os.path.dirname(os.path.abspath(args.manifest))
        cache = os.path.join(os.path.dirname(os.path.abspath(args.out)), "built")
        jobs = [(p, base, cache, name, tool, args.limit) for p in programs for name, tool in chosen.items()
                if re.search(args.suites, p["suite"]) and re.search(args.only, p["name"])
                and (args.again or "error" in newest.get((p["suite"], p["name"], name), {"error": "not run"}))]
        with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool, open(args.out, "a", encoding="utf-8") as f:
            for n, row in enumerate(pool.map(measure, jobs)):
                newest[row["suite"], row["name"], row["tool"]] = row
                f.write(json.dumps(row) + "\n")
                f.flush()
                print(f"\r{n + 1} of {len(jobs)}", end="", file=sys.stderr)
    expect = {(p["suite"], p["name"]): p["expect"] for p in programs}
    rows = [dict(r, expect=expect.get((r["suite"], r["name"]), r["expect"])) for r in newest.values()
            if not programs or (r["suite"], r["name"]) in expect]
    rows = [r for r in rows if re.search(args.suites, r["suite"]) and re.search(args.only, r["name"])]
    shown = {t: every[t].title for t in chosen}
    differences(table(rows, shown), shown)


if __name__ == "__main__":
    main()
