# SPDX-License-Identifier: MIT
"""Exit statuses, standard streams, what cannot be traced, and reports of run, record and check."""
import json
import os
import shutil
import signal
import stat
import struct
import subprocess
import unittest

from thrum_cli import LIMIT, Case, main, target


class Statuses(Case):
    def test_clean_program_keeps_its_status(self):
        for verb in ("run", "record"):
            for status in (0, 1, 3, 255):
                self.assert_status(self.thrum(verb, "--", target("threads"), str(status)), status)

    def test_program_killed_by_a_signal(self):
        for number in (signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM):
            self.assert_status(self.thrum("run", "--", target("self_signal"), str(int(number))), 128 + number)

    def test_gating_finding(self):
        result = self.thrum("run", "--", target("abba"), "pass")
        self.assert_status(result, 66)
        self.assertIn("lock-order-inversion", result.stderr)
        self.assert_status(self.thrum("check"), 66)

    def test_error_exitcode(self):
        self.assert_status(self.thrum("run", "--error-exitcode=7", "--", target("abba"), "pass"), 7)
        self.assert_status(self.thrum("check", "--error-exitcode=0", "thrum.data"), 0)

    def test_fail_on_never_keeps_the_programs_status(self):
        result = self.thrum("run", "--fail-on=never", "--", target("abba"), "pass")
        self.assert_status(result, 0)
        self.assertIn("lock-order-inversion", result.stderr)
        self.assert_status(self.thrum("run", "--fail-on=never", "--", target("abba"), "kill"), 137)

    def test_gating_finding_goes_before_the_programs_status(self):
        self.assert_status(self.thrum("run", "--", target("abba"), "kill"), 66)

    def test_rules_select(self):
        self.assert_status(self.thrum("run", "--rules=deadlock", "--", target("abba"), "pass"), 0)
        self.assert_status(self.thrum("check", "--rules=-lock-order-inversion"), 0)
        self.assert_status(self.thrum("check", "--rules=lock-order-inversion,deadlock"), 66)

    def test_no_such_program(self):
        for verb in ("run", "record", "doctor"):
            result = self.thrum(verb, "--", "./absent")
            self.assert_status(result, 127)
            self.assertIn("./absent", result.stderr)
            self.assert_status(self.thrum(verb, "--", "no-program-has-this-name"), 127)
            self.assertFalse(os.path.exists(self.path("thrum.data")))

    def test_not_executable(self):
        with open(self.path("text"), "w", encoding="ascii") as file:
            file.write("#!/bin/sh\n")
        for verb in ("run", "record", "doctor"):
            self.assert_status(self.thrum(verb, "--", "./text"), 126)
            self.assert_status(self.thrum(verb, "--", "/"), 126)

    def test_no_program_is_usage(self):
        for verb in ("run", "record", "doctor"):
            self.assert_status(self.thrum(verb), 64)
            self.assert_status(self.thrum(verb, "--"), 64)

    def test_options_end_at_the_program(self):
        result = self.thrum("run", "sh", "-c", "echo $0 $1; exit 4", "--quiet", "--no-such-option")
        self.assert_status(result, 4)
        self.assertEqual(result.stdout, "--quiet --no-such-option\n")


class Streams(Case):
    def test_standard_streams_are_the_programs(self):
        result = self.thrum("run", "--", target("threads"), "0", stdin="through\n")
        self.assertEqual(result.stdout, "out\nthrough\n")
        self.assertTrue(result.stderr.startswith("err\n"))

    def test_quiet_clean_run_says_nothing(self):
        result = self.thrum("run", "--quiet", "--", target("threads"), "0")
        self.assertEqual((result.stdout, result.stderr), ("out\n", "err\n"))

    def test_format_goes_to_standard_output_after_the_program(self):
        result = self.thrum("run", "--format=json", "--", target("threads"), "0", stdin="through\n")
        head, json_text = result.stdout.split("through\n")
        self.assertEqual(head, "out\n")
        report = json.loads(json_text)
        self.assertEqual(report["schema"], "thrum-findings/1")
        self.assertEqual(report["program_status"], 0)
        self.assertEqual(report["verdict"], "clean")
        self.assertEqual(result.stderr, "err\n")

    def test_reports_any_number_of_times(self):
        result = self.thrum(
            "run", "--report=json=a.json", "--report", "html=b.html", "--report=text=c.txt",
            "--color=always", "--", target("abba"), "pass",
        )
        self.assert_status(result, 66)
        self.assertEqual(result.stdout, "ready\n")
        self.assertEqual(self.load("a.json")["verdict"], "findings")
        with open(self.path("b.html"), encoding="utf-8") as file:
            self.assertIn("</html>", file.read())
        with open(self.path("c.txt"), encoding="utf-8") as file:
            text = file.read()
        self.assertIn("lock-order-inversion", text)
        self.assertNotIn("\033", text)
        self.assertIn("\033", result.stderr)

    def test_color(self):
        for env, args, colored in (
            ({}, [], False),
            ({}, ["--color=always"], True),
            ({"NO_COLOR": "1"}, ["--color=auto"], False),
        ):
            result = self.thrum("run", *args, "--", target("abba"), "pass", env=env)
            self.assertEqual("\033" in result.stderr, colored)

    def test_report_that_cannot_be_written_is_found_before_the_run(self):
        result = self.thrum("run", "--report=json=absent/x.json", "--", target("threads"), "0")
        self.assert_status(result, 64)
        self.assertEqual(result.stdout, "")
        self.assertIn("absent/x.json", result.stderr)

    @unittest.skipUnless(os.path.exists("/dev/full"), "no /dev/full")
    def test_results_that_cannot_be_written_are_no_success(self):
        self.thrum("record", "--", target("threads"), "0")
        self.assert_status(self.thrum("check", "--report=json=/dev/full"), 70)

    def test_check_writes_to_standard_output(self):
        self.thrum("record", "--", target("abba"), "pass")
        result = self.thrum("check")
        self.assertIn("lock-order-inversion", result.stdout)
        self.assertEqual(result.stderr, "")


class Environment(Case):
    def test_environment_of_the_program(self):
        result = self.thrum("run", "-o", "a:b%c", "--max-size=64M", "--", "env")
        variables = dict(line.split("=", 1) for line in result.stdout.splitlines())
        self.assertEqual(variables["LD_PRELOAD"], os.path.realpath(self.env["THRUM_LIB"]))
        self.assertEqual(
            variables["THRUM_OPTIONS"],
            f"dir={os.path.realpath(self.folder)}/a%3Ab%25c:max_size={64 << 20}",
        )
        self.assertTrue(os.path.exists(self.path("a:b%c", "run.json")))

    def test_preloads_of_the_user_stay(self):
        other = self.path("other.so")
        shutil.copy(self.env["THRUM_LIB"], other)  # any library will do
        env = {"LD_PRELOAD": other, "ASAN_OPTIONS": "verify_asan_link_order=0"}
        result = self.thrum("run", "--", "env", env=env)
        self.assertIn(f"LD_PRELOAD={os.path.realpath(self.env['THRUM_LIB'])}:{other}\n", result.stdout)

    def test_run_json(self):
        self.thrum("record", "--", target("threads"), "3", env={"SECRET": "hush"})
        run = self.load("thrum.data", "run.json")
        self.assertEqual(run["schema"], "thrum-run/1")
        self.assertEqual(run["argv"], [target("threads"), "3"])
        self.assertEqual(run["cwd"], os.path.realpath(self.folder))
        self.assertEqual(run["status"], 3)
        self.assertNotIn("signal", run)
        self.assertIs(run["timeout"], False)
        self.assertIn("SECRET", run["environment_names"])
        self.assertNotIn("hush", json.dumps(run))
        self.assertTrue(os.path.exists(self.path("thrum.data", f"{run['pid']}.1.map")))

    def test_run_json_of_a_killed_program(self):
        self.thrum("record", "--", target("self_signal"), "9")
        run = self.load("thrum.data", "run.json")
        self.assertEqual((run["status"], run["signal"]), (137, 9))

    def test_arguments_that_are_not_utf8(self):
        self.thrum("record", "--", target("threads"), os.fsdecode(b"0\xff"))
        self.assertEqual(self.load("thrum.data", "run.json")["argv"][1], "0\ufffd")

    def test_library_that_is_not_there(self):
        result = self.thrum("run", "--", "true", env={"THRUM_LIB": "/absent/lib.so"})
        self.assert_status(result, 70)
        self.assertIn("/absent/lib.so", result.stderr)

    def test_library_beside_the_program(self):
        os.makedirs(self.path("pre", "bin"))
        os.makedirs(self.path("pre", "lib", "thrum"))
        shutil.copy(os.environ["THRUM"], self.path("pre", "bin", "thrum"))
        shutil.copy(self.env.pop("THRUM_LIB"), self.path("pre", "lib", "thrum", "libthrum.so"))
        self.assertEqual(self.run_copy().returncode, 3)
        os.rename(self.path("pre", "lib", "thrum"), self.path("pre", "lib", "other"))
        result = self.run_copy()
        self.assertEqual(result.returncode, 70)
        self.assertIn("THRUM_LIB", result.stderr)

    def run_copy(self):
        command = [self.path("pre", "bin", "thrum"), "run", "--", target("threads"), "3"]
        return subprocess.run(
            command, cwd=self.folder, env=self.env, stdin=subprocess.DEVNULL, capture_output=True,
            text=True, timeout=LIMIT, check=False,
        )


class Untraceable(Case):
    def assert_untraceable(self, program, word):
        for verb in ("run", "record", "doctor"):
            result = self.thrum(verb, "--", program, "3")
            self.assert_status(result, 69)
            self.assertIn(word, (result.stderr + result.stdout).lower())
            self.assertNotIn("out\n", result.stdout)
            self.assertFalse(os.path.exists(self.path("thrum.data")))

    def test_static_program(self):
        self.assert_untraceable(target("static"), "static")

    def test_static_program_runs_untraced_when_nothing_gates(self):
        result = self.thrum("run", "--fail-on=never", "--report=json=r.json", "--", target("static"), "3")
        self.assert_status(result, 3)
        self.assertEqual(result.stdout, "out\n")
        report = self.load("r.json")
        self.assertEqual((report["verdict"], report["program_status"]), ("untraced", 3))

    def test_report_of_an_untraced_run(self):
        self.thrum("run", "--report=json=r.json", "--", target("static"), "3")
        report = self.load("r.json")
        self.assertEqual(report["verdict"], "untraced")
        self.assertNotIn("program_status", report)

    def test_program_of_another_machine(self):
        shutil.copy(target("threads"), self.path("foreign"))
        with open(self.path("foreign"), "r+b") as file:
            file.seek(18)
            file.write(struct.pack("<H", 243))  # e_machine: RISC-V
        self.assert_untraceable("./foreign", "")

    @unittest.skipUnless(os.getuid() == 0, "needs root to make a set-user-id program of somebody else")
    def test_setuid_program(self):
        program = self.path("setuid")
        shutil.copy(target("threads"), program)
        os.chmod(self.folder, 0o755)
        os.chown(program, 65534, 65534)
        os.chmod(program, 0o755 | stat.S_ISUID)
        self.assert_untraceable(program, "set")

    def test_traceable(self):
        self.assert_status(self.thrum("doctor", "--", target("threads")), 0)
        self.assert_status(self.thrum("doctor", "sh"), 0)


class Traces(Case):
    def test_check_refuses_what_is_no_trace(self):
        os.mkdir(self.path("empty"))
        with open(self.path("file"), "w", encoding="ascii") as file:
            file.write("x")
        for verb in ("check", "dump", "info"):
            for name in ("absent", "empty", "file"):
                result = self.thrum(verb, name)
                self.assert_status(result, 65)
                self.assertIn(name, result.stderr)
                self.assertEqual(result.stdout, "")

    def test_check_of_a_future_major_version(self):
        self.thrum("record", "--", target("threads"), "0")
        run = self.load("thrum.data", "run.json")
        with open(self.path("thrum.data", f"{run['pid']}.1.map"), "r+b") as file:
            file.seek(8)
            file.write(struct.pack("<H", 99))
        self.assert_status(self.thrum("check"), 65)

    def test_check_of_several_traces(self):
        self.thrum("record", "-o", "one", "--", target("threads"), "0")
        self.thrum("record", "-o", "two", "--", target("abba"), "pass")
        self.thrum("record", "-o", "three", "--", target("abba"), "pass")
        self.assert_status(self.thrum("check", "one"), 0)
        result = self.thrum("check", "one", "two", "three", "--format=json")
        self.assert_status(result, 66)
        report = json.loads(result.stdout)
        self.assertEqual(len(report["trace"]["processes"]), 3)
        inversions = [f for f in report["findings"] if f["rule"] == "lock-order-inversion"]
        self.assertEqual([f["count"] for f in inversions], [2])
        self.assert_status(self.thrum("check", "one", "absent"), 65)

    def test_check_after_kill(self):
        self.thrum("record", "--", target("abba"), "kill")
        result = self.thrum("check", "--format=json")
        self.assert_status(result, 66)
        report = json.loads(result.stdout)
        self.assertEqual(report["program_status"], 137)
        self.assertIs(report["trace"]["complete"], False)

    def test_dump_and_info(self):
        self.thrum("record", "--", target("threads"), "0")
        dump = self.thrum("dump")
        self.assert_status(dump, 0)
        self.assertIn("work threads.c:", dump.stdout)
        only = self.thrum("dump", "--filter", "op=create")
        lines = [line for line in only.stdout.splitlines() if not line.startswith("#")]
        self.assertEqual(len(lines), 2)
        self.assert_status(self.thrum("info"), 0)
        info = json.loads(self.thrum("info", "--format=json").stdout)
        self.assertEqual(info["schema"], "thrum-info/1")
        self.assert_status(self.thrum("info", "--format=html"), 64)
        self.assert_status(self.thrum("info", "a", "b"), 64)


main()
