# SPDX-License-Identifier: MIT
"""Builds programs/bank.c in the ways a test asks for, and reads what thrum says of it."""
import os
import subprocess

from thrum_cli import SOURCE, Case

PROGRAM = os.path.join(SOURCE, "tests/gate/programs/bank.c")
CC = os.environ["CC"]


class BankCase(Case):
    def build(self, folder, *flags, source=PROGRAM):
        """Compiles FOLDER/bank below the case's folder; returns the program's path."""
        path = self.path("bin", folder, "bank")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        subprocess.run([CC, "-g", "-O0", *flags, "-o", path, source, "-pthread"], check=True, timeout=60)
        return path

    def record(self, trace, program, *args, prefix=()):
        result = self.thrum("record", "-q", "-o", trace, "--", *prefix, program, *args)
        self.assert_status(result, 0)
        return trace

    def findings(self, *traces):
        """Of thrum check: (rule, fingerprint, place) of each finding that is an error."""
        self.thrum("check", "-q", "--report", "json=findings.json", *traces)
        return {(f["rule"], f["fingerprint"], f["place"]) for f in self.load("findings.json")["findings"]
                if f["level"] == "error"}

    def findings_of(self, program, *args, prefix=()):
        return self.findings(self.record("a-trace", program, *args, prefix=prefix))

    def write(self, name, text):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def read(self, name):
        with open(self.path(name), encoding="utf-8") as file:
            return file.read()
