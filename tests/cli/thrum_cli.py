# SPDX-License-Identifier: MIT
"""What the tests of the command line share: a private folder, the thrum program, and how to wait for output."""
import json
import os
import re
import shutil
import subprocess
import tempfile
import unittest

THRUM = os.environ["THRUM"]
TARGETS = os.environ["THRUM_TARGETS"]
SOURCE = os.environ["THRUM_SOURCE"]
LIMIT = 120  # seconds; only a hang of thrum itself reaches it


def target(name):
    return os.path.join(TARGETS, name)


class Case(unittest.TestCase):
    """Runs in an empty folder of its own, with an environment that holds nothing of the developer's."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="thrum-cli-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": self.folder,
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
            "THRUM_LIB": os.environ["THRUM_LIB"],
        }
        if not shutil.which("make"):  # CMake's default generator
            self.env["CMAKE_GENERATOR"] = "Ninja"

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def thrum(self, *args, stdin="", env=None):
        return subprocess.run(
            [THRUM, *args],
            cwd=self.folder,
            env={**self.env, **(env or {})},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )

    def start(self, *args, **more):
        process = subprocess.Popen(
            [THRUM, *args],
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **more,
        )
        self.addCleanup(self.stop, process)
        return process

    @staticmethod
    def stop(process):
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream:
                stream.close()
        if process.poll() is None:
            process.kill()
        process.wait(LIMIT)

    def expect_line(self, process, pattern):
        """Next line of the program's output, which must match; returns the match."""
        line = process.stdout.readline()
        match = re.fullmatch(pattern, line.rstrip("\n"))
        self.assertIsNotNone(match, f"expected {pattern!r}, got {line!r}")
        return match

    def load(self, *parts):
        with open(self.path(*parts), encoding="utf-8") as file:
            return json.load(file)

    def assert_status(self, result, status):
        self.assertEqual(result.returncode, status, f"\nstdout: {result.stdout}\nstderr: {result.stderr}")


def task_state(pid):
    """State letter of a process, 'X' when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return "X"


def main():
    unittest.main(verbosity=2)
