# SPDX-License-Identifier: MIT
"""What the tests of symbols share: the program with its inversion, compiled as asked, recorded, and what a report says."""
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

THRUM = os.environ["THRUM"]
HERE = os.path.dirname(os.path.abspath(__file__))
LIMIT = 100  # seconds; only a hang reaches it

FUNCTIONS = ["transfer", "forwards", "backwards"]  # with code of their own, all static
LOCKS = ["accounts[3].lock", "static_lock()::lock"]


def line_of(mark, source="inversion.c"):
    with open(os.path.join(HERE, source), encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            if re.search(r"LINE %s\b" % mark, line):
                return number
    raise KeyError(mark)


def needs(*programs):
    missing = [program for program in programs if not shutil.which(program)]
    return unittest.skipIf(missing, "not installed: " + " ".join(missing))


class Case(unittest.TestCase):
    """Runs in an empty folder, with an environment that holds nothing of the developer's: no DEBUGINFOD_URLS."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="thrum-symbols-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.env = {"PATH": os.environ["PATH"], "HOME": self.folder, "LC_ALL": "C.UTF-8", "TZ": "UTC",
                    "THRUM_LIB": os.environ["THRUM_LIB"]}

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def shell(self, script):
        """Runs lines of a shell in the folder; all must succeed."""
        result = subprocess.run(["sh", "-euc", script], cwd=self.folder, env=self.env, capture_output=True, text=True,
                                timeout=LIMIT, check=False)
        self.assertEqual(result.returncode, 0, f"{script}\n{result.stderr}")
        return result.stdout

    def build(self, flags="-O2 -g", compiler="cc", source="inversion.c", name="program"):
        self.shell(f"{compiler} {flags} -pthread -o {name} '{HERE}/{source}'")

    def build_id(self, name="program"):
        return re.search(r"Build ID: ([0-9a-f]+)", self.shell(f"readelf -n {name}")).group(1)

    def thrum(self, *args, env=None):
        return subprocess.run([THRUM, *args], cwd=self.folder, env={**self.env, **(env or {})}, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=LIMIT, check=False)

    def record(self, name="program"):
        result = self.thrum("record", "--", "./" + name)
        self.assertEqual(result.returncode, 0, result.stderr)

    def check(self, *options, env=None):
        """The one finding of the recorded run, and what was said on standard error."""
        result = self.thrum("check", "--format=json", *options, env=env)
        self.assertEqual(result.returncode, 66, result.stderr)
        findings = json.loads(result.stdout)["findings"]
        self.assertEqual([f["rule"] for f in findings], ["lock-order-inversion"])
        return findings[0], result.stderr

    def program_stacks(self, finding):
        """Frames of the program itself, of each stack."""
        return [[f for f in stack["frames"] if f["module"].startswith(self.folder)] for stack in finding["stacks"]]

    # ---- what a report may know ----

    def expect_all(self, finding):
        """Functions, lines, inlined calls, and locks by member."""
        expected = [[("take", line_of("take"), True), ("transfer", line_of(lock), None), (thread, line_of(thread), None)]
                    for thread in ("forwards", "backwards") for lock in ("from", "to")]
        stacks = [[(f.get("function"), f.get("line"), f.get("inlined", False)) for f in stack[:3]]
                  for stack in self.program_stacks(finding)]
        for stack, wanted in zip(sorted(stacks), sorted(expected, key=str)):
            self.assertEqual([frame[:2] for frame in stack], [frame[:2] for frame in wanted])
            self.assertTrue(stack[0][2])
        self.assertEqual(len(stacks), 4)
        for stack in self.program_stacks(finding):
            self.assertEqual({os.path.basename(f["file"]) for f in stack}, {"inversion.c"})
        self.expect_lock_names(finding, LOCKS)

    def expect_lock_names(self, finding, names):
        self.assertEqual(sorted(lock["name"] for lock in finding["locks"]), sorted(names))

    def expect_names_only(self, finding):
        """Static functions from a symbol table; nothing of lines."""
        for stack in self.program_stacks(finding):
            self.assertEqual([f.get("function") for f in stack[:1]], ["transfer"])
            self.assertIn(stack[1].get("function"), ("forwards", "backwards"))
            for frame in stack:
                self.assertNotIn("line", frame)
                self.assertNotIn("file", frame)

    def expect_offsets_only(self, finding, build_id):
        """Module, offset and build-id, which are enough to resolve it elsewhere; nothing invented."""
        frames = sum(self.program_stacks(finding), [])
        self.assertGreaterEqual(len(frames), 8)
        for frame in frames:
            self.assertEqual(set(frame) & {"function", "file", "line", "language"}, set(), frame)
            self.assertEqual(frame.get("build_id"), build_id)
            self.assertGreater(int(str(frame["offset"]), 0), 0)
        for lock in finding["locks"]:
            self.assertRegex(lock["name"], r"^program\+0x[0-9a-f]+$")


def main():
    unittest.main(verbosity=2)
