# SPDX-License-Identifier: MIT
"""--hang-after: a deadlock is reported while the program lives, once, and nothing else is."""
import json
import os
import re
import select
import signal
import time

from thrum_cli import LIMIT, Case, main, target, task_state

SAID = r"thrum: no progress for 0\.3 s; the program still runs and is not touched"


class Hang(Case):
    def launch(self, how, *options, verb="run"):
        process = self.start(verb, "--hang-after=0.3", *options, "--", target("stuck"), how)
        self.expect_line(process, "ready")
        return process

    def read_error_until(self, process, pattern):
        """What thrum says, up to the first line that matches."""
        text = ""
        end = time.monotonic() + LIMIT
        os.set_blocking(process.stderr.fileno(), False)
        while not re.search(pattern, text, re.M):
            self.assertLess(time.monotonic(), end, f"no {pattern!r} in: {text}")
            if select.select([process.stderr], [], [], 1)[0]:
                more = os.read(process.stderr.fileno(), 65536)
                self.assertTrue(more, f"thrum ended without {pattern!r}: {text}")
                text += more.decode()
        return text

    def finish(self, process):
        """Ends the program's input; returns its remaining output and what else thrum said."""
        os.set_blocking(process.stderr.fileno(), True)
        out, err = process.communicate("", timeout=LIMIT)
        return out, err

    def test_deadlock_is_reported_while_the_program_lives(self):
        process = self.launch("deadlock")
        text = self.read_error_until(process, r"^Summary: ")
        self.assertRegex(text, SAID)
        self.assertIn("[deadlock]", text)
        self.assertIn("forward", text)
        self.assertIn("backward", text)
        self.assertIsNone(process.poll())
        out, err = self.finish(process)
        self.assertEqual(out, "over\n")
        self.assertEqual(process.returncode, 66)
        self.assertIn("[deadlock]", err)
        self.assertNotRegex(err, SAID)

    def test_it_is_reported_once(self):
        process = self.launch("deadlock", "--quiet")
        text = self.read_error_until(process, r"\[deadlock\]\n")
        time.sleep(1.5)  # several looks; a second report would stand before the final one
        _, err = self.finish(process)
        self.assertEqual((text + err).count("no progress"), 1)
        self.assertEqual((text + err).count("[deadlock]"), 2)

    def test_record_reports_and_keeps_the_status(self):
        process = self.launch("deadlock", verb="record")
        self.read_error_until(process, r"^Summary: ")
        self.finish(process)
        self.assertEqual(process.returncode, 3)

    def test_waits_that_nobody_ends(self):
        process = self.launch("lost", "--end-on-hang")
        text = self.read_error_until(process, r"^Summary: ")
        self.assertIn("the program will be ended", text)
        self.assertIn("[stuck-wait]", text)
        self.finish(process)
        self.assertEqual(process.returncode, 66)

    def test_end_on_hang(self):
        for verb, status in (("run", 66), ("record", 124)):
            process = self.launch("deadlock", "--end-on-hang", verb=verb)
            pid = None
            process.wait(LIMIT)
            self.assertEqual(process.returncode, status)
            run = self.load("thrum.data", "run.json")
            pid = run["pid"]
            self.assertIn(task_state(pid), "XZ")
            self.assertEqual(run["signal"], signal.SIGKILL)
            sample = self.load("thrum.data", f"{pid}.sample.json")
            self.assertGreaterEqual(len(sample["threads"]), 4)

    def test_programs_that_are_well_are_left_alone(self):
        for how in ("idle", "holder", "busy"):
            process = self.launch(how, "--end-on-hang")
            time.sleep(1.5)
            out, err = self.finish(process)
            self.assertEqual(out, "over\n", how)
            self.assertEqual(process.returncode, 3, how + err)
            self.assertNotIn("no progress", err, how)

    def test_standard_output_is_the_programs(self):
        process = self.launch("deadlock", "--format=json")
        self.read_error_until(process, r"^Summary: ")
        out, _ = self.finish(process)
        report = json.loads(out.removeprefix("over\n"))
        self.assertEqual([f["rule"] for f in report["findings"] if f["gated"]], ["deadlock"])

    def test_rules_that_are_off(self):
        process = self.launch("deadlock", "--rules=-deadlock")
        time.sleep(1)
        _, err = self.finish(process)
        self.assertNotIn("no progress", err)
        self.assertEqual(process.returncode, 3)

    def test_end_on_hang_needs_a_time(self):
        result = self.thrum("run", "--end-on-hang", "--", target("stuck"), "idle")
        self.assert_status(result, 64)
        self.assertIn("--hang-after=SECONDS", result.stderr)


main()
