# SPDX-License-Identifier: MIT
"""thrum confirm: potential deadlocks are made to happen, those that cannot happen never do.

The programs are in confirm/; the second line of each says FEASIBLE or INFEASIBLE.
"""
import json
import os
import sys

from confirm_list import command, programs
from thrum_cli import SOURCE, TARGETS, Case, main, target

TRIES = 10


class Confirm(Case):
    def find(self, name):
        """Records the program, which must come to its end, and returns the fingerprint of its inversion."""
        result = self.thrum("run", "--races=off", "--fail-on=never", "--report=json=before.json", "--",
                            *command(name, TARGETS))
        self.assert_status(result, 0)
        found = [f for f in self.load("before.json")["findings"] if f["rule"] == "lock-order-inversion"]
        self.assertTrue(found, f"{name}: {result.stderr}")
        self.assertEqual({f["confidence"] for f in found}, {"potential"}, name)
        self.assertFalse(any(f["confirmed"] for f in found))
        return found[0]["fingerprint"]

    def confirm(self, name, fingerprint, *options):
        return self.thrum("confirm", *options, "--report=json=after.json", fingerprint, "--",
                          *command(name, TARGETS))

    def test_potential_deadlocks_are_made_to_happen(self):
        names, missed = [name for name, feasible in programs(TARGETS) if feasible], []
        self.assertGreaterEqual(len(names), 12)
        for name in names:
            fingerprint = self.find(name)
            result = self.confirm(name, fingerprint, f"--tries={TRIES}")
            if result.returncode == 0:
                self.assertIn(f"{fingerprint} was not reached in {TRIES} tries", result.stderr)
                missed.append(name)
                continue
            self.assert_status(result, 66)
            self.assertIn(f"{fingerprint} is confirmed: it happened in try ", result.stderr)
            found = [f for f in self.load("after.json")["findings"] if f["confirmed"]]
            self.assertEqual([(f["rule"], f["confidence"]) for f in found], [("deadlock", "observed")], name)
            self.assertIn(fingerprint, found[0]["message"])
            roles = [s["role"] for s in found[0]["stacks"] if s["frames"]]
            self.assertGreaterEqual(roles.count("waits"), 2, name)
        self.assertLessEqual(len(missed), 1, missed)

    def test_what_cannot_happen_never_does(self):
        names = [name for name, feasible in programs(TARGETS) if not feasible]
        self.assertGreaterEqual(len(names), 2)
        for name in names:
            fingerprint = self.find(name)
            result = self.confirm(name, fingerprint, "--tries=3")
            self.assert_status(result, 0)
            self.assertIn(f"{fingerprint} was not reached in 3 tries", result.stderr)
            self.assertIn("place 1 of 2", result.stderr)
            self.assertIn("at most 1 of 2 places were taken at the same time", result.stderr)
            self.assertEqual(result.stdout, "over\n" * 3)
            self.assertFalse(any(f["confirmed"] for f in self.load("after.json")["findings"]))

    def test_a_finding_is_named_by_its_beginning_and_may_be_in_a_report(self):
        fingerprint = self.find("two_mutexes")
        with open(self.path("before.json"), encoding="utf-8") as file:
            text = file.read()
        with open(self.path("kept.json"), "w", encoding="utf-8") as file:
            file.write(text.replace('"potential"', '"proven"'))  # as of a trace with memory accesses
        result = self.confirm("two_mutexes", fingerprint[:8], "-i", "kept.json", "-o", "again")
        self.assert_status(result, 66)
        self.assertTrue(os.path.isdir(self.path("again")))
        self.assertFalse(os.path.exists(self.path("thrum.confirm")))

    def test_what_is_wrong_is_said(self):
        fingerprint = self.find("two_mutexes")
        for words, said in (
            ((fingerprint,), "confirm needs a finding and a program"),
            (("0123456789", "--", "true"), "has no finding 0123456789"),
            (("-i", "gone", fingerprint, "--", "true"), "gone"),
        ):
            result = self.thrum("confirm", *words)
            self.assertIn(result.returncode, (64, 65), result.stderr)
            self.assertIn(said, result.stderr)
        self.assert_status(self.thrum("confirm", fingerprint, "--", "no-such-program"), 127)

    def test_tasks_are_not_steered_and_it_says_why(self):
        result = self.thrum("run", "--races=off", "--fail-on=never", "--report=json=before.json", "--", sys.executable,
                            os.path.join(SOURCE, "samples/python/py_async_lock_order_inversion.py"))
        self.assert_status(result, 0)
        found = [f for f in self.load("before.json")["findings"] if f["rule"] == "lock-order-inversion"]
        result = self.thrum("confirm", found[0]["fingerprint"], "--", "true")
        self.assert_status(result, 64)
        self.assertIn("is about tasks of one thread", result.stderr)

    def test_another_program_is_not_reached(self):
        fingerprint = self.find("two_mutexes")
        result = self.confirm("three_mutexes", fingerprint, "--tries=1")
        self.assert_status(result, 0)
        self.assertIn("0 threads came with the outer lock", result.stderr)
        self.assertEqual(result.stdout, "over\n")

    def test_the_report_of_the_last_try_is_machine_readable(self):
        fingerprint = self.find("never_gate")
        result = self.thrum("confirm", "--tries=1", "--format=json", fingerprint, "--", "sh", "-c",
                            target("confirm/never_gate") + " >&2")
        self.assert_status(result, 0)
        self.assertEqual(json.loads(result.stdout)["schema"], "thrum-findings/1")


main()
