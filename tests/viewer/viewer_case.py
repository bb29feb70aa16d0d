# SPDX-License-Identifier: MIT
"""What the viewer's tests share: traces of samples made once, a browser, packages of npm."""

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest

import chromium
from thrum_cli import Case

SAMPLES = os.environ["THRUM_SAMPLES"]
NPM = os.environ["THRUM_NPM"]
SKIP = 77

# Screens that a page has where the trace has what they show.
SCREENS = ("findings", "timeline", "locks", "threads", "tasks", "loops", "graph", "compare", "trace")
READY = "document.documentElement.dataset.ready"


def status_without(what):
    """The exit status of a test that cannot run without that: skipped, but a failure where CI says that nothing may be left out."""
    required = os.environ.get("THRUM_REQUIRE_ALL", "0") not in ("", "0")
    print(f"{what}{': THRUM_REQUIRE_ALL is set, so this fails' if required else ''}")
    return 1 if required else SKIP


def npm_package(name, version):
    """The folder of a package's files, fetched once; None where there is no npm, or no network."""
    folder = os.path.join(NPM, f"{name}-{version}")
    package = os.path.join(folder, "package")
    if os.path.isdir(package):
        return package
    os.makedirs(folder, exist_ok=True)
    for _ in range(3 if shutil.which("npm") else 0):  # networks of CI have bad moments
        try:
            fetched = subprocess.run(["npm", "pack", "--silent", f"{name}@{version}"], cwd=folder, capture_output=True, text=True,
                                     timeout=120, check=False)
        except subprocess.TimeoutExpired:
            continue
        if fetched.returncode:
            continue
        with tempfile.TemporaryDirectory(dir=folder) as unpacked:  # whole, or not at all
            with tarfile.open(os.path.join(folder, fetched.stdout.split()[-1])) as archive:
                archive.extractall(unpacked)
            os.rename(os.path.join(unpacked, "package"), package)
        return package
    return None


class ViewerCase(Case):
    """Traces are recorded once for all tests of a class; `traces` names them: sample, options of record."""

    traces = {}
    compared = {}  # name: what came before, and the trace

    @classmethod
    def write_page(cls, name, *traces):
        environment = {"PATH": os.environ["PATH"], "HOME": cls.shared, "LC_ALL": "C.UTF-8", "TZ": "UTC", "THRUM_LIB": os.environ["THRUM_LIB"]}
        shown = subprocess.run([os.environ["THRUM"], "view", "-q", f"--html={cls.shared}/{name}.html", *traces], env=environment, cwd=cls.shared,
                               capture_output=True, text=True, timeout=120, check=False)
        if shown.returncode:
            raise AssertionError(f"thrum view: {shown.stderr}")

    @classmethod
    def setUpClass(cls):
        cls.shared = tempfile.mkdtemp(prefix="thrum-viewer-")
        cls.addClassCleanup(shutil.rmtree, cls.shared, ignore_errors=True)
        environment = {"PATH": os.environ["PATH"], "HOME": cls.shared, "LC_ALL": "C.UTF-8", "TZ": "UTC", "THRUM_LIB": os.environ["THRUM_LIB"]}
        for name, (command, options) in cls.traces.items():
            trace, thrum = os.path.join(cls.shared, name), os.environ["THRUM"]
            subprocess.run([thrum, "record", "-q", "-o", trace, *options, "--", *command], env=environment, cwd=cls.shared,
                           stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False)
            cls.write_page(name, trace)
        for name, inputs in cls.compared.items():
            cls.write_page(name, *[os.path.join(cls.shared, input) for input in inputs])
        cls.browser = chromium.Browser()
        cls.addClassCleanup(cls.browser.__exit__)

    def page(self, name, fragment="", **how):
        url = f"file://{self.shared}/{name}.html{fragment}"
        page = self.browser.open(url, **how)
        self.addCleanup(page.close)
        if how.get("scripts", True):
            page.wait(READY)
            page.settle()
        return page

    def assert_quiet(self, page):
        """No error, and no request but for the page itself."""
        self.assertEqual(page.errors, [])
        self.assertEqual([url for url in page.requests if url.split("#")[0] != page.url.split("#")[0]], [])


def axe_script(test):
    """The text of axe-core; without it the test is skipped, or fails where nothing may be left out."""
    package = npm_package("axe-core", "4.14.1")
    if not package and status_without("axe-core cannot be fetched by npm") == SKIP:
        test.skipTest("axe-core cannot be fetched")
    test.assertTrue(package)
    with open(os.path.join(package, "axe.min.js"), encoding="utf-8") as file:
        return file.read()


def axe_violations(page, axe):
    """[rule, an element, how many] of what is shown."""
    if not page.get("!!window.axe"):
        page.get(axe + "; 1")
    return page.get("axe.run(document, { resultTypes: ['violations'] }).then((r) => r.violations.map((v) => [v.id, v.nodes[0].html.slice(0, 200), "
                    "v.nodes.length]))")


def sample(name):
    return [os.path.join(SAMPLES, name)]


def main():
    if not chromium.find():
        sys.exit(status_without("no Chromium here: apt-get install chromium"))
    unittest.main()
