#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A trace directory that cannot be written, is full, or fills up: the host's output and status stay, the loss is said.

usage: bad_places.py LIBTHRUM THRUM PROGRAM
"""
import os
import resource
import shutil
import subprocess
import sys
import tempfile

SHIM, THRUM, PROGRAM = sys.argv[1:4]


def environment(trace):
    env = dict(os.environ, LC_ALL="C", TZ="UTC")
    env.pop("LD_PRELOAD", None)
    return dict(env, LD_PRELOAD=SHIM, THRUM_OPTIONS="dir=" + trace) if trace else env


def run(argv, env, **more):
    done = subprocess.run(argv, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=120, **more)
    return done.returncode, done.stdout, done.stderr


def same(name, native, recorded):
    if native != recorded:
        sys.exit("%s: differs\n  native:   %r\n  recorded: %r" % (name, native, recorded))


def limit_file_size(number):
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (number, number))


def in_mount(options, script, work):
    """Runs `script` with a file system of these options at WORK/mount; None where that is not allowed."""
    place = os.path.join(work, "mount")
    os.makedirs(place, exist_ok=True)
    probe = "mount -t tmpfs -o %s none %s" % (options, place)
    if shutil.which("unshare") is None or run(["unshare", "-m", "sh", "-c", probe], environment(None))[0]:
        return None
    return run(["unshare", "-m", "sh", "-c", probe + " && " + script], environment(None))


def check_mounts(work, native):
    preload = "LD_PRELOAD=%s THRUM_OPTIONS=dir=%s/mount/trace" % (SHIM, work)
    cases = (("read-only", "ro"), ("too small to begin", "size=16k"), ("full in the middle", "size=700k"))
    checked = 0
    for name, options in cases:
        done = in_mount(options, "%s %s" % (preload, PROGRAM), work)
        if done is None:
            continue
        same(name, native, done)
        checked += 1
    # The launcher: a program that could not be recorded is never passed silently.
    done = in_mount("size=16k", "%s run -o %s/mount/trace -- %s" % (THRUM, work, PROGRAM), work)
    if done is not None:
        if done[0] != 69 or native[1] not in done[1] or b"not recorded" not in done[2]:
            sys.exit("run in a place that is too small: %r" % (done,))
        checked += 1
    done = in_mount("size=700k", "%s run -o %s/mount/trace -- %s; %s info %s/mount/trace" %
                    (THRUM, work, PROGRAM, THRUM, work), work)
    if done is not None:
        if b"the disk was full" not in done[1] + done[2]:
            sys.exit("a disk that fills up is not said: %r" % (done,))
        checked += 1
    return checked


def main():
    work = tempfile.mkdtemp(prefix="thrum-places-")
    try:
        native = run([PROGRAM], environment(None))
        plain_file = os.path.join(work, "file")
        with open(plain_file, "w", encoding="ascii"):
            pass
        places = ("/dev/null/trace", "/proc/no-such-place", plain_file, os.path.join(work, "no", "parent"),
                  "/" + "x" * 3000)
        for place in places:
            same(place[:40], native, run([PROGRAM], environment(place)))
        for number in (0, 4096, 100000, 400000):
            trace = os.path.join(work, "limit%d" % number)
            same("RLIMIT_FSIZE %d" % number, native,
                 run([PROGRAM], environment(trace), preexec_fn=limit_file_size(number)))
        mounts = check_mounts(work, native)
        print("same as native in %d bad places, %d mounts" % (len(places) + 4, mounts))
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
