# SPDX-License-Identifier: MIT
"""A trace of bounded mode holds every lock-order edge that one of full mode holds, stays small, and says what it lacks."""
import json
import os
import shutil
import signal
import subprocess
import tempfile
import unittest

THRUM, EDGES, LOCKER = (os.environ[name] for name in ("THRUM", "EDGES", "LOCKER"))
COUNTS = "--rules=-lock-contention,-hold-time,-lock-held-across-blocking-call"  # of all events, or a matter of how busy the machine is
# Whoever waits at this moment, on a machine that has better things to do, may wait long: a hint that is no fault here.
NOW = COUNTS + ",-stuck-wait,-leaked-thread"
LITTLE = "flight=8"  # the flight recorder of a thread holds a handful of records: all else are facts


def steady(edges):
    """Without semaphores: one counts as a lock until a take is seen before the post that allowed it. Semaphores have no
    sequence numbers, so on a busy machine the clocks of two processors can show that in one run of two."""
    return {edge for edge in edges if "semaphore" not in edge}


class Facts(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="thrum-bounded-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def run_tool(self, *argv, status=0, options=""):
        p = subprocess.run([str(a) for a in argv], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=240,
                           check=False, env=dict(os.environ, THRUM_OPTIONS=options))
        self.assertEqual(p.returncode, status, p.stdout + p.stderr)
        return p.stdout

    def trace(self, name):
        return os.path.join(self.folder, name)

    def record(self, mode, what, count, *more, options=""):
        """The trace of `locker WHAT COUNT`."""
        trace = self.trace(mode)
        self.run_tool(THRUM, "record", "-q", "--mode", mode, "--max-size", "64M" if mode == "bounded" else "0", *more,
                      "-o", trace, "--", LOCKER, what, count, options=options)
        return trace

    def findings(self, trace, *options):
        return self.run_tool(THRUM, "check", "--quiet", "--fail-on=note", COUNTS, *options, trace)

    def processes(self, trace):
        return json.loads(self.run_tool(THRUM, "info", "--format", "json", trace))["processes"]

    def edges(self, trace):
        return set(self.run_tool(EDGES, trace, 8).splitlines())

    def same_edges(self, what, count, least):
        full, bounded = self.record("full", what, count), self.record("bounded", what, count, options=LITTLE)
        want, got = self.edges(full), self.edges(bounded)
        self.assertGreaterEqual(len(want), least)
        missing, made_up = steady(want - got), steady(got - want)
        self.assertEqual(sorted(missing)[:3], [], f"{len(missing)} of {len(want)} missing")
        self.assertEqual(sorted(made_up)[:3], [], f"{len(made_up)} made up")
        self.assertEqual(self.findings(full), "")
        self.assertEqual(self.findings(bounded), "")
        self.assertEqual([p for p in self.processes(bounded) if not p["complete"] or p.get("lost_facts")], [])
        return full, bounded

    def test_all_kinds_of_locks_nested_at_random(self):
        self.same_edges("orders", 4000, 20000)

    def test_locks_held_while_the_thread_did_all_else(self):
        full, bounded = self.same_edges("long", 300000, 10)
        self.assertLess(size(bounded) * 4, size(full))

    def test_children_each_with_facts_of_its_own(self):
        self.same_edges("fork", 1000, 5000)

    def test_connections_that_come_and_go(self):
        self.same_edges("come-go", 200, 10)

    def test_a_day_of_connections_takes_no_more_than_the_first_ones(self):
        first = size(self.record("bounded", "come-go", 60))
        trace = self.record("bounded", "come-go", 1500)
        self.assertLess(size(trace), first + (512 << 10))
        process = self.processes(trace)[0]
        self.assertLess(process["threads"], 1000)  # of 24,000
        self.assertEqual(self.findings(trace), "")

    def test_a_place_that_fills_its_share_leaves_room_for_others_and_says_so(self):
        trace = self.record("bounded", "many", 1000000)
        process = self.processes(trace)[0]
        self.assertGreater(process["lost_facts"], 1000)
        self.assertFalse(process["complete"])
        self.assertIn("new facts did not fit", self.run_tool(THRUM, "info", trace))
        self.assertIn("new facts did not fit", self.run_tool(THRUM, "check", trace))
        table = {e.split(" -> ")[0] for e in self.edges(trace) if e.startswith("edge ")}
        self.assertEqual(self.findings(trace), "")
        late = [e for e in self.edges(trace) if e.startswith("context ") and e.count("|") == 3]
        sites = {(e.split("|")[1].split()[0], e.split("|")[2].split()[0]) for e in late}
        self.assertEqual(len(sites), 2, f"{len(table)} locks held, at {sites}")

    def test_the_limit_holds_and_what_did_not_fit_is_said(self):
        trace = self.record("bounded", "many", 400000, "--max-size", "3M")
        self.assertLessEqual(size(trace), 3 << 20)
        self.assertGreater(self.processes(trace)[0]["lost_facts"], 1000)
        self.assertEqual(self.findings(trace), "")

    def test_the_limit_holds_for_locks_and_threads_that_live_at_a_time(self):
        trace = self.record("bounded", "live", 100000, "--max-size", "3M")
        self.assertLessEqual(size(trace), 3 << 20)
        process = self.processes(trace)[0]
        self.assertGreater(process["lost"]["definitions"], 1000)
        self.assertGreater(process["lost"]["events"], 0)  # of threads that found no room
        self.assertFalse(process["complete"])
        self.assertEqual(self.findings(trace), "")

    def test_check_of_a_running_and_of_a_killed_process(self):
        trace = self.trace("bounded")
        with subprocess.Popen([THRUM, "record", "-q", "--mode", "bounded", "-o", trace, "--", LOCKER, "for-ever", "0"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as launcher:
            try:
                self.assertEqual(launcher.stdout.readline(), "ready\n")
                for _ in range(15):
                    self.assertEqual(self.findings(trace, NOW), "")
                victim = self.processes(trace)[0]["pid"]
            finally:
                os.kill(self.processes(trace)[0]["pid"], signal.SIGKILL)
                launcher.communicate()
        self.assertEqual(self.findings(trace, NOW), "")
        self.assertEqual(self.processes(trace)[0]["pid"], victim)
        self.assertTrue(self.edges(trace))


def size(trace):
    """Bytes of the files of its processes, as a directory lists them."""
    return sum(os.path.getsize(os.path.join(trace, f)) for f in os.listdir(trace) if f.endswith((".map", ".events")))


if __name__ == "__main__":
    unittest.main()
