# SPDX-License-Identifier: MIT
"""Watchpoints where they are in the way, or cannot be had: the program behaves as without them, and one line says what became of them.

usage: watched.py LIBTHRUM THRUM PROGRAM CAN
CAN is a program whose status is 0 where watchpoints can be opened; elsewhere only what is about their absence runs.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

ON = r"[1-9]\d* samples"
OFF = "; 0 samples"
# what the program does: what `thrum info` says of one process at least, and whether that needs watchpoints
ROWS = {
    "work": (ON, True),
    "threads": (r"(threads are made too often; )?\d+ samples", True),  # each may be over before its first one
    "forks": (ON, True),
    "become": (ON, True),
    "own": ("the program uses SIGTRAP itself" + OFF, True),
    "late": ("the program uses SIGTRAP itself; " + ON, True),
    "blocked": (r"\d+ samples", True),
    "waits": (r"\d+ samples", True),
    "sigwaits": (r"\d+ samples", True),
    "lets-through": (ON, True),
    "become-blocked": ("the program uses SIGTRAP itself; [0-9]+ samples", True),
    "denied": (r"the kernel refused perf_event_open" + OFF, False),
    "absent": (r"the kernel refused perf_event_open" + OFF, False),
    "debugged": ("(a debugger was attached; )?" + ON, True),
}


def run(argv, env, user):
    done = subprocess.run(argv, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=120, check=False, user=user)
    return done.returncode, done.stdout, done.stderr


def what_info_says(thrum, trace, env):
    """Of each process: why it was not watched, or not to the end, and how many samples there were."""
    info = json.loads(run([thrum, "info", "--format=json", trace], env, None)[1])
    said = [p["memory"] for p in info["processes"] if p.get("memory")]
    return [f"{m['why'] + '; ' if 'why' in m else ''}{m['samples']} samples" for m in said]


def check(row, shim, thrum, program, work, user=None):
    env = dict(os.environ, LC_ALL="C")
    env.pop("LD_PRELOAD", None)
    trace = os.path.join(work, f"{row}-{user}")
    native = run([program, row], env, user)
    recorded = run([program, row], dict(env, LD_PRELOAD=shim, THRUM_OPTIONS=f"dir={trace}:races=auto"), user)
    if native != recorded:
        return f"differs\n  native:   {native!r}\n  recorded: {recorded!r}"
    lines = what_info_says(thrum, trace, env)
    if not any(re.fullmatch(ROWS[row][0], line) for line in lines):
        return f"info says {lines}"
    return None


def main():
    shim, thrum, program, can = sys.argv[1:5]
    work = tempfile.mkdtemp(prefix="thrum-watched-")
    os.chmod(work, 0o777)
    can_watch = subprocess.run([can], check=False).returncode == 0
    users = [None, 65534] if os.geteuid() == 0 else [None]
    failed = ran = 0
    try:
        for row, (_, needs) in ROWS.items():
            for user in users if row == "work" else users[:1]:
                if needs and not can_watch:
                    continue
                problem = check(row, shim, thrum, program, work, user)
                ran += 1
                if problem:
                    failed += 1
                    print(f"{row}: {problem}")
    finally:
        shutil.rmtree(work, ignore_errors=True)
    print(f"{ran} programs, {failed} failed" + ("" if can_watch else "; no watchpoints here: the others were left out"))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
