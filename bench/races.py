# SPDX-License-Identifier: MIT
"""Watchpoints (--races=auto, or with --deep --races=deep) on unmodified programs: what they find, how soon, what they cost, and whether they are silent on twins.

usage: races.py BUILD [--runs N] [--seconds S] [--twins SECONDS] [--only KIND,…] [--sites] [--deep]
Of each racy kind N runs: found (an error, or a warning where plain moves could be atomic in the source), and the time from the start to the first access of that finding. The cost is the processor
time of a fixed number of operations with --races=auto over --races=off, in turns. Twins share SECONDS: no finding may be an error.
--sites adds a program of 4,000 functions with more than 100,000 instructions that touch memory; 400 of them run, a race is in one.
"""
import argparse
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile

RACY = ("counter", "rare", "torn", "dcl", "refcount")
TWINS = ("mutex", "mutex-pair", "atomics", "condvar", "join", "once", "semaphore", "barrier", "rwlock")
DETECT = {"counter": 5.0}
DETECT_ALL = 10.0
DETECT_SITES = 15.0
COST = 1.03
OPERATIONS = 12_000_000
FUNCTIONS, ACTIVE, STATEMENTS = 4000, 400, 18


class Bench:
    def __init__(self, build, scratch, how):
        self.how = how
        self.thrum = f"{build}/bin/thrum"
        self.races = f"{build}/bin/races"
        self.library = f"{build}/lib/libthrum.so"
        self.scratch = scratch

    def findings(self, command):
        """The data races of one run, and how much was watched."""
        trace, report = tempfile.mkdtemp(dir=self.scratch) + "/t", f"{self.scratch}/report.json"
        done = subprocess.run([self.thrum, "run", f"--races={self.how}", "-o", trace, "--report", f"json={report}", "--"] + command,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=600, check=False)
        shutil.rmtree(os.path.dirname(trace))
        if done.returncode not in (0, 66):
            sys.exit(f"races.py: {' '.join(command)}: status {done.returncode}\n{done.stderr}")
        with open(report, encoding="utf-8") as f:
            found = json.load(f)["findings"]
        return [f for f in found if f["rule"] == "data-race"]

    def detect(self, command):
        """Seconds until a race was met that is more than a hint (None: there was none), and whether it is an error."""
        found = [f for f in self.findings(command) if f["level"] != "note"]
        times = [s["time_ns"] for f in found for s in f["stacks"] if s.get("time_ns")]
        return min(times) / 1e9 if times else None, any(f["level"] == "error" for f in found)

    def processor_time(self, kind, mode):
        trace = tempfile.mkdtemp(dir=self.scratch)
        env = dict(os.environ, LD_PRELOAD=self.library, THRUM_OPTIONS=f"dir={trace}/t:races={mode}")
        out = subprocess.run([self.races, kind, f"-{OPERATIONS}"], env=env, capture_output=True, text=True, check=True, timeout=600)
        shutil.rmtree(trace)
        return float(out.stdout)

    def cost(self, kind, rounds):
        ratios = []
        for _ in range(rounds):
            off = self.processor_time(kind, "off")
            ratios.append(self.processor_time(kind, self.how) / off)
        return statistics.median(ratios)


def row(name, runs, limit, cost=None):
    found = sorted(t for t, _ in runs if t is not None)
    in_time = sum(t <= limit for t in found)
    met = in_time >= 0.95 * len(runs) and (cost is None or cost <= COST)
    print(f"{name:12} {len(found):3} of {len(runs):<3} {sum(error for _, error in runs):6}", end="")
    print("  %8.2f %8.2f %8.2f" % (statistics.median(found), found[int(0.95 * (len(found) - 1))], found[-1]) if found else " " * 28, end="")
    print(f"  {limit:5.0f}", f"{cost:8.3f}" if cost else " " * 8, " bar met" if met else " missed", flush=True)
    return met


def racy(bench, kinds, options):
    print("racy          found    errors   median s   95 % s    max s  bar s  CPU on/off")
    met = True
    for kind in kinds:
        runs = [bench.detect([bench.races, kind, str(options.seconds)]) for _ in range(options.runs)]
        met &= row(kind, runs, DETECT.get(kind, DETECT_ALL), bench.cost(kind, min(options.runs, 7)))
    return met


def twins(bench, kinds, seconds):
    """Silent means: nothing at level error. Hints are counted."""
    silent = True
    print("\ntwins         seconds  errors  hints  CPU on/off")
    for kind in kinds:
        each = max(seconds / len(kinds), 1)
        found = bench.findings([bench.races, kind, str(2 * each)])  # two threads use twice the processor time
        errors = [f for f in found if f["level"] == "error"]
        for f in errors:
            print("  ", f["title"], "-", f["message"])
        print(f"{kind:12} {each:8.0f} {len(errors):7} {len(found) - len(errors):6} {bench.cost(kind, 5):10.3f}", flush=True)
        silent &= not errors
    return silent


def program_of_many_sites(scratch):
    """Two threads call some of the functions in turn; each works on its thread's memory but for what one of them counts."""
    chance = random.Random(7)
    source, program = f"{scratch}/sites.c", f"{scratch}/sites"
    with open(source, "w", encoding="utf-8") as f:
        f.write("#include <pthread.h>\n#include <stdlib.h>\n#include <time.h>\nstruct own { long v[512]; };\nlong shared;\n"
                "static __attribute__((noinline)) void count(void) { shared++; }\n")
        for n in range(FUNCTIONS):
            f.write(f"static __attribute__((noinline)) void f{n}(volatile struct own *o) {{\n")
            for k in range(STATEMENTS):
                a, b = chance.randrange(512), chance.randrange(512)
                f.write(f"\to->v[{a}] += o->v[{b}] ^ {k};\n")
            f.write("}\n")
        f.write("static void (*const all[])(volatile struct own *) = {" + ",".join(f"f{n}" for n in range(FUNCTIONS)) + "};\n")
        f.write(
            "static double seconds;\n"
            "static double used(void) { struct timespec t; clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); return t.tv_sec + t.tv_nsec / 1e9; }\n"
            "static void *run(void *o) { while (used() < seconds) for (int i = 0; i < %d; i++) all[i](o), i %% 100 ? (void)0 : count(); return 0; }\n"
            "int main(int c, char **v) { pthread_t t[2]; seconds = c > 1 ? atof(v[1]) : 1;\n"
            "  for (int i = 0; i < 2; i++) pthread_create(&t[i], 0, run, calloc(1, sizeof(struct own)));\n"
            "  for (int i = 0; i < 2; i++) pthread_join(t[i], 0); return 0; }\n" % ACTIVE)
    subprocess.run(["cc", "-g", "-O1", "-pthread", source, "-o", program], check=True)
    listing = subprocess.run(["objdump", "-d", "--no-show-raw-insn", program], capture_output=True, text=True, check=True).stdout
    sites = sum("(" in line and "%r" in line and "lea" not in line and "nop" not in line for line in listing.splitlines())
    text = sum(int(line.split()[2], 16) for line in
               subprocess.run(["objdump", "-h", program], capture_output=True, text=True, check=True).stdout.splitlines() if " .text " in line)
    return program, sites, text


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("build")
    p.add_argument("--runs", type=int, default=20)
    p.add_argument("--seconds", type=float, default=10, help="processor time of a racy run")
    p.add_argument("--twins", type=float, default=600, help="seconds for all twins together")
    p.add_argument("--only", default="", help="kinds, by name")
    p.add_argument("--sites", action="store_true")
    p.add_argument("--deep", action="store_true")
    options = p.parse_args()
    only = options.only.split(",") if options.only else RACY + TWINS
    with tempfile.TemporaryDirectory(prefix="thrum-bench-") as scratch:
        bench = Bench(os.path.abspath(options.build), scratch, "deep" if options.deep else "auto")
        good = racy(bench, [k for k in RACY if k in only], options)
        if options.sites:
            program, sites, text = program_of_many_sites(scratch)
            print(f"\n{sites} instructions that touch memory, {text / 1e6:.1f} MB of text")
            good &= row("sites", [bench.detect([program, "20"]) for _ in range(options.runs)], DETECT_SITES)
        good &= twins(bench, [k for k in TWINS if k in only], options.twins)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
