#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs a hostile program as it is and under the recorder: output and status must be the same, and the trace must open.

usage: run.py LIBTHRUM THRUM PROGRAM [ARGS...]        with THRUM_HOSTILE=KEY=VALUE in the environment: recorded so
"""
import os
import shutil
import subprocess
import sys
import tempfile


def run(argv, env):
    done = subprocess.run(argv, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=240)
    return done.returncode, done.stdout, done.stderr


def main():
    shim, thrum, program = sys.argv[1:4]
    argv = [program] + sys.argv[4:]
    env = dict(os.environ, LC_ALL="C", TZ="UTC")
    env.pop("LD_PRELOAD", None)
    more = ":" + env.pop("THRUM_HOSTILE") if "THRUM_HOSTILE" in env else ""
    work = tempfile.mkdtemp(prefix="thrum-hostile-")
    try:
        trace = os.path.join(work, "trace")
        native = run(argv, env)
        recorded = run(argv, dict(env, LD_PRELOAD=shim, THRUM_OPTIONS="dir=" + trace + more))
        for what, a, b in zip(("status", "stdout", "stderr"), native, recorded):
            if a != b:
                sys.exit("%s differs\n  native:   %r\n  recorded: %r" % (what, a, b))
        if not any(name.endswith(".map") for name in os.listdir(trace)):
            sys.exit("no trace was written")
        info = run([thrum, "info", trace], env)
        if info[0] != 0 or b"events" not in info[1]:
            sys.exit("thrum info failed on the trace: %r" % (info,))
        print("same as native: status %d, %d bytes of output" % (native[0], len(native[1])))
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
