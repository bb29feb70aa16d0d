# SPDX-License-Identifier: MIT
"""--races=record over builds of gcc and clang, SIGKILL, fork, a limit of size, and without thrum.

usage: recorded.py BUILD SOURCE
A compiler that is not here, or has no such runtime, is left out; without any the test is skipped (77).
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile


def builds(build, source, folder):
    """[(name, program)] of those that can be made here."""
    library = f"{build}/lib/libthrum_tsan.so"
    ways = {
        "gcc": [["gcc", "-fsanitize=thread", source, "-o"]],
        "gcc, optimised": [["gcc", "-O2", "-fsanitize=thread", source, "-o"]],
        "clang": [
            ["clang", "-fsanitize=thread", "-c", source, "-o", f"{folder}/part.o"],
            ["clang", "-fsanitize=thread", "-fno-sanitize-link-runtime", f"{folder}/part.o", library,
             f"-Wl,-rpath,{build}/lib", "-o"],
        ],
    }
    for name, commands in ways.items():
        program = f"{folder}/{name.replace(', ', '-')}"
        commands[-1].append(program)
        if all(shutil.which(c[0]) and subprocess.run([*c, "-g", "-pthread"], capture_output=True).returncode == 0
               for c in commands):
            yield name, program


def run(build, folder, program, *arguments, options=("--races=record",)):
    """(status, report) of thrum run."""
    trace = tempfile.mkdtemp(dir=folder) + "/t"
    done = subprocess.run(
        [f"{build}/bin/thrum", "run", *options, "-o", trace, "--format", "json", "--", program, *arguments],
        capture_output=True, text=True, timeout=120,
    )
    return done.returncode, json.loads(done.stdout[done.stdout.index("{"):])


def races(report):
    return [f for f in report["findings"] if f["rule"] == "data-race"]


def check(build, folder, name, program):
    def expect(condition, what):
        if not condition:
            problems.append(f"{name}: {what}")

    problems = []
    bare = subprocess.run([program, "clean"], capture_output=True, text=True, timeout=60)
    expect(bare.returncode == 0 and not bare.stderr, f"without thrum: {bare.returncode} {bare.stderr}")
    status, report = run(build, folder, program)
    expect(status == 66 and len(races(report)) == 1, "the race is not found")
    expect(all(f["confidence"] == "observed" and "counter" in f["title"] for f in races(report)), "its words")
    status, report = run(build, folder, program, "clean")
    expect(status == 0 and not races(report), "a race in atomics")
    status, report = run(build, folder, program, "fork")
    expect(status == 66 and len(report["trace"]["processes"]) == 2, "fork")
    status, report = run(build, folder, program, "kill")
    expect(status == 66 and not report["trace"]["complete"], "a killed program's race is not found")
    status, report = run(build, folder, program, "much", options=("--races=record-full", "--max-size", "1M"))
    expect(status == 0 and not report["trace"]["complete"] and not races(report), "the cut is not told")
    status, report = run(build, folder, program, "much", options=("--races=record-full",))
    expect(status == 0 and report["trace"]["complete"], "not complete without a limit")
    return problems


def main():
    build, source = map(os.path.abspath, sys.argv[1:])
    folder = tempfile.mkdtemp(prefix="thrum-recorded-")
    problems, count = [], 0
    try:
        for name, program in builds(build, source, folder):
            count += 1
            problems += check(build, folder, name, program)
    finally:
        shutil.rmtree(folder)
    print("\n".join(problems) if problems else f"recorded: ok, {count} builds")
    return 1 if problems else 0 if count else 77


if __name__ == "__main__":
    sys.exit(main())
