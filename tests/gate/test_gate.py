# SPDX-License-Identifier: MIT
"""From a first red build to a green one and back: baseline, diff, suppressions, reports, as a team meets them."""
import json
import os
import subprocess
import unittest
import xml.etree.ElementTree as xml

from bank import BankCase
from thrum_cli import LIMIT, THRUM, main

LINE = "lock-order-inversion:"


class Baselines(BankCase):
    def test_a_baseline_lets_pass_what_is_known(self):
        bank = self.build("bank")
        self.assert_status(self.thrum("run", "--", bank), 66)
        result = self.thrum("baseline")
        self.assert_status(result, 0)
        self.write("known.json", result.stdout)
        self.assertEqual(json.loads(result.stdout)["schema"], "thrum-baseline/1")
        self.assertNotIn(self.folder, result.stdout)
        self.assert_status(self.thrum("check", "--baseline", "known.json"), 0)
        self.assert_status(self.thrum("run", "--baseline", "known.json", "--", bank), 0)

    def test_what_is_new_gates_and_what_is_gone_is_said(self):
        self.record("before", self.build("bank"))
        self.write("known.json", self.thrum("baseline", "before").stdout)
        self.record("second", self.build("second", "-DSECOND", "-DFIXED"))
        result = self.thrum("check", "--baseline", "known.json", "--report", "json=r.json", "second")
        self.assert_status(result, 66)
        self.assertIn("gone since the baseline", result.stderr)
        self.assertIn("fill_cache", result.stdout)
        states = {f["baseline_state"] for f in self.load("r.json")["findings"] if f["level"] == "error"}
        self.assertEqual(states, {"new"})
        self.record("fixed", self.build("fixed", "-DFIXED"))
        result = self.thrum("check", "--baseline", "known.json", "fixed")
        self.assert_status(result, 0)
        self.assertIn("gone since the baseline", result.stderr)

    def test_what_moved_is_known(self):
        self.record("before", self.build("bank"))
        self.write("known.json", self.thrum("baseline", "before").stdout)
        self.record("moved", self.build("moved", "-DMOVED"))
        result = self.thrum("check", "--baseline", "known.json", "--report", "json=r.json", "moved")
        self.assert_status(result, 0)
        self.assertEqual([f["baseline_state"] for f in self.load("r.json")["findings"]], ["updated"])

    def test_a_report_serves_as_baseline(self):
        self.record("t", self.build("bank"))
        self.thrum("check", "-q", "--report", "json=r.json", "t")
        self.assert_status(self.thrum("check", "--baseline", "r.json", "t"), 0)

    def test_a_baseline_does_not_change_from_run_to_run(self):
        bank = self.build("bank", "-DSECOND")
        texts = {self.thrum("baseline", self.record("t", bank)).stdout for _ in range(3)}
        self.assertEqual(len(texts), 1)

    def test_an_entry_that_is_there_twice_is_not_gone(self):
        self.record("t", self.build("bank"))
        known = json.loads(self.thrum("baseline", "t").stdout)
        known["findings"] *= 2
        self.write("known.json", json.dumps(known))
        result = self.thrum("check", "--baseline", "known.json", "t")
        self.assert_status(result, 0)
        self.assertNotIn("gone", result.stderr)

    def test_rules_that_are_off_are_not_gone(self):
        self.record("t", self.build("bank"))
        self.write("known.json", self.thrum("baseline", "t").stdout)
        result = self.thrum("check", "--rules=-lock-order-inversion", "--baseline", "known.json", "t")
        self.assert_status(result, 0)
        self.assertNotIn("gone", result.stderr)

    def test_files_may_be_pipes(self):
        """As <(git show main:known.json) of a shell is: it can be read once."""
        bank = self.build("bank")
        self.record("t", bank)
        known = self.thrum("baseline", "t").stdout.encode()
        for option, text in (("--baseline", known), ("--suppressions", f"{LINE}report".encode())):
            for words in (["check", "t"], ["run", "-q", "--", bank]):
                end, feed = os.pipe()
                os.write(feed, text)
                os.close(feed)
                result = subprocess.run([THRUM, words[0], option, f"/dev/fd/{end}", *words[1:]], cwd=self.folder,
                                        env=self.env, pass_fds=[end], capture_output=True, text=True, timeout=LIMIT,
                                        check=False)
                os.close(end)
                self.assert_status(result, 0)

    def test_bad_baselines_are_said_before_the_run(self):
        bank = self.build("bank")
        self.write("bad.json", "{}")
        for name in ("bad.json", "absent.json"):
            result = self.thrum("run", "--baseline", name, "--", bank)
            self.assert_status(result, 64)
            self.assertIn(name, result.stderr)
            self.assertEqual(result.stdout, "")


class Diffs(BankCase):
    def setUp(self):
        super().setUp()
        self.record("old", self.build("old"))
        self.record("same", self.build("same"))
        self.record("more", self.build("more", "-DSECOND"))
        self.record("moved", self.build("moved", "-DMOVED"))
        self.record("fixed", self.build("fixed", "-DFIXED"))
        for name in ("old", "more", "fixed", "moved", "same"):
            self.thrum("check", "-q", "--report", f"json={name}.json", name)

    def expect(self, before, after, status, counts):
        result = self.thrum("diff", before, after)
        self.assert_status(result, status)
        self.assertEqual(result.stdout.splitlines()[-1], counts)
        return result.stdout

    def test_traces_reports_and_baselines_compare_alike(self):
        self.write("base.json", self.thrum("baseline", "old").stdout)
        for before in ("old", "old.json", "base.json"):
            for suffix in ("", ".json"):
                self.expect(before, "same" + suffix, 0, "0 new, 0 gone, 0 moved, 1 unchanged")
                text = self.expect(before, "more" + suffix, 66, "1 new, 0 gone, 0 moved, 1 unchanged")
                self.assertRegex(text, r"(?m)^new +error +[0-9a-f]{32}  .*cache.*\[lock-order-inversion\]$")
                text = self.expect(before, "fixed" + suffix, 0, "0 new, 1 gone, 0 moved, 0 unchanged")
                self.assertRegex(text, r"(?m)^gone ")
                self.expect(before, "moved" + suffix, 0, "0 new, 0 gone, 1 moved, 0 unchanged")

    def test_rules_and_modules_count_on_both_sides(self):
        for option in ("--rules=-lock-order-inversion", "--exclude=bank"):
            for before, after in (("old", "old.json"), ("old.json", "more"), ("fixed.json", "old.json")):
                result = self.thrum("diff", option, before, after)
                self.assert_status(result, 0)
                self.assertEqual(result.stdout.splitlines()[-1], "0 new, 0 gone, 0 moved, 0 unchanged")
        self.assertEqual(json.loads(self.thrum("baseline", "--rules=deadlock", "old.json").stdout)["findings"], [])

    def test_what_is_suppressed_is_no_news_and_not_known(self):
        self.write("a.supp", f"{LINE}*\n")
        self.thrum("check", "-q", "--suppressions", "a.supp", "--report", "json=hidden.json", "old")
        self.expect("fixed.json", "hidden.json", 0, "0 new, 0 gone, 0 moved, 0 unchanged")
        self.expect("hidden.json", "old", 66, "1 new, 0 gone, 0 moved, 0 unchanged")
        self.assert_status(self.thrum("check", "--baseline", "hidden.json", "old"), 66)

    def test_usage_and_statuses(self):
        self.assert_status(self.thrum("diff", "old"), 64)
        self.assert_status(self.thrum("diff", "old", "absent"), 65)
        self.assert_status(self.thrum("diff", "--error-exitcode=3", "old", "more"), 3)
        self.assert_status(self.thrum("diff", "--fail-on=never", "old", "more"), 0)


class Suppressions(BankCase):
    def setUp(self):
        super().setUp()
        self.record("t", self.build("bank", "-DSECOND"))

    def check(self, text, *more):
        self.write("a.supp", text)
        return self.thrum("check", "--suppressions", "a.supp", "--report", "json=r.json", *more, "t")

    def test_the_line_of_the_report_hides_that_finding(self):
        self.thrum("check", "-q", "--report", "json=r.json", "t")
        findings = [f for f in self.load("r.json")["findings"] if f["level"] == "error"]
        self.assertEqual(len(findings), 2)
        for f in findings:
            self.assertIn(f["suppression"], self.thrum("check", "t").stdout)
            self.check(f["suppression"] + "\n")
            hidden = [g for g in self.load("r.json")["findings"] if "suppressed_by" in g]
            self.assertEqual([g["fingerprint"] for g in hidden], [f["fingerprint"]])
        self.assert_status(self.check("".join(f["suppression"] + "\n" for f in findings)), 0)

    def test_every_finding_in_every_format_has_a_line_to_paste(self):
        formats = ("text", "json", "html", "sarif", "junit", "gitlab", "github", "markdown")
        self.thrum("check", *(f"--report={name}=out.{name}" for name in formats), "t")
        lines = [f["suppression"] for f in self.load("out.json")["findings"]]
        self.assertTrue(lines)
        for name in formats:
            text = self.read(f"out.{name}")
            for line in lines:
                self.assertIn(line.split("  #")[0], text, name)

    def test_use_expiry_and_strictness(self):
        text = f"{LINE}report # ticket 7, expires=2999-01-01\n{LINE}fill_cache\n"
        result = self.check(text, "--strict-suppressions")
        self.assert_status(result, 0)
        self.assertEqual(result.stderr, "")
        unused = text + f"{LINE}nobody\n"
        result = self.check(unused)
        self.assert_status(result, 0)
        self.assertIn("a.supp:3: this suppression matches nothing any more", result.stderr)
        self.assert_status(self.check(unused, "--strict-suppressions"), 66)
        expired = f"{LINE}report # expires=2001-01-01\n{LINE}fill_cache\n"
        result = self.check(expired)
        self.assert_status(result, 66)
        self.assertIn("a.supp:1: this suppression has expired", result.stderr)

    def test_reports_say_that_stale_entries_fail_the_run(self):
        formats = ("text", "sarif", "junit", "github", "markdown", "html")
        text = f"{LINE}report\n{LINE}fill_cache\ndeadlock:nobody\n"
        words = "1 suppression matches nothing or has expired, which fails the run"
        for strict in ((), ("--strict-suppressions",)):
            result = self.check(text, *strict, *(f"--report={name}=out.{name}" for name in formats))
            self.assert_status(result, 66 if strict else 0)
            for name in formats:
                (self.assertIn if strict else self.assertNotIn)(words, self.read(f"out.{name}"), name)
        self.assertRegex(self.read("out.junit"), r'<testsuites tests="\d+" failures="1"')

    def test_entries_of_rules_that_are_off_are_not_unused(self):
        result = self.check(f"{LINE}report\ndeadlock:nobody\n", "--strict-suppressions", "--rules=stuck-wait,deadlock")
        self.assert_status(result, 66)
        self.assertNotIn("a.supp:1", result.stderr)
        self.assertIn("a.supp:2", result.stderr)

    def test_several_files_and_bad_ones(self):
        self.write("b.supp", f"{LINE}report\n")
        self.assert_status(self.check(f"{LINE}fill_cache\n", "--suppressions", "b.supp"), 0)
        result = self.check("no-such-rule:x\n")
        self.assert_status(result, 64)
        self.assertIn("a.supp:1", result.stderr)
        self.assert_status(self.thrum("check", "--suppressions", "absent", "t"), 64)

    def test_suppressed_findings_are_in_no_baseline(self):
        self.write("a.supp", f"{LINE}report\n")
        text = self.thrum("baseline", "--suppressions", "a.supp", "t").stdout
        self.assertEqual(len(json.loads(text)["findings"]), 1)

    def test_what_a_report_hid_stays_hidden_in_merges(self):
        self.check(f"{LINE}report\n{LINE}fill_cache\n")
        self.thrum("check", "-q", "--report", "json=open.json", "t")
        self.assert_status(self.thrum("merge", "-o", "m.json", "r.json", "r.json"), 0)
        self.assert_status(self.thrum("check", "m.json"), 0)
        # Hidden in one part and open in another: open.
        for order in (("r.json", "open.json"), ("open.json", "r.json")):
            self.assert_status(self.thrum("merge", "-o", "m.json", *order), 0)
            self.assert_status(self.thrum("check", "m.json"), 66)

    def test_other_tools_dialects_apply(self):
        self.write("tsan.supp", "race:foo\ndeadlock:bank\n")
        result = self.thrum("check", "--suppressions", "tsan.supp", "t")
        self.assert_status(result, 0)
        self.write("vg.supp", "{\n  known\n  Helgrind:LockOrder\n  fun:mutex_lock_WRK\n  fun:pthread_mutex_lock\n"
                              "  fun:both\n}\n")
        self.assert_status(self.thrum("check", "--suppressions", "vg.supp", "t"), 0)


class Modules(BankCase):
    def setUp(self):
        super().setUp()
        self.record("t", self.build("bank"))

    def test_include_and_exclude(self):
        for args, status in (
            (["--include", "bank"], 66),
            (["--include", "ban*"], 66),
            (["--include", "other"], 0),
            (["--include", "other", "--include", "bank"], 66),
            (["--exclude", "bank"], 0),
            (["--exclude", "other"], 66),
            (["--exclude", "b?nk"], 0),
            (["--include", "bank", "--exclude", "bank"], 0),
        ):
            result = self.thrum("check", *args, "t")
            self.assert_status(result, status)
            self.assertEqual("leave out" in result.stderr, not status, args)
        self.assertEqual(json.loads(self.thrum("baseline", "--exclude", "bank", "t").stdout)["findings"], [])


class Reports(BankCase):
    def test_all_formats_at_once_agree(self):
        formats = ("text", "json", "html", "sarif", "junit", "gitlab", "github", "markdown")
        bank = self.build("bank", "-DSECOND")
        words = [word for name in formats for word in ("--report", f"{name}={name}.out")]
        result = self.thrum("run", *words, "--report", "json=again.json", "--", bank)
        self.assert_status(result, 66)
        self.assertEqual(self.read("json.out"), self.read("again.json"))
        errors = [f for f in self.load("json.out")["findings"] if f["level"] == "error"]
        self.assertEqual(len(errors), 2)
        sarif = self.load("sarif.out")["runs"][0]
        self.assertEqual(sum(r["level"] == "error" for r in sarif["results"]), 2)
        for rule in sarif["tool"]["driver"]["rules"]:
            self.assertTrue(rule["helpUri"].endswith(f"/{rule['id']}.md"), rule["id"])
        failures = xml.parse(self.path("junit.out")).findall(".//failure")
        self.assertEqual(len(failures), 1)  # a test case is a rule
        for f in errors:
            self.assertIn(f["title"], self.read("junit.out"))
        gitlab = self.load("gitlab.out")
        self.assertEqual({e["fingerprint"] for e in gitlab if e["check_name"] == "lock-order-inversion"},
                         {f["fingerprint"] for f in errors})
        self.assertEqual(self.read("github.out").count("::error "), 2)
        for f in errors:
            for name in ("text", "html", "markdown"):
                self.assertIn(f["title"].replace('"', "&quot;") if name == "html" else f["title"].split('"')[0],
                              self.read(f"{name}.out"), name)

    def test_one_that_cannot_be_written_costs_no_other(self):
        self.record("t", self.build("bank"))
        if not os.path.exists("/dev/full"):
            self.skipTest("no /dev/full")
        result = self.thrum("check", "--report", "json=/dev/full", "--report", "sarif=b", "t")
        self.assert_status(result, 70)
        self.assertTrue(self.load("b"))


if __name__ == "__main__":
    main()
