# SPDX-License-Identifier: MIT
"""--timeout: a program that does not end is sampled, ended, and explained."""
import json
import os
import signal

from thrum_cli import Case, main, target, task_state


class Timeout(Case):
    def test_deadlock_is_explained(self):
        result = self.thrum("run", "--timeout=1", "--format=json", "--", target("abba"), "hang")
        self.assert_status(result, 66)
        report = json.loads(result.stdout.removeprefix("ready\n"))
        self.assertEqual(report["verdict"], "findings")
        self.assertEqual(report["program_status"], 128 + signal.SIGKILL)
        gated = [f for f in report["findings"] if f["gated"]]
        self.assertEqual([(f["rule"], f["confidence"]) for f in gated], [("deadlock", "observed")])
        self.assertIs(self.load("thrum.data", "run.json")["timeout"], True)
        self.assert_status(self.thrum("check"), 66)

    def test_threads_are_sampled(self):
        self.thrum("run", "--timeout=0.5", "--", target("abba"), "hang")
        run = self.load("thrum.data", "run.json")
        sample = self.load("thrum.data", f"{run['pid']}.sample.json")
        self.assertEqual(sample["schema"], "thrum-sample/1")
        self.assertEqual(len(sample["threads"]), 3)
        for thread in sample["threads"]:
            self.assertEqual(thread["comm"], "abba")
            self.assertIn("State:\tS", thread["status"])

    def test_nothing_explains(self):
        for verb in ("run", "record"):
            result = self.thrum(verb, "--timeout=0.5", "--", "sleep", "1000")
            self.assert_status(result, 124)
            self.assertIn("0.5", result.stderr)

    def test_verdict_of_a_timeout(self):
        result = self.thrum("run", "--timeout=0.5", "--format=json", "--", "sleep", "1000")
        self.assertEqual(json.loads(result.stdout)["verdict"], "timeout")

    def test_program_that_ends_in_time(self):
        result = self.thrum("run", "--timeout=100", "--", target("threads"), "3")
        self.assert_status(result, 3)
        self.assertNotIn("was ended", result.stderr)

    def test_stopped_program_is_ended(self):
        self.assert_status(self.thrum("run", "--timeout=0.5", "--", "sh", "-c", "kill -STOP $$"), 124)

    def test_recorded_children_are_ended_too(self):
        script = "sleep 1000 & echo $!; setsid sleep 1000 & echo $!; wait"
        process = self.start("run", "--timeout=1", "--", "sh", "-c", script, start_new_session=True)
        here = int(self.expect_line(process, r"(\d+)").group(1))
        elsewhere = int(self.expect_line(process, r"(\d+)").group(1))
        try:
            process.wait()
            self.assertEqual(process.returncode, 124)
            self.assertIn(task_state(here), "XZ")
            self.assertNotIn(task_state(elsewhere), "XZ")
            self.assertTrue(os.path.exists(self.path("thrum.data", f"{here}.sample.json")))
        finally:
            os.kill(elsewhere, signal.SIGKILL)


main()
