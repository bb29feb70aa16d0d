# SPDX-License-Identifier: MIT
"""Suppression files of other projects, as they are: those that this machine has, and those in the folder that
THRUM_SUPPRESSION_FILES names. Every entry must be read, and what is of no use to us must be said."""
import glob
import os
import re
import unittest

from bank import BankCase
from thrum_cli import main

PLACES = ("/usr/lib/valgrind/*.supp", "/usr/libexec/valgrind/*.supp", "/usr/share/glib-2.0/valgrind/*.supp",
          os.path.join(os.environ.get("THRUM_SUPPRESSION_FILES", "/nonexistent"), "*"))
# As ThreadSanitizer's manual and the files of large projects have them.
TSAN = """# Races that are known
race:LoadWallet
race_top:^inflate_fast$
race:src/qt/test/*
race:std::__1::ios_base::flags

# https://example.org/issues/1
deadlock:libdb
deadlock:CDeterministicMNManager:GetListForBlock
thread:boost::thread
mutex:^destroyed::*
signal:handler
called_from_lib:libzmq.so
"""


def count_entries(text):
    lines = [line.strip() for line in text.splitlines()]
    blocks = lines.count("{")
    return blocks or sum(bool(line) and not line.startswith("#") for line in lines)


class Files(BankCase):
    def setUp(self):
        super().setUp()
        self.record("t", self.build("bank"))

    def check(self, path):
        """(entries that are of no use, all entries); 0 of 0 where nothing is said of them."""
        result = self.thrum("check", "--suppressions", path, "t")
        self.assert_status(result, 66)
        match = re.search(r"(\d+) of (\d+) entries are for other tools or kinds of error: (.+)", result.stderr)
        return (int(match[1]), int(match[2]), match[3]) if match else (0, 0, "")

    def test_files_of_this_machine(self):
        files = sorted(path for place in PLACES for path in glob.glob(place))
        if not files:
            self.skipTest("there are none")
        for path in files:
            with open(path, encoding="utf-8", errors="replace") as file:
                entries = count_entries(file.read())
            with self.subTest(path=path):
                foreign, read, kinds = self.check(path)
                if "debian" in path or foreign:
                    self.assertEqual(read, entries)
                    self.assertTrue(kinds)
                print(f"{path}: {entries} entries, {foreign} of no use")

    def test_tsan_forms(self):
        path = self.write("tsan.supp", TSAN)
        foreign, read, kinds = self.check(path)
        self.assertEqual(read, count_entries(TSAN))
        for kind in kinds.split(", "):
            self.assertIn(kind, ("race", "race_top", "called_from_lib", "signal"))
        # Files of such projects apply: the same entries, one of which names our program.
        self.write("ours.supp", TSAN.replace("libdb", "bank"))
        self.assert_status(self.thrum("check", "--suppressions", "ours.supp", "t"), 0)

    def test_valgrind_entries_apply_beside_those_of_others(self):
        text = "{\n   leak\n   Memcheck:Leak\n   match-leak-kinds: reachable\n   fun:malloc\n   ...\n}\n" \
               "{\n   param\n   Memcheck:Param\n   write(buf)\n   obj:/usr/lib/libX.so\n}\n" \
               "{\n   ours\n   Helgrind:LockOrder\n   fun:pthread_mutex_lock\n   ...\n   fun:report\n}\n"
        self.write("vg.supp", text)
        result = self.thrum("check", "--suppressions", "vg.supp", "t")
        self.assert_status(result, 0)
        self.assertIn("vg.supp: 2 of 3 entries are for other tools or kinds of error: Memcheck:Leak, Memcheck:Param",
                      result.stderr)


if __name__ == "__main__":
    main()
