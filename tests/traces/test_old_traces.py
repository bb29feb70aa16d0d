#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Traces of every version of the format that was ever written (VERSION-NAME.tar.xz beside this file) are read by today's reader, and give what
expected.json says of them: what `check` finds, and patterns ("dump") of lines that `dump` prints. A new minor version adds its own; none is ever
taken away or made anew. Their programs are gone: no names but those of Python, which are in the trace."""

import json
import os
import subprocess
import sys
import tarfile
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
THRUM = os.environ["THRUM"]


def short(report):
    found = sorted([f["rule"], f["confidence"], f["level"], f["count"], len(f.get("threads", [])), len(f.get("stacks", []))]
                   for f in report["findings"])
    processes = sorted([p["threads"], p["events"]] for p in report["trace"]["processes"])
    return {"verdict": report["verdict"], "findings": found, "processes": processes}


class OldTraces(unittest.TestCase):
    maxDiff = None

    def test_each(self):
        with open(os.path.join(HERE, "expected.json"), encoding="utf-8") as f:
            expected = json.load(f)
        packed = sorted(n[:-len(".tar.xz")] for n in os.listdir(HERE) if n.endswith(".tar.xz"))
        self.assertEqual(packed, sorted(expected))
        for name in packed:
            with self.subTest(name), tempfile.TemporaryDirectory() as folder:
                with tarfile.open(os.path.join(HERE, name + ".tar.xz")) as tar:
                    tar.extractall(folder)
                o = subprocess.run([THRUM, "check", "--fail-on", "never", "--format", "json", os.path.join(folder, name)],
                                   stdout=subprocess.PIPE, check=True, timeout=60)
                patterns = expected[name].pop("dump", [])
                self.assertEqual(short(json.loads(o.stdout)), expected[name])
                said = {verb: subprocess.run([THRUM, verb, os.path.join(folder, name)], stdout=subprocess.PIPE, check=True, text=True,
                                             timeout=60).stdout for verb in ("dump", "info")}
                for text in said.values():
                    self.assertGreater(len(text.splitlines()), 5)
                for pattern in patterns:
                    self.assertRegex(said["dump"], pattern)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
