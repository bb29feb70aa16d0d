# SPDX-License-Identifier: MIT
"""Tests of ctest that show a scenario: the table, and how one of them is run again and again. Prints nothing."""

import json
import os
import re
import subprocess

SKIPPED = 77


class Named:
    """A row: `what` in `source` looks is `function`; where that is a test of Python's unittest, only that one is run."""

    def __init__(self, ident, what, ctest, source, function, expected):
        self.ids, self.what, self.ctest = [ident], what, ctest
        self.source, self.function, self.expected = source, function, expected
        self.name = "%s:%s" % (ctest, function) if self.is_one_of_many() else ctest

    def is_one_of_many(self):
        return self.function.startswith("test_") and self.source.endswith(".py")

    def shown_by(self):
        return "`tests/%s`: `%s`" % (self.source, self.function)

    def complaints(self, root):
        """What is wrong with the row itself."""
        path = os.path.join(root, "tests", self.source)
        text = open(path, encoding="utf-8").read() if os.path.exists(path) else ""
        if re.search(r"\b%s\s*\(" % re.escape(self.function), text):
            return []
        return ["%s: no test %s in tests/%s" % (self.ids[0], self.function, self.source)]


TESTS = [
    Named("S48", "a setuid program that a recorded program starts: not recorded, and said", "cli.services",
     "cli/test_services.py", "test_child_that_is_setuid_is_said", "in `info`, with the reason; the host unaffected"),
    Named("S70", "unlock on one CPU, lock on another, clocks skewed", "unit.test_trace_order", "unit/test_trace_order.c",
     "test_hand_over_survives_clock_skew", "never held by two"),
    Named("S87", "the disk of the trace is read-only", "cli.services", "cli/test_services.py", "test_read_only_disk",
     "host unaffected; the launcher refuses with status 70"),
    Named("S87", "the disk of the trace gets full while the program runs", "cli.services", "cli/test_services.py",
     "test_disk_that_gets_full", "host unaffected; the report says what was lost and why"),
    Named("S87", "the disk of the trace is too small, or fills up; the directory is a file, is missing, cannot be made",
     "hostile.bad_places", "hostile/bad_places.py", "check_mounts",
     "output and status of the host unchanged; the loss is said"),
    Named("I1", "what the recorder takes from libc: nothing that allocates, locks or looks symbols up", "arch.shim",
     "arch/check_shim.py", "check_imports", "only names of `preload/imports.allow`"),
    Named("I2", "no symbol that the recorder takes from outside is newer than glibc 2.31", "arch.shim",
     "arch/check_shim.py", "version_key", "loads on every glibc since 2.31"),
    Named("I2", "programs built on and run with an older glibc (where THRUM_OLD_ROOT names such a system)",
     "hostile.old_glibc", "hostile/old_glibc.py", "main", "same output; the inversion is found"),
    Named("I3", "every function of every family, C11's too, gives its record when it is called", "derived.engage",
     "derived/engage.c", "main", "one record for each row of `spec/primitives/`"),
    Named("I4", "waits cancelled: the mutex is held again in the clean-up handlers", "hostile.cancel_waits",
     "hostile/cancel_waits.c", "main", "as without the recorder"),
    Named("I8", "stacks are walked while another thread holds the loader's locks and the allocator's", "hostile.loader_locks_held",
     "hostile/loader_locks_held.c", "main", "as without the recorder, no hang"),
    Named("I8", "the recorder's walk against libunwind's, frame by frame", "preload.unwind_O2", "preload/test_unwind.c", "main",
     "the same frames"),
    Named("I9", "forks while four threads lock; children lock, create threads and free", "hostile.fork_locks",
     "hostile/fork_locks.c", "main", "as without the recorder"),
    Named("I9", "many processes that fork in every kind of trouble, beside a preload that counts their calls",
     "hostile.swarm_plain", "hostile/swarm.py", "check_counts", "each image has just the records of its own calls"),
    Named("I10", "four threads make vfork children that lock, vfork again, exec, fail to exec", "hostile.vfork_children",
     "hostile/vfork_children.c", "main", "as without the recorder"),
    Named("I11", "two timers and a pair of threads throw signals at threads that are in hooks", "hostile.signal_storm",
     "hostile/signal_storm.c", "main", "as without the recorder"),
    Named("I11", "handlers post, longjmp out of waits, and fork inside of hooks", "hostile.fork_in_handler",
     "hostile/fork_in_handler.c", "main", "as without the recorder"),
    Named("I12", "thread_local, key and static destructors lock", "hostile.late_destructors", "hostile/late_destructors.cc",
     "main", "as without the recorder"),
    Named("I13", "results, errno, cancellation state and type, and which calls are cancellation points", "hostile.same_results",
     "hostile/same_results.c", "main", "as without the recorder"),
    Named("I13", "blocking calls that signals interrupt, that fail, that handlers leave by longjmp", "hostile.blocked_calls",
     "hostile/blocked_calls.c", "main", "as without the recorder"),
    Named("I14", "seccomp filters that know nothing of a recorder", "hostile.confined", "hostile/confined.c", "main",
     "as without the recorder"),
    Named("I14", "closes every descriptor, and opens its own in their place", "hostile.lost_descriptors",
     "hostile/lost_descriptors.c", "main", "as without the recorder"),
    Named("I14", "RLIMIT_FSIZE of 600 KiB", "hostile.small_file_limit", "hostile/small_file_limit.c", "main",
     "as without the recorder, no SIGXFSZ"),
    Named("I15", "a static program", "cli.run", "cli/test_run.py", "test_static_program", "a line that says why, status 69"),
    Named("I15", "a setuid program", "cli.run", "cli/test_run.py", "test_setuid_program", "a line that says why, status 69"),
    Named("I15", "a program of another machine", "cli.run", "cli/test_run.py", "test_program_of_another_machine",
     "a line that says why, status 69"),
]


def registered(build):
    """Name -> (command, properties) of each test that ctest knows in a build directory."""
    o = subprocess.run(["ctest", "--test-dir", build, "--show-only=json-v1"], capture_output=True, check=True)
    tests = {}
    for t in json.loads(o.stdout.decode())["tests"]:
        tests[t["name"]] = (t.get("command"), {p["name"]: p["value"] for p in t.get("properties", [])})
    return tests


def run(test, tests):
    """Runs it once as ctest would; returns complaints."""
    command, properties = tests.get(test.ctest, (None, {}))
    if not command:
        return ["ctest knows no test %s, or it is not built" % test.ctest]
    command = command + (["-k", test.function] if test.is_one_of_many() else [])
    variables = dict(v.split("=", 1) for v in properties.get("ENVIRONMENT", []))
    try:
        o = subprocess.run(command, env=dict(os.environ, **variables), cwd=properties.get("WORKING_DIRECTORY"),
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                           timeout=properties.get("TIMEOUT", 300))
    except subprocess.TimeoutExpired:
        return ["did not end within %g s" % properties.get("TIMEOUT", 300)]
    said = o.stdout.decode(errors="replace")
    if o.returncode == SKIPPED or (test.is_one_of_many() and re.search(r"skipped=|Ran 0 tests", said)):
        return ["was skipped: %s" % said.strip()[-200:]]
    return [] if o.returncode == 0 else ["status %d: %s" % (o.returncode, said.strip()[-600:])]
