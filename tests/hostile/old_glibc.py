#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The recorder in an older system: programs built there behave the same under it, and what it records there is right.

usage: old_glibc.py LIBTHRUM THRUM TREE

THRUM_OLD_ROOT names a directory that holds the older system, with a C compiler (`debootstrap --variant=minbase
--include=gcc,libc6-dev bullseye DIRECTORY`); without it, or without being root, the test is skipped (77).
"""
import os
import shutil
import subprocess
import sys
import tempfile

SHIM, THRUM, TREE = sys.argv[1:4]
SAME = ["fork_locks", "cancel_waits", "signals_everywhere", "lost_descriptors", "small_file_limit", "odd_stacks",
        "vfork_children", "fork_in_handler", "ways_to_end"]
# Samples, and what `thrum check` here must say of the trace that was written there.
FOUND = [("s01_abba", "lock-order-inversion"), ("s30_reacquire_is_the_only_edge", "lock-order-inversion"),
         ("c11_abba", "lock-order-inversion"), ("s52_returns_holding", "lock-held-at-thread-exit")]
CLEAN = ["s05_gate", "s51b_cancelled_in_cond_wait", "c11_everything", "s46b_atfork_handlers"]
# In a mount namespace of its own, with /proc: ROOT FOLDER COMMAND...
ENTER = """mount -t proc proc "$0/proc" && exec chroot "$0" sh -c 'cd "$0" && exec "$@"' "$@" """


class Root:
    """A folder below the older system's /tmp, and what can be run in it."""

    def __init__(self, root):
        self.root = root
        self.folder = tempfile.mkdtemp(prefix="thrum-old-", dir=os.path.join(root, "tmp"))
        self.inside = "/tmp/" + os.path.basename(self.folder)
        os.chmod(self.folder, 0o755)
        for name in ("samples", "include", "tests/hostile"):
            shutil.copytree(os.path.join(TREE, name), os.path.join(self.folder, os.path.basename(name)))
        shutil.copy(SHIM, self.folder)

    def run(self, argv, trace=None):
        env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "TZ": "UTC"}
        if trace:
            argv = ["env", "LD_PRELOAD=%s/libthrum.so" % self.inside, "THRUM_OPTIONS=dir=%s/%s" % (self.inside, trace)] + argv
        done = subprocess.run(["unshare", "-m", "sh", "-c", ENTER, self.root, self.inside] + argv, env=env, timeout=120,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
        return done.returncode, done.stdout, done.stderr

    def build(self, source, name):
        status, _, said = self.run(["gcc", "-std=gnu17", "-D_GNU_SOURCE", "-g", "-O1", "-I", "include", source, "-o", name,
                                    "-pthread", "-ldl"])
        if status:
            sys.exit("%s cannot be built there: %s" % (source, said.decode(errors="replace")[:1000]))

    def recorded(self, name):
        """Both outcomes are the same; returns the trace."""
        native, under = self.run(["./" + name]), self.run(["./" + name], "trace-" + name)
        for what, a, b in zip(("status", "stdout", "stderr"), native, under):
            if a != b:
                sys.exit("%s: %s differs\n  native:   %r\n  recorded: %r" % (name, what, a, b))
        return os.path.join(self.folder, "trace-" + name)


def check(name, trace, rule):
    done = subprocess.run([THRUM, "check", trace], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode != (66 if rule else 0) or (rule and "[%s]" % rule not in done.stdout):
        sys.exit("%s: check gave %d: %s%s" % (name, done.returncode, done.stdout, done.stderr))


def main():
    place = os.environ.get("THRUM_OLD_ROOT")
    if not place or os.geteuid() != 0:
        print("skipped: THRUM_OLD_ROOT names no system, or chroot is not allowed")
        return 77
    root = Root(os.path.abspath(place))
    try:
        for name in SAME:
            root.build("hostile/%s.c" % name, name)
            root.recorded(name)
        for name, rule in FOUND + [(name, None) for name in CLEAN]:
            root.build("samples/c/%s.c" % name, name)
            check(name, root.recorded(name), rule)
        version = root.run(["ldd", "--version"])[1].decode().split("\n", 1)[0]
        print("%d programs the same, %d traces right: %s" % (len(SAME), len(FOUND) + len(CLEAN), version))
    finally:
        shutil.rmtree(root.folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
