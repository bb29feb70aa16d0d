# SPDX-License-Identifier: MIT
"""`--from=std`: findings, statuses and messages for traces in the STD text form."""
import json

from thrum_cli import Case, main

START = "T0|w(x)|Main.java:1\nT0|fork(T1)|Main.java:2\nT0|fork(T2)|Main.java:3\n"


def pair(thread, first, second):
    return (f"{thread}|acq({first})|{thread}.java:1\n{thread}|acq({second})|{thread}.java:2\n"
            f"{thread}|rel({second})|{thread}.java:3\n{thread}|rel({first})|{thread}.java:4\n")


class Std(Case):
    def check(self, text, *args, status=66):
        with open(self.path("run.std"), "w", encoding="utf-8") as file:
            file.write(text)
        result = self.thrum("check", "--from=std", *args, self.path("run.std"))
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        return result

    def findings(self, text, status=66):
        return json.loads(self.check(text, "--format=json", status=status).stdout)["findings"]

    def test_a_proven_deadlock_has_its_witness(self):
        finding, = self.findings(START + pair("T1", "A", "B") + pair("T2", "B", "A"))
        self.assertEqual((finding["rule"], finding["confidence"]), ("lock-order-inversion", "proven"))
        self.assertEqual({lock["name"] for lock in finding["locks"]}, {"A", "B"})
        self.assertIn("(1) T0 does", finding["message"])
        self.assertIn("T1 waits for lock B at T1.java:2", finding["message"])

    def test_what_was_read_leaves_it_potential(self):
        text = START + pair("T1", "A", "B") + "T1|w(y)|5\nT2|acq(M)|5\nT2|rel(M)|5\n"
        lock = "T1|acq(M)|6\nT1|rel(M)|6\nT2|acq(M)|6\nT2|r(y)|6\nT2|rel(M)|6\n"
        finding, = self.findings(text + lock + pair("T2", "B", "A"))
        self.assertEqual((finding["rule"], finding["confidence"]), ("lock-order-inversion", "potential"))

    def test_a_trace_that_ends_in_a_deadlock(self):
        text = START + "T1|acq(A)|1\nT2|acq(B)|2\nT1|req(B)|3\nT2|req(A)|4\n"
        finding, = self.findings(text)
        self.assertEqual((finding["rule"], finding["confidence"]), ("deadlock", "observed"))

    def test_races_are_those_that_can_come_next_to_each_other(self):
        finding, = self.findings(START + "T1|w(z)|5\nT2|r(z)|6\n")
        self.assertEqual((finding["rule"], finding["confidence"]), ("data-race", "observed"))
        self.check(START + "T1|w(z)|5\nT2|r(z)|6\n", "--rules=-data-race", status=0)

    def test_clean_traces_are_silent(self):
        self.check(START + pair("T1", "A", "B") + pair("T2", "A", "B"), status=0)
        ordered = "T0|w(x)|1\n" + pair("T0", "A", "B") + "T0|fork(T1)|2\n" + pair("T1", "B", "A")
        result = self.check(ordered, "--verbose", status=0)
        self.assertIn("ordered by thread creation or join", result.stdout)

    def test_standard_input(self):
        result = self.thrum("check", "--from=std", "-", stdin=START + pair("T1", "A", "B") + pair("T2", "B", "A"))
        self.assertEqual(result.returncode, 66, result.stderr)

    def test_errors_name_file_and_line(self):
        result = self.check("T0|w(x)|1\nT0|put(x)|2\n", status=65)
        self.assertIn("run.std: line 2: unknown operation", result.stderr)
        self.assertEqual(self.thrum("check", "--from=std", self.path("none")).returncode, 65)
        self.assertEqual(self.thrum("check", "--from=csv", "x").returncode, 64)


main()
