# SPDX-License-Identifier: MIT
"""Every sample that ends by itself, in every format: each report is sound by the checks that the golden files pass, all
formats agree on what gates, and a second time they are the same byte for byte."""
import concurrent.futures
import glob
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as xml

from thrum_cli import LIMIT, SOURCE, THRUM, Case, main

SAMPLES = os.environ["THRUM_SAMPLES"]
FORMATS = ("text", "json", "html", "sarif", "junit", "gitlab", "github", "markdown")
GOLDEN = os.path.join(SOURCE, "tests/golden")
SARIF_SCHEMA = os.environ.get("THRUM_SARIF_SCHEMA")
CHECKS = {
    "json": ["check_json.py", os.path.join(SOURCE, "docs/schema/thrum-findings-1.schema.json")],
    # The schema of OASIS is no part of this tree.
    "sarif": ["check_sarif.py"] + (["--schema", SARIF_SCHEMA] if SARIF_SCHEMA else []),
    "junit": ["check_junit.py"],
    "html": ["check_html.py"],
}
MAX_SECONDS = 20
LEAST_SAMPLES = 150


def find_samples():
    """Names of samples that need no time limit and no special start."""
    for path in sorted(glob.glob(os.path.join(SOURCE, "samples/c/*.c")) + glob.glob(os.path.join(SOURCE, "samples/cpp/*.cpp"))):
        name = os.path.splitext(os.path.basename(path))[0]
        with open(path, encoding="utf-8") as file:
            head = file.read(3000)
        run = re.search(r"^/\* RUN ?(.*?)\*/", head, re.M)
        if run and run[1].strip() in ("", "clean") and os.path.exists(os.path.join(SAMPLES, name)):
            yield name


class Reports(Case):
    def make(self, name):
        """Records and reports; returns what is wrong, or None."""
        trace = self.path(name)
        words = [word for form in FORMATS for word in ("--report", f"{form}={trace}.{form}")]
        words += [word for form in FORMATS for word in ("--report", f"{form}={trace}.{form}.again")]
        try:
            subprocess.run([THRUM, "record", "-q", "-o", trace, "--", os.path.join(SAMPLES, name)], cwd=self.folder,
                           env=self.env, stdin=subprocess.DEVNULL, capture_output=True, timeout=MAX_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            return None  # a slow machine: not what is tested here
        result = subprocess.run([THRUM, "check", "-q", *words, trace], cwd=self.folder, env=self.env, capture_output=True,
                                timeout=LIMIT, check=False)
        if result.returncode not in (0, 66):
            return f"{name}: status {result.returncode}: {result.stderr.decode()}"
        return self.compare(name, trace, result.returncode)

    def compare(self, name, trace, status):
        for form in FORMATS:
            with open(f"{trace}.{form}", "rb") as one, open(f"{trace}.{form}.again", "rb") as two:
                if one.read() != two.read():
                    return f"{name}: {form} is another the second time"
        report = self.load(f"{name}.json")
        gated = [f for f in report["findings"] if f["gated"]]
        with open(f"{trace}.github", encoding="utf-8") as file:
            annotations = file.read().count("::error ")
        counts = {
            "status": status,
            "junit": bool(xml.parse(f"{trace}.junit").findall(".//failure")),
            "sarif": any(r["level"] == "error" for r in self.load(f"{name}.sarif")["runs"][0]["results"]),
            "gitlab": any(e["severity"] in ("blocker", "critical") for e in self.load(f"{name}.gitlab")),
            "github": bool(annotations),
        }
        wrong = [form for form, value in counts.items() if bool(value) != bool(gated)]
        if wrong:
            return f"{name}: {len(gated)} findings gate, not so in {wrong}"
        for finding in report["findings"]:
            if ":" not in finding["suppression"] or not finding["help_uri"].endswith(f"{finding['rule']}.md"):
                return f"{name}: {json.dumps(finding)[:300]}"
        return None

    def test_all_samples_in_all_formats(self):
        names = list(find_samples())
        if len(names) < LEAST_SAMPLES:
            self.skipTest("the samples are not built")
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            problems = [problem for problem in pool.map(self.make, names) if problem]
        self.assertEqual(problems, [])
        made = 0
        for form, check in CHECKS.items():
            files = sorted(glob.glob(self.path(f"*.{form}")))
            made += len(files)
            result = subprocess.run([sys.executable, os.path.join(GOLDEN, check[0]), *check[1:], *files],
                                    capture_output=True, text=True, timeout=LIMIT, check=False)
            self.assertEqual(result.returncode, 0, result.stdout[-3000:] + result.stderr[-3000:])
        print(f"{len(names)} samples, {made} reports checked by schema")


if __name__ == "__main__":
    main()
