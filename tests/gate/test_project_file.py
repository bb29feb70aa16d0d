# SPDX-License-Identifier: MIT
"""`.thrum`: where it is found, what it may say, what goes before what."""
import os
import subprocess

from bank import BankCase
from thrum_cli import LIMIT, THRUM, main

LINE = "lock-order-inversion:"


class ProjectFile(BankCase):
    def setUp(self):
        super().setUp()
        os.makedirs(self.path("project/.git"))
        os.makedirs(self.path("project/sub/deep"))
        self.record("project/sub/deep/t", self.build("bank"))

    def check(self, *args, folder="project/sub/deep", trace="t", verb="check"):
        return subprocess.run([THRUM, verb, *args, *([trace] if trace else [])], cwd=self.path(folder), env=self.env,
                              capture_output=True, text=True, timeout=LIMIT, check=False)

    def test_none_is_needed(self):
        self.assert_status(self.check(), 66)

    def test_found_upwards_with_paths_of_its_own_folder(self):
        self.write("project/known.supp", f"{LINE}report\n")
        self.write("project/.thrum", "# accepted\n\nsuppressions = known.supp\nreport json=out.json\n")
        for folder, trace in (("project/sub/deep", "t"), ("project/sub", "deep/t"), ("project", "sub/deep/t")):
            self.assert_status(self.check(folder=folder, trace=trace), 0)
            self.assertTrue(self.load("project/out.json"))
            os.unlink(self.path("project/out.json"))
        finding = None
        self.check("--report", "json=own.json")
        finding = self.load("project/sub/deep/own.json")["findings"][0]
        self.assertEqual(finding["suppressed_by"], "../../known.supp:1")

    def test_the_nearest_one_counts(self):
        self.write("project/.thrum", "fail-on = never\n")
        self.write("project/sub/.thrum", "error-exitcode = 9\n")
        self.assert_status(self.check(), 9)
        self.assert_status(self.check(folder="project", trace="sub/deep/t"), 0)

    def test_not_looked_for_beyond_the_project(self):
        self.write(".thrum", "fail-on = never\n")
        self.assert_status(self.check(), 66)
        os.rmdir(self.path("project/.git"))
        self.assert_status(self.check(), 0)

    def test_not_looked_for_above_the_home_folder(self):
        os.rmdir(self.path("project/.git"))
        self.write(".thrum", "fail-on = never\n")
        self.env["HOME"] = self.path("project")
        self.assert_status(self.check(), 66)

    def test_the_command_line_goes_before(self):
        self.write("project/.thrum", "--error-exitcode=9\nfail-on\tnever\n")
        self.assert_status(self.check(), 0)
        self.assert_status(self.check("--fail-on=error"), 9)
        self.assert_status(self.check("--fail-on=error", "--error-exitcode=7"), 7)

    def test_what_may_be_repeated_adds_up(self):
        self.record("two", self.build("second", "-DSECOND"))
        self.write("project/a.supp", f"{LINE}report\n")
        self.write("b.supp", f"{LINE}fill_cache\n")
        self.write("project/.thrum", "suppressions=a.supp\n")
        self.assert_status(self.check(trace="../../../two"), 66)
        self.assert_status(self.check("--suppressions", "../../../b.supp", trace="../../../two"), 0)

    def test_flags_and_other_verbs_options(self):
        self.write("project/known.supp", f"{LINE}report\n{LINE}nobody\n")
        self.write("project/.thrum", "strict-suppressions\nsuppressions=known.supp\ntimeout=60\nmode=bounded\n")
        self.assert_status(self.check(), 66)
        self.assert_status(self.check(verb="info"), 0)

    def test_a_name_that_means_two_things_is_the_recorders(self):
        self.write("project/.thrum", "output = traces\n")
        self.assert_status(self.check("--", self.path("bin/bank/bank"), verb="record", trace=None), 0)
        self.assertTrue(os.path.exists(self.path("project/traces/run.json")))
        self.assert_status(self.check(verb="merge"), 64)
        self.assertFalse(os.path.exists(self.path("project/traces.thrum-pack")))

    def test_explicit_file(self):
        self.write("conf/ci.thrum", "fail-on=never\nreport=json=ci.json\n")
        self.assert_status(self.check("--config", "../../../conf/ci.thrum"), 0)
        self.assertTrue(self.load("conf/ci.json"))
        self.write("project/.thrum", "error-exitcode=9\n")
        self.assert_status(self.check("--config=../../../conf/ci.thrum", "--fail-on=error"), 66)
        self.assert_status(self.check("--config=/dev/null"), 66)
        self.assert_status(self.check("--config=absent"), 64)

    def test_what_is_wrong_is_said_with_its_line(self):
        for text, words in (
            ("fail-on = fatal\n", "fatal"),
            ("\n# x\nfial-on = error\n", ".thrum:3: there is no option 'fial-on' for a project; did you mean fail-on?"),
            ("config = x\n", "no option 'config'"),
            ("strict-suppressions = yes\n", "takes no value"),
            ("baseline =\n", "a value is missing"),
            ("quiet\nreport = pdf=x\n", ".thrum:2: --report: 'pdf'"),
            ("x" * 70000, "no option"),
            ("fail-on=never\0", "no file of options"),
        ):
            self.write("project/.thrum", text)
            result = self.check()
            self.assert_status(result, 64)
            self.assertIn(words, result.stderr)
            self.assertIn("../../.thrum", result.stderr)

    def test_help_needs_no_good_file(self):
        self.write("project/.thrum", "nonsense = 1\n")
        self.assert_status(self.check("--help"), 0)

    def test_a_mark_of_byte_order_is_no_part_of_a_name(self):
        self.write("project/.thrum", "\ufefffail-on = never\r\n")
        self.assert_status(self.check(), 0)

    def test_a_folder_of_that_name_is_passed_over(self):
        os.makedirs(self.path("project/sub/.thrum"))
        self.write("project/.thrum", "fail-on=never\n")
        self.assert_status(self.check(), 0)

    def test_a_strangers_file_is_not_used(self):
        if os.geteuid():
            self.skipTest("needs root")
        self.write("project/.thrum", "fail-on=never\n")
        os.chown(self.path("project/.thrum"), 65534, 65534)
        result = self.check()
        self.assert_status(result, 64)
        self.assertIn("another user", result.stderr)
        # Nor one that a stranger's link leads to.
        os.chown(self.path("project/.thrum"), os.geteuid(), -1)
        self.assert_status(self.check(), 0)
        os.symlink("../.thrum", self.path("project/sub/.thrum"))
        self.assert_status(self.check(), 0)
        os.lchown(self.path("project/sub/.thrum"), 65534, 65534)
        self.assert_status(self.check(), 64)
        os.unlink(self.path("project/sub/.thrum"))
        # A checkout of another user, as in a container, is that user's with its folders.
        os.chown(self.path("project/sub/deep"), 65534, 65534)
        self.assert_status(self.check(), 0)


if __name__ == "__main__":
    main()
