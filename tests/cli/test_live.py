# SPDX-License-Identifier: MIT
"""check, dump, info and pack on the trace of a process that is locking as fast as it can."""
from thrum_cli import Case, main, target

CHECKS = 50


class Live(Case):
    def launch(self, *options):
        process = self.start("record", "--quiet", *options, "--", target("stuck"), "busy")
        self.expect_line(process, "ready")
        return process

    def finish(self, process):
        out, _ = process.communicate("")
        self.assertEqual(out, "over\n")
        self.assertEqual(process.returncode, 3)

    def check_often(self, *options):
        process = self.launch(*options)
        for _ in range(CHECKS):
            result = self.thrum("check", "--quiet", "--fail-on=note", "--rules=-lock-contention,-hold-time")
            self.assert_status(result, 0)
            self.assertEqual((result.stdout, result.stderr), ("", ""))
        self.assertIsNone(process.poll())
        self.finish(process)

    def test_check_finds_nothing_that_is_not_there(self):
        self.check_often("--max-size=8M")

    def test_check_in_bounded_mode(self):
        self.check_often("--mode=bounded", "--max-size=8M")

    def test_the_other_verbs(self):
        process = self.launch("--max-size=4M")
        for verb in ("info", "dump", "pack"):
            self.assert_status(self.thrum(verb), 0)
        result = self.thrum("check", "--quiet", "--rules=-lock-contention,-hold-time", "thrum.data.thrum-pack")
        self.assert_status(result, 0)
        self.assertEqual(result.stdout, "")
        self.finish(process)


main()
