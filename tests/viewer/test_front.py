#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The types that the comments of viewer/front claim, checked by TypeScript's compiler."""

import glob
import os
import shutil
import subprocess
import sys

from viewer_case import npm_package, status_without

VERSION = "5.9.3"
OPTIONS = ["--noEmit", "--allowJs", "--checkJs", "--strict", "--target", "es2022", "--lib", "es2022,dom,dom.iterable"]


def main():
    package = npm_package("typescript", VERSION) if shutil.which("node") else None
    if not package:
        return status_without("no node, or typescript cannot be fetched by npm")
    files = sorted(glob.glob(os.path.join(os.environ["THRUM_SOURCE"], "viewer", "front", "*.js")))
    return subprocess.run(["node", os.path.join(package, "lib", "tsc.js"), *OPTIONS, *files], timeout=300, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
