# SPDX-License-Identifier: MIT
"""One finding, one fingerprint: after another run, at other addresses, rebuilt in other ways, elsewhere, with other thread
numbers. Real programs, built and run; the rules of what is left out have their unit tests.

A frame that a tail call replaced is in no stack: where a level makes such calls, they are switched off.
"""
import os
import shutil
import subprocess
import unittest

from bank import PROGRAM, BankCase
from thrum_cli import SOURCE, main


NO_TAIL_CALLS = "-fno-optimize-sibling-calls"


def read_program():
    with open(PROGRAM, encoding="utf-8") as file:
        return file.read()


class Fingerprints(BankCase):
    def setUp(self):
        super().setUp()
        self.program = self.build("plain")
        self.plain = self.findings_of(self.program)
        self.assertEqual(len(self.plain), 1)

    def same(self, *flags, **more):
        self.assertEqual(self.findings_of(self.build("other", *flags, **more)), self.plain, flags)

    def test_another_run(self):
        for _ in range(5):
            self.assertEqual(self.findings_of(self.program), self.plain)

    @unittest.skipUnless(shutil.which("setarch"), "no setarch")
    def test_addresses(self):
        if subprocess.run(["setarch", "-R", "true"], check=False, capture_output=True).returncode:
            self.skipTest("setarch -R is not allowed here")
        self.assertEqual(self.findings_of(self.program, prefix=("setarch", "-R")), self.plain)
        self.same("-no-pie", "-fno-pie")
        self.same("-fPIE", "-pie")

    def test_line_numbers_and_unrelated_code(self):
        self.same("-DUNRELATED")
        text = "\n" * 100 + read_program() + "\nint later(void)\n{\n\treturn 1;\n}\n"
        self.same(source=self.write("bank.c", text))

    def test_another_folder(self):
        copy = self.write("some where/else/bank.c", read_program())
        self.same(source=copy)
        os.makedirs(self.path("moved/deep"))
        moved = shutil.copy(self.program, self.path("moved/deep/bank"))
        self.assertEqual(self.findings_of(moved), self.plain)

    def test_thread_numbers_and_order(self):
        self.same("-DSWAPPED")
        self.same("-DIDLE")
        self.same("-DIDLE", "-DSWAPPED", "-DUNRELATED")

    def test_optimisation_levels(self):
        for level in ("-O1", "-O2", "-O3", "-Os"):
            self.same(level, NO_TAIL_CALLS)
        for level in ("-O1", "-O2", "-O3"):
            self.same(level)
        self.same("-O2", "-DUNRELATED", "-DSWAPPED")
        self.same("-O2", "-fno-omit-frame-pointer", "-fno-plt")

    @unittest.skipUnless(shutil.which("clang"), "no clang")
    def test_another_compiler(self):
        for level in ("-O0", "-O2"):
            path = self.path("bin/clang", "bank")
            os.makedirs(os.path.dirname(path), exist_ok=True)
            subprocess.run(["clang", "-g", level, "-o", path, PROGRAM, "-pthread"], check=True, timeout=60)
            self.assertEqual(self.findings_of(path), self.plain, level)

    @unittest.skipUnless(shutil.which("clang++") and shutil.which("g++"), "no clang or no C++")
    def test_lambdas_of_another_compiler(self):
        prints = set()
        for compiler in ("g++", "clang++"):
            for flags in ([], ["-DUNRELATED"]):
                path = self.path("bin/lambdas")
                os.makedirs(os.path.dirname(path), exist_ok=True)
                subprocess.run([compiler, "-g", "-O0", *flags, "-o", path,
                                os.path.join(os.path.dirname(PROGRAM), "lambdas.cc"), "-pthread"], check=True, timeout=60)
                prints |= self.findings_of(path)
        self.assertEqual(len(prints), 1)

    def test_what_is_another_finding_has_another(self):
        second = self.findings_of(self.build("second", "-DSECOND"))
        self.assertEqual(len(second), 2)
        self.assertLessEqual(self.plain, second)
        self.assertEqual(self.findings_of(self.build("fixed", "-DFIXED")), set())

    def test_what_moved_keeps_its_place(self):
        for level in ("-O0", "-O2"):
            moved = self.findings_of(self.build("moved", "-DMOVED", level))
            self.assertEqual({place for _, _, place in moved}, {place for _, _, place in self.plain})
            self.assertNotEqual({key for _, key, _ in moved}, {key for _, key, _ in self.plain})


class Samples(BankCase):
    """Rules beside lock order: each sample at -O0 and -O2, addresses random and not."""

    NAMES = ("s41_unlocked_by_another", "s51_cancelled_holding", "s52_returns_holding", "s64_never_joined",
             "s66_double_join", "s19_errorcheck_relock", "destroy_locked", "cond_wait_unlocked", "s53b_handler_locks",
             "s04_ring_of_25", "s03_three_locks", "s23b_two_directions")

    def keys(self, program):
        self.thrum("record", "-q", "-o", "t", "--", program)
        self.thrum("check", "-q", "--report", "json=f.json", "t")
        # Notes depend on the time that things took.
        return {(f["rule"], f["fingerprint"], f["place"]) for f in self.load("f.json")["findings"]
                if f["level"] != "note"}

    def test_levels(self):
        for name in self.NAMES:
            source = os.path.join(SOURCE, "samples/c", name + ".c")
            seen = {}
            for level in ("-O0", "-O1", "-O2"):
                program = self.path(level, name)
                os.makedirs(os.path.dirname(program), exist_ok=True)
                subprocess.run([os.environ["CC"], "-g", level, NO_TAIL_CALLS, "-D_GNU_SOURCE", "-o", program, source, "-pthread"],
                               check=True, timeout=60)
                seen[level] = self.keys(program)
                self.assertTrue(seen[level], name)
            with self.subTest(sample=name):
                self.assertEqual(seen["-O0"], seen["-O1"])
                self.assertEqual(seen["-O0"], seen["-O2"])


class Jobs(BankCase):
    """Threads that one function starts are told apart by what they run."""

    def leaks(self, *args):
        self.thrum("check", "--report", "json=f.json", *args, "t")
        return {f["suppression"].split()[0]: f for f in self.load("f.json")["findings"] if f["rule"] == "leaked-thread"}

    def test_two_jobs_two_findings(self):
        self.record("t", self.build("leaks", source=os.path.join(SOURCE, "tests/gate/programs/leaks.c")))
        leaks = self.leaks()
        self.assertEqual(set(leaks), {"leaked-thread:poll_news", "leaked-thread:write_log"})
        self.assertEqual(len({f["fingerprint"] for f in leaks.values()}), 2)
        self.assertIn("runs poll_news", self.thrum("check", "t").stdout)
        self.write("one.supp", "leaked-thread:poll_news  # ticket 7, expires=2999-12-31\n")
        hidden = {line for line, f in self.leaks("--suppressions", "one.supp").items() if "suppressed_by" in f}
        self.assertEqual(hidden, {"leaked-thread:poll_news"})

    def test_a_start_routine_of_a_library_says_nothing(self):
        """libstdc++'s has a name only where its debug symbols are."""
        self.record("t", os.path.join(os.environ["THRUM_BUILD"], "samples/leaked_std_thread"))
        for f in self.leaks().values():
            self.assertFalse([t for t in f["threads"] if "start" in t])


if __name__ == "__main__":
    main()
