# SPDX-License-Identifier: MIT
"""The trace directory: private, the old one kept, nothing of other people's touched."""
import os
import time

from thrum_cli import LIMIT, Case, main, target


class TraceDir(Case):
    def record(self, *args):
        return self.thrum("record", *args, "--", target("threads"), "0")

    def pid_of(self, *parts):
        return self.load(*parts, "run.json")["pid"]

    def test_default_place_and_mode(self):
        old = os.umask(0)
        self.addCleanup(os.umask, old)
        self.assert_status(self.record(), 0)
        self.assertEqual(os.stat(self.path("thrum.data")).st_mode & 0o7777, 0o700)
        for name in os.listdir(self.path("thrum.data")):
            self.assertEqual(os.stat(self.path("thrum.data", name)).st_mode & 0o077, 0, name)

    def test_last_two_traces_are_kept(self):
        self.record()
        first = self.pid_of("thrum.data")
        self.record()
        second = self.pid_of("thrum.data")
        self.assertEqual(self.pid_of("thrum.data.old"), first)
        self.record()
        self.assertEqual(self.pid_of("thrum.data.old"), second)
        self.assertEqual(sorted(os.listdir(self.folder)), ["thrum.data", "thrum.data.old"])
        self.assertEqual(len([n for n in os.listdir(self.path("thrum.data")) if n.endswith(".map")]), 1)

    def test_named_place(self):
        for place in ("here", "here/", "./here", self.path("here")):
            self.assert_status(self.record("-o", place), 0)
        self.assertEqual(sorted(os.listdir(self.folder)), ["here", "here.old"])

    def test_empty_folder_is_used_and_made_private(self):
        os.mkdir(self.path("mine"), 0o755)
        self.assert_status(self.record("-o", "mine"), 0)
        self.assertEqual(os.stat(self.path("mine")).st_mode & 0o7777, 0o700)
        self.assertFalse(os.path.exists(self.path("mine.old")))

    def test_other_peoples_folder_stays(self):
        os.mkdir(self.path("docs"))
        for name in ("letter.txt", "1.1.map"):
            with open(self.path("docs", name), "w", encoding="ascii") as file:
                file.write("dear")
        result = self.record("-o", "docs")
        self.assert_status(result, 64)
        self.assertIn("docs is not a trace", result.stderr)
        self.assertEqual(sorted(os.listdir(self.path("docs"))), ["1.1.map", "letter.txt"])

    def test_other_peoples_old_folder_stays(self):
        self.record()
        os.mkdir(self.path("thrum.data.old"))
        with open(self.path("thrum.data.old", "letter.txt"), "w", encoding="ascii") as file:
            file.write("dear")
        first = self.pid_of("thrum.data")
        result = self.record()
        self.assert_status(result, 64)
        self.assertIn("thrum.data.old is in the way", result.stderr)
        self.assertEqual(self.pid_of("thrum.data"), first)
        self.assertEqual(os.listdir(self.path("thrum.data.old")), ["letter.txt"])

    def test_file_in_the_way_stays(self):
        with open(self.path("thrum.data"), "w", encoding="ascii") as file:
            file.write("dear")
        self.assert_status(self.record(), 64)
        with open(self.path("thrum.data"), encoding="ascii") as file:
            self.assertEqual(file.read(), "dear")

    def test_symbolic_link_is_followed(self):
        os.mkdir(self.path("disk"))
        os.symlink("disk/trace", self.path("link"))
        os.mkdir(self.path("disk", "trace"))
        self.record("-o", "link")
        self.record("-o", "link")
        self.assertTrue(os.path.islink(self.path("link")))
        self.assertEqual(sorted(os.listdir(self.path("disk"))), ["trace", "trace.old"])

    def test_parent_that_is_not_there(self):
        result = self.record("-o", "absent/trace")
        self.assert_status(result, 64)
        self.assertIn("absent/trace", result.stderr)

    def test_directory_of_a_run_that_goes_on_stays(self):
        self.record()
        process = self.start("record", "--", "sh", "-c", "echo up; read line; exit 3")
        self.expect_line(process, "up")
        while not os.path.exists(self.path("thrum.data/run.json")):  # the launcher's: written while the program starts
            time.sleep(0.01)
        before = sorted(os.listdir(self.path("thrum.data")))
        result = self.record()
        self.assert_status(result, 64)
        self.assertIn("another thrum records into thrum.data", result.stderr)
        self.assertIn("-o thrum.data.%p", result.stderr)
        self.assertEqual(sorted(os.listdir(self.path("thrum.data"))), before)
        process.stdin.write("go\n")
        process.stdin.flush()
        self.assertEqual(process.wait(LIMIT), 3)
        self.assert_status(self.record(), 0)

    def test_pid_in_the_name_gives_each_run_its_own(self):
        for _ in range(2):
            self.assert_status(self.record("-o", "t.%p.%p"), 0)
        names = os.listdir(self.folder)
        self.assertEqual(len(names), 2)
        for name in names:
            self.assertRegex(name, r"^t\.(\d+)\.\1$")
        result = self.thrum("run", "-o", "r.%p", "--report", "json=r.%p.json", "--", target("threads"), "0")
        self.assert_status(result, 0)
        self.assertEqual(
            sorted(n.removesuffix(".json") for n in os.listdir(self.folder) if n.startswith("r.")),
            2 * [n for n in os.listdir(self.folder) if n.startswith("r.") and not n.endswith(".json")],
        )

    def test_program_that_is_not_there_keeps_the_trace(self):
        self.record()
        first = self.pid_of("thrum.data")
        self.thrum("record", "--", "./absent")
        self.assertEqual(self.pid_of("thrum.data"), first)
        self.assertEqual(os.listdir(self.folder), ["thrum.data"])


main()
