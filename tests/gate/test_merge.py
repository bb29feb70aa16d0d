# SPDX-License-Identifier: MIT
"""merge: check of parts, then merge, is check of all, whatever the order and however the parts are grouped.

A property over traces of many samples: the reports must be equal byte for byte.
"""
import itertools
import json
import os
import random
import unittest

from bank import BankCase
from thrum_cli import main

SAMPLES = os.environ["THRUM_SAMPLES"]
# Programs that end by themselves: every rule family, with and without findings, one process and many.
NAMES = ("s01_abba", "s03_three_locks", "s04_ring_of_25", "s05_gate", "s18b_recursive_still_held", "s19_errorcheck_relock",
         "s32b_signal_without_waiter", "s41_unlocked_by_another", "s48_pool_of_processes",
         "s51_cancelled_holding", "s52_returns_holding", "s53b_handler_locks", "s64_never_joined", "s66_double_join",
         "s77_two_cycles_one_edge", "destroyed_twice", "mutex_abba", "shared_mutex_abba", "held_across_sleep", "hold_time",
         "flock_abba", "s44_owner_process_dies", "s64d_killed", "leaked_std_thread")
SEED = 4
ROUNDS = 12


class Merge(BankCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.names = [name for name in NAMES if os.path.exists(os.path.join(SAMPLES, name))]
        if len(cls.names) < 15:
            raise unittest.SkipTest("the samples are not built")

    def record_all(self, names):
        for i, name in enumerate(names):
            self.thrum("record", "-q", "-o", f"t{i}", "--", os.path.join(SAMPLES, name))
            self.thrum("check", "-q", "--report", f"json=r{i}.json", f"t{i}")
        return [f"t{i}" for i in range(len(names))], [f"r{i}.json" for i in range(len(names))]

    def check_of(self, traces):
        self.thrum("check", "-q", "--report", "json=all.json", *traces)
        return self.read("all.json")

    def merge_of(self, parts, out="m.json"):
        self.assert_status(self.thrum("merge", "-o", out, *parts), 0)
        return self.read(out)

    def test_parts_merged_are_the_whole(self):
        chance = random.Random(SEED)
        names = self.names + ["s01_abba", "s03_three_locks", "s64_never_joined"]  # the same finding from several runs
        traces, reports = self.record_all(names)
        whole = self.check_of(traces)
        found = self.load("all.json")["findings"]
        self.assertGreater(len({f["rule"] for f in found}), 8)
        self.assertTrue(any(f["count"] > 1 for f in found))
        watched = self.load("all.json")["trace"]["coverage"]["watched"]
        self.assertGreater(watched["processes"] + watched["unwatched_processes"], 5)
        numbers = list(range(len(names)))
        self.assertEqual(self.merge_of(reports), whole)
        self.assertEqual(self.merge_of(traces), whole)
        for turn in range(ROUNDS):
            with self.subTest(turn=turn):
                chance.shuffle(numbers)
                # Traces or reports at random, in groups of any size, merged in any order, some twice over.
                parts = [chance.choice((traces, reports))[n] for n in numbers]
                groups, rest = [], parts
                while rest:
                    size = chance.randint(1, len(rest))
                    groups.append(rest[:size])
                    rest = rest[size:]
                files = []
                for i, group in enumerate(groups):
                    self.merge_of(group, f"g{turn}-{i}.json")
                    files.append(f"g{turn}-{i}.json")
                chance.shuffle(files)
                self.assertEqual(self.merge_of(files), whole)
        for turn in range(3):
            chance.shuffle(traces)
            self.assertEqual(self.check_of(traces), whole)

    def test_all_permutations_of_equal_findings(self):
        """The hardest ones: four runs of one program, which differ only in times and addresses."""
        traces, reports = self.record_all(["s01_abba"] * 4)
        whole = self.check_of(traces)
        self.assertEqual({f["count"] for f in self.load("all.json")["findings"]}, {4})
        for order in itertools.permutations(reports):
            self.assertEqual(self.merge_of(order), whole)
        for a, b, c, d in itertools.permutations(reports):
            self.merge_of((a, b), "left.json")
            self.merge_of((c, d), "right.json")
            self.assertEqual(self.merge_of(("left.json", "right.json")), whole)

    def test_merged_reports_gate_as_the_parts_do(self):
        traces, reports = self.record_all(["s05_gate", "s01_abba", "s64_never_joined"])
        self.merge_of(reports)
        for level, status in (("error", 66), ("warning", 66), ("never", 0)):
            self.assert_status(self.thrum("check", f"--fail-on={level}", "m.json"), status)
            self.assert_status(self.thrum("check", f"--fail-on={level}", *traces), status)
        self.assert_status(self.thrum("check", "r0.json"), 0)
        text = self.thrum("check", "m.json").stdout
        self.assertEqual(text, self.thrum("check", *traces).stdout)

    def test_runs_that_could_not_be_recorded_stay_known(self):
        static = os.path.join(os.environ["THRUM_TARGETS"], "static")
        self.thrum("run", "-q", "--report", "json=no.json", "--", static, "0")
        self.record_all(["s05_gate", "s01_abba"])
        self.assert_status(self.thrum("check", "no.json"), 69)
        one = self.merge_of(("r0.json", "no.json"), "x.json")
        self.assertEqual(one, self.merge_of(("no.json", "r0.json")))
        self.assertIn("untraced", self.load("x.json")["trace"])
        self.assertFalse(self.load("x.json")["trace"]["complete"])
        whole = self.merge_of(("r1.json", "no.json", "r0.json"))
        self.assertEqual(self.merge_of(("x.json", "r1.json")), whole)
        self.assertIn("static", self.load("m.json")["trace"]["incomplete_why"])

    def test_a_fleet(self):
        """A thousand reports are one."""
        self.record_all(["s01_abba"])
        for i in range(1000):
            os.link(self.path("r0.json"), self.path(f"n{i}.json"))
        self.merge_of([f"n{i}.json" for i in range(1000)])
        self.assertEqual([f["count"] for f in self.load("m.json")["findings"]], [1000])
        self.assertEqual(len(self.load("m.json")["trace"]["processes"]), 1000)

    def test_what_is_wrong_is_said(self):
        self.record_all(["s01_abba"])
        self.assert_status(self.thrum("merge", "r0.json"), 64)
        self.assert_status(self.thrum("merge", "-o", "absent/x", "r0.json"), 64)
        for text in ("{", "{}", '{"schema": "thrum-findings/2"}', '{"schema": "thrum-findings/1", "findings": [{}]}',
                     '{"schema": "thrum-findings/1"}', '{"schema": "thrum-findings/1", "findings": {}}',
                     '{"schema": "thrum-findings/1", "findings": [{"rule": "of-a-later-version"}]}'):
            self.write("bad.json", text)
            result = self.thrum("merge", "-o", "m.json", "r0.json", "bad.json")
            self.assert_status(result, 65)
            self.assertIn("bad.json", result.stderr)
            self.assertFalse(os.path.exists(self.path("m.json")))
            # What is damaged is not a clean run.
            self.assert_status(self.thrum("check", "bad.json"), 65)
        self.assertIn("of-a-later-version", result.stderr)

    def test_people_are_told_that_there_were_several(self):
        _, reports = self.record_all(["s01_abba", "s64_never_joined"])
        self.merge_of(reports)
        self.thrum("check", "-q", "--report", "html=m.html", "--report", "junit=m.xml", "m.json")
        self.assertIn("Of 2 traces", self.read("m.html"))
        self.assertIn('<testsuite name="2 traces"', self.read("m.xml"))
        self.write("b.json", self.thrum("baseline", "m.json").stdout)
        for args in (("diff", "m.json", "b.json"), ("check", "b.json")):
            result = self.thrum(*args)
            self.assert_status(result, 65)
            self.assertIn("b.json is a baseline, not a report", result.stderr)

    def test_processes_alike_but_for_what_was_lost(self):
        """Process 1 of every container: the same pid, command and number of events."""
        self.record_all(["s05_gate"])
        report = self.load("r0.json")
        for i in range(4):
            process = report["trace"]["processes"][0]
            process.update({"lost": i % 2, "threads": 2 + i // 2, "argv": [process["command"], str(i)]})
            self.write(f"n{i}.json", json.dumps(report))
        texts = {self.merge_of([f"n{i}.json" for i in order]) for order in itertools.permutations(range(4))}
        self.assertEqual(len(texts), 1)

    def test_the_programs_arguments_are_in_the_report(self):
        program = os.path.join(SAMPLES, "s05_gate")
        self.thrum("run", "-q", "--report", "json=r.json", "--", program, "two words", "")
        process, = self.load("r.json")["trace"]["processes"]
        self.assertEqual(process["argv"], [program, "two words", ""])
        self.thrum("run", "-q", "--report", "json=r.json", "--", program, "long" * 100, "more")
        process, = self.load("r.json")["trace"]["processes"]
        self.assertEqual(process["argv"], [program, "long" * 100, "more"])
        self.thrum("run", "-q", "--report", "json=r.json", "--redact=args", "--", program, "secret")
        process, = self.load("r.json")["trace"]["processes"]
        self.assertEqual(process["argv"], [program])
        self.thrum("run", "-q", "--report", "json=r.json", "--", "/bin/sh", "-c", f"exec {program} x")
        self.assertEqual([p.get("argv") for p in self.load("r.json")["trace"]["processes"] if "s05" in p["command"]],
                         [["/bin/sh", "-c", f"exec {program} x"], None])


if __name__ == "__main__":
    main()
